"""Where the api is and with what token: from the environment, or from the state folder of a local run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from dotenv import dotenv_values

from shared.errors import Misconfigured, NotAllowed, NotFound, Refused, Unreachable

TOKEN_FILE = "cli-token"  # noqa: S105 - a file's name
_TIMEOUT_S = 40.0  # a traceroute to a dead address takes half a minute


@dataclass(frozen=True, slots=True)
class Server:
    """An api and how we are let in."""

    url: str
    token: str


def state_folder() -> Path:
    """Where a local run keeps its state."""
    return Path(os.environ.get("RONDA_STATE_DIR", ".ronda"))


def token_file() -> Path:
    """Where the command line keeps its token, readable by its owner only."""
    return state_folder() / "secrets" / TOKEN_FILE


def keep_token(token: str) -> Path:
    """Keep the command line's token; answers where. Raises Misconfigured if this user may not write there."""
    file = token_file()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(token)
    except OSError as refused:
        raise Misconfigured(
            f"the command line's token cannot be kept in {file} ({refused.strerror}): choose a folder with "
            "RONDA_STATE_DIR, or give a token as RONDA_API_TOKEN (POST /api/v1/tokens makes one)"
        ) from refused
    return file


def local_variables(name: str) -> dict[str, str]:
    """The variables that the local runner keeps for us (`api`, `operator`); empty where there is no local run."""
    file = state_folder() / "secrets" / f"{name}.env"
    return {key: value for key, value in dotenv_values(file).items() if value} if file.exists() else {}


def find_server() -> Server:
    """RONDA_API_URL and RONDA_API_TOKEN, else what the local run wrote. Raises Misconfigured with what to do."""
    url = os.environ.get("RONDA_API_URL") or _url_of_local_run()
    token = os.environ.get("RONDA_API_TOKEN") or (token_file().read_text().strip() if token_file().exists() else "")
    if not token:
        raise Misconfigured(
            "no token: make the owner with `ronda owner`, or set RONDA_API_TOKEN to a token made by POST /api/v1/tokens"
        )
    return Server(url, token)


def _url_of_local_run() -> str:
    run = state_folder() / "run.json"
    if not run.exists():
        raise Misconfigured(
            "no api found: start it with `make run` or `make demo` in this folder, or set RONDA_API_URL to its address"
        )
    return str(json.loads(run.read_text())["api_url"])


class Api:
    """REST calls that answer with plain values and raise our errors with the server's own sentence."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, **query: Any) -> Any:
        """Read a resource; a list answers its items."""
        return self._call("GET", path, params=query)

    def every(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self._call("GET", path, params={**query, **({"cursor": cursor} if cursor else {})})
            items += page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return items

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Make something, or ask for something to be done."""
        return self._call("POST", path, json=body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """Change something."""
        return self._call("PATCH", path, json=body)

    def delete(self, path: str) -> Any:
        """Remove something."""
        return self._call("DELETE", path)

    def named(self, path: str, name: str, **query: Any) -> dict[str, Any]:
        """The one item of a list with this name or id; raises NotFound naming what there is."""
        items = self.every(path, **query)
        found = [item for item in items if name in (item["id"], item["name"])]
        found = found or [item for item in items if item["name"].lower() == name.lower()]
        if not found:
            known = ", ".join(sorted(item["name"] for item in items)) or "none yet"
            raise NotFound(f"there is no «{name}» in {path.rsplit('/', 1)[-1]}; there are: {known}")
        return found[0]

    def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            response = self._client.request(method, path, **options)
        except httpx.TransportError as failure:
            raise Unreachable(f"the api at {self._client.base_url} does not answer: {failure}") from failure
        if response.is_success:
            return response.json() if response.content else None
        problem = _problem(response)
        raise (NotAllowed if response.status_code in (401, 403) else Refused)(problem)


def _problem(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return f"the api answered {response.status_code}"
    sentences = [body.get("detail") or body.get("title") or f"the api answered {response.status_code}"]
    faults = body.get("faults") or []
    sentences += [f"  {fault.get('field', '')}: {fault.get('message', '')}" for fault in faults]
    return "\n".join(sentences)


@contextmanager
def connected() -> Iterator[Api]:
    """The api as this command may use it."""
    server = find_server()
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=_TIMEOUT_S) as client:
        yield Api(client)

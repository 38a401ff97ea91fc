"""What the command line makes of an api that refuses or is away, and of passwords."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import structlog

from deploy.local.ports import choose_any
from services.api.cli.commands import main

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "rahasia-sekali"


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A command configures logging for its process; here it would go on writing to a stream that pytest closed."""
    yield
    structlog.reset_defaults()


class Answers(BaseHTTPRequestHandler):
    """Says what the test wants and remembers what was asked."""

    def do_POST(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.asked.append(json.loads(body))  # type: ignore[attr-defined]
        status, problem = server.answer  # type: ignore[attr-defined]
        content = problem if isinstance(problem, bytes) else json.dumps(problem).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is its own."""


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command says where its log goes, for its whole process."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("RONDA_STATE_DIR", str(tmp_path))
        monkeypatch.setenv("RONDA_API_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("RONDA_API_TOKEN", "ronda_token")
        yield server
        server.shutdown()
        thread.join()


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ronda", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


FAULTS = [{"field": "name", "code": "too_long", "message": "at most 64 characters"}]


@pytest.mark.parametrize(
    ("status", "problem", "said"),
    [
        (401, {"title": "Not logged in", "detail": "This token is not known."}, "This token is not known.\n"),
        (403, {"title": "Not allowed"}, "Not allowed\n"),
        (422, {"detail": "The request has faults.", "faults": FAULTS}, "  name: at most 64 characters\n"),
        (502, b"<html>a proxy's own page</html>", "the api answered 502\n"),
    ],
    ids=["unknown token", "title only", "faults by field", "no problem at all"],
)
def test_a_refusal_is_the_servers_own_sentence(api, monkeypatch, capsys, status, problem, said):
    api.answer = (status, problem)
    assert run(monkeypatch, "site", "add", "Waru") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(said)


def test_an_api_that_is_away_is_named(monkeypatch, capsys):
    url = f"http://127.0.0.1:{choose_any()}"
    monkeypatch.setenv("RONDA_API_URL", url)
    monkeypatch.setenv("RONDA_API_TOKEN", "ronda_token")
    assert run(monkeypatch, "site", "list") == 1
    assert capsys.readouterr().err.startswith(f"the api at {url} does not answer: ")


def test_without_a_running_api_it_is_said_how_to_start_one(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("RONDA_API_URL", raising=False)
    monkeypatch.setenv("RONDA_STATE_DIR", str(tmp_path))
    assert run(monkeypatch, "site", "list") == 1
    assert "start it with `make run` or `make demo`" in capsys.readouterr().err


def test_a_local_run_is_found_by_its_state_folder(api, monkeypatch, capsys, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"api_url": os.environ["RONDA_API_URL"]}))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/cli-token").write_text("ronda_other")
    monkeypatch.delenv("RONDA_API_URL")
    monkeypatch.delenv("RONDA_API_TOKEN")
    api.answer = (201, {"id": "1", "name": "Waru", "policy": "standard"})
    assert run(monkeypatch, "site", "add", "Waru") == 0
    assert "Waru" in capsys.readouterr().out


def test_a_state_folder_that_may_not_be_written_is_said_not_shown_as_a_trace(monkeypatch, tmp_path):
    from services.api.cli.connection import keep_token
    from shared.errors import Misconfigured

    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RONDA_STATE_DIR", str(tmp_path / "file"))
    with pytest.raises(Misconfigured, match="RONDA_STATE_DIR"):
        keep_token("ronda_token")


def test_a_routers_password_is_asked_for_and_not_shown(api):
    api.answer = (503, {"detail": "The router does not answer."})
    command = [sys.executable, "-m", "services.api.cli", "router", "try", "10.0.0.1", "--user", "ronda"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, start_new_session=True
    ) as process:
        os.close(theirs)
        shown = read_until(ours, b"Password: ")
        assert PASSWORD.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        os.write(ours, f"{PASSWORD}\n".encode())
        shown += read_until(ours, b"does not answer.")
        assert process.wait(20) == 1
    os.close(ours)
    assert PASSWORD.encode() not in shown
    assert api.asked[0]["password"] == PASSWORD


def read_until(terminal: int, wanted: bytes) -> bytes:
    """What the terminal shows up to `wanted`."""
    shown = b""
    deadline = time.monotonic() + 20
    while wanted not in shown:
        assert time.monotonic() < deadline, shown
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 1024)
    return shown

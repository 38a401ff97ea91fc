"""One HTTP call, with failures told apart: surely not sent, or nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from shared.errors import DeadlineExceeded, Unreachable

REQUEST_S = 12.0
CONNECT_S = 5.0


def make_client(headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """A client for one channel. The caller closes it."""
    return httpx.AsyncClient(timeout=httpx.Timeout(REQUEST_S, connect=CONNECT_S), headers=headers)


@contextmanager
def translated(who: str) -> Iterator[None]:
    """Raise Unreachable when nothing was sent, DeadlineExceeded when the answer is missing."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Unreachable(f"{who} cannot be reached") from error
    except httpx.TimeoutException as error:
        raise DeadlineExceeded(f"{who} did not answer in time") from error
    except httpx.HTTPError as error:
        raise DeadlineExceeded(f"the connection to {who} broke before it answered") from error

"""Prints the variables that docker-compose.yml needs, freshly made: `python3 deploy/container/new_secrets.py > .env`.

Needs nothing but the standard library, since it runs before anything is installed.
"""

from __future__ import annotations

import base64
import os
import secrets
import sys

PASSWORDS = (
    *(f"RONDA_NATS_{user}_PASSWORD" for user in ("POLLER", "PROVISIONER", "NOTIFIER", "API", "LEAF", "OPERATOR")),
    *(f"RONDA_POSTGRES_{role}_PASSWORD" for role in ("ADMIN", "API", "NOTIFIER")),
)


def lines() -> list[str]:
    """One `NAME=value` per secret. A leading letter keeps NATS from reading a password as a number."""
    key = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
    return [*(f"{name}=p{secrets.token_hex(16)}" for name in PASSWORDS), f"RONDA_SEAL_KEYS=k1:{key}"]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines()) + "\n")

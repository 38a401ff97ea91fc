"""`python -m services.notifier`."""

from __future__ import annotations

from services.notifier.main import NAME, build
from services.notifier.settings import NotifierSettings
from shared.lifecycle import run_service

if __name__ == "__main__":
    raise SystemExit(run_service(NAME, NotifierSettings, build))

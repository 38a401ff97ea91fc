"""`python -m services.api`: run the api."""

from __future__ import annotations

import sys

from services.api.main import build
from services.api.settings import ApiSettings
from shared.lifecycle import run_service

if __name__ == "__main__":
    sys.exit(run_service("api", ApiSettings, build))

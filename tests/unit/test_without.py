"""What services leave out at import, and that nothing else loses it."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.without import without

ROOT = Path(__file__).resolve().parents[2]


def test_what_is_left_out_can_be_imported_afterwards(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)

    with without("colorsys"), pytest.raises(ImportError):
        import colorsys

    import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)


def test_what_was_imported_before_stays():
    with without("json"):
        import json

    assert sys.modules["json"] is json


@pytest.mark.parametrize("service", ["poller", "provisioner", "api"])
def test_services_without_chats_load_no_second_http_client_and_no_painter(service):
    program = (
        f"import sys, services.{service}.main; print([m for m in ('aiohttp', 'rich', 'aiogram') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"

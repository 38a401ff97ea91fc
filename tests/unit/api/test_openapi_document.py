"""The committed document is what the code says."""

from __future__ import annotations

from services.api.openapi import DOCUMENT, document


def test_committed_document_is_fresh() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run: python -m services.api.openapi"

"""`python -m services.api.openapi [file]`: the REST interface's description, generated from the code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from services.api.app import make_app

DOCUMENT = Path("docs/openapi.json")


def document() -> str:
    """docs/openapi.json as it must be."""
    return json.dumps(make_app(None).openapi(), indent=2, ensure_ascii=False, sort_keys=False) + "\n"


def main() -> None:
    """Write the document."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENT
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()

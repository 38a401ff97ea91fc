"""`python -m shared.i18n extract|check`: keep the catalogues in step with the code."""

from __future__ import annotations

import sys

from shared.i18n.catalogues import ROOT, extract, faults


def main(arguments: list[str]) -> int:
    """0 when all is well, 1 when the catalogues have faults, 2 for a wrong call."""
    if arguments == ["extract"]:
        for path in extract():
            sys.stdout.write(f"updated {path.relative_to(ROOT)}\n")
    elif arguments != ["check"]:
        sys.stderr.write("usage: python -m shared.i18n extract|check\n")
        return 2
    found = faults()
    sys.stdout.writelines(f"{fault}\n" for fault in found)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

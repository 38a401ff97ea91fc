"""Tests marked with `xdist_group` really run on one worker, so that one product, or one port, is enough for them.

xdist 3.8 tells its scheduler a test's group by writing `item._nodeid`, which pytest 9.2 no longer reads: every test was
handed out alone, and each worker started a product of its own. Goes away with an xdist that knows pytest 9.2.
"""

from __future__ import annotations

from typing import Any

import pytest
from _pytest.nodeid import NodeId


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        suffix = f"@{mark.args[0]}" if mark else ""
        if not item.nodeid.endswith(suffix):
            item._id = NodeId.parse(item.nodeid + suffix)

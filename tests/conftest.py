"""Fixtures that every test may use; each lives in `tests/support`, one module per outside part."""

pytest_plugins = [
    "tests.support.containers",
    "tests.support.mission",
    "tests.support.requirements",
    "tests.support.node",
    "tests.support.output_tail",
    "tests.support.nats_server",
    "tests.support.postgres",
    "tests.support.workers",
]

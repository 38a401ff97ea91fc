"""Secrets do not reach a log line, whatever road they take."""

import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.bus.context import handling
from shared.clock import SystemClock
from shared.config import LogFormat, ServiceSettings
from shared.contracts.envelope import Envelope
from shared.contracts.events import HostDown
from shared.security.secret import Secret
from shared.telemetry.logs import configure_logging
from shared.telemetry.redaction import redact, redact_field, redact_text

BOT_TOKEN = "123456789:AAExampleExampleExampleExampleExample"


@pytest.fixture
def restored_logging():
    before = (
        logging.root.handlers[:],
        logging.root.level,
        {n: logging.getLogger(n).level for n in ("httpx", "asyncio")},
    )
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    logging.root.handlers[:], level, levels = before
    logging.root.setLevel(level)
    for name, each in levels.items():
        logging.getLogger(name).setLevel(each)


def configured(log_format: LogFormat, level: str = "info") -> io.StringIO:
    out = io.StringIO()
    configure_logging(ServiceSettings(log_format=log_format, log_level=level), service="poller", stream=out)
    return out


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("login with password=geheim123 ok", "login with password=*** ok"),
        ("!re =name=budi =password=geheim123 =x=1", "!re =name=budi =password=*** =x=1"),
        ('{"password": "geheim123", "n": 1}', '{"password": ***, "n": 1}'),
        ("{'api_key': 'geheim123'}", "{'api_key': ***}"),
        ("RONDA_TELEGRAM_TOKEN=geheim123", "RONDA_TELEGRAM_TOKEN=***"),
        ("connect nats://ronda:geheim123@bus:4222/x", "connect nats://ronda:***@bus:4222/x"),
        ("postgresql://a:geheim@123@h/d", "postgresql://a:***@h/d"),
        ("Authorization: Bearer geheim123", "Authorization: ***"),
        ("sent Bearer geheim123 there", "sent Bearer *** there"),
        (
            f"POST https://api.telegram.org/bot{BOT_TOKEN}/sendMessage",
            "POST https://api.telegram.org/bot***/sendMessage",
        ),
        ("password: geheim123, next", "password: ***, next"),
    ],
)
def test_texts_lose_what_looks_secret(text: str, left: str):
    assert redact_text(text) == left


@pytest.mark.parametrize("text", ["tokens left: 3", "password was changed", "the bypass is open", "10.0.0.1:8728 up"])
def test_ordinary_texts_stay(text: str):
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "name", ["password", "router_password", "Authorization", "X-Api-Key", "seal_keys", "telegram_token", "app_secret"]
)
def test_fields_with_secret_names_are_masked(name: str):
    assert redact_field(name, "geheim") == "***"
    assert redact({"a": [{name: "geheim"}]}) == {"a": [{name: "***"}]}


@pytest.mark.parametrize("name", ["key", "tokens_left", "passed", "password_changed", "host"])
def test_other_fields_stay(name: str):
    assert redact_field(name, "value") == "value"


@given(
    st.recursive(
        st.just(Secret("geheim")) | st.just(SecretStr("geheim")), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_secret_values_are_masked_at_any_depth(value):
    assert "geheim" not in json.dumps(redact(value))


def test_json_lines_carry_service_cause_and_no_secret(restored_logging):
    out = configured(LogFormat.JSON)
    message = HostDown.example()
    envelope = Envelope.around(message, source="/x", now=SystemClock().now())
    with handling(envelope):
        structlog.get_logger().info("checked", host="gate", password="geheim", router=Secret("geheim"))
    line = json.loads(out.getvalue())
    assert line["service"] == "poller"
    assert line["correlation_id"] == envelope.correlation_id
    assert line["message_type"] == envelope.type
    assert line["level"] == "info"
    assert "geheim" not in out.getvalue()


def test_console_lines_stay_one_line_and_cannot_paint(restored_logging):
    out = configured(LogFormat.CONSOLE)
    structlog.get_logger().warning("a name", name="x\n12:00:00 [error] forged \x1b[31m")
    assert out.getvalue().count("\n") == 1
    assert "\x1b" not in out.getvalue()


def test_a_trace_is_whole_and_redacted(restored_logging):
    out = configured(LogFormat.CONSOLE)
    try:
        raise RuntimeError("cannot open nats://ronda:geheim@bus")  # noqa: TRY301
    except RuntimeError:
        structlog.get_logger().exception("crashed")
    assert "Traceback" in out.getvalue()
    assert "geheim" not in out.getvalue()


def test_libraries_take_the_same_way(restored_logging):
    out = configured(LogFormat.JSON, "debug")
    logging.getLogger("somebody").info("token=%s for %d", "geheim", 7)
    logging.getLogger("httpx").info("HTTP Request: %s", "noise")
    line = json.loads(out.getvalue())
    assert (line["event"], line["logger"], line["service"]) == ("token=*** for 7", "somebody", "poller")


def test_lines_below_the_level_are_not_written(restored_logging):
    out = configured(LogFormat.JSON, "warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("somebody").info("quiet")
    assert out.getvalue() == ""

"""Log lines: one per line, structured, redacted, with the service and the cause they belong to.

For people (`console`) or machines (`json`). What libraries log through the standard library takes the same way.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.bus.context import current_envelope
from shared.config import LogFormat, ServiceSettings
from shared.telemetry.redaction import redact_field

# These say at `info` what we say ourselves, or addresses with tokens in them.
_TALKATIVE: Final = ("httpx", "httpcore", "uvicorn", "uvicorn.error", "uvicorn.access", "aiogram", "asyncio", "nats")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_MANY_LINES: Final = frozenset({"exception", "stack"})


def configure_logging(settings: ServiceSettings, *, service: str, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream` (standard error) as the settings say."""
    stream = stream or sys.stderr
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*_common(service), *_rendering(settings, stream)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_ToStructlog()], level=level, force=True)
    logging.captureWarnings(capture=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _common(service: str) -> list[Processor]:
    def name_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    return [
        structlog.contextvars.merge_contextvars,
        name_service,
        _name_cause,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _redact,
    ]


def _rendering(settings: ServiceSettings, stream: TextIO) -> list[Processor]:
    if settings.log_format is LogFormat.JSON:
        return [
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ]
    return [
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        _keep_one_line,
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), pad_event_to=40, exception_formatter=structlog.dev.plain_traceback
        ),
    ]


def _name_cause(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The message being handled, so that a line can be found from the event that led to it."""
    envelope = current_envelope()
    if envelope is not None:
        event.setdefault("correlation_id", envelope.correlation_id)
        event.setdefault("message_type", envelope.type)
    return event


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: redact_field(name, value) for name, value in event.items()}


def _keep_one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Other people's texts may hold line ends and terminal codes: they must not forge lines or paint the screen."""
    return {
        name: _CONTROL.sub(_escaped, value) if isinstance(value, str) and name not in _MANY_LINES else value
        for name, value in event.items()
    }


def _escaped(char: re.Match[str]) -> str:
    return char.group().encode("unicode_escape").decode()


class _ToStructlog(logging.Handler):
    """Passes the standard library's records on."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields: dict[str, Any] = {"logger": record.name}
            if record.exc_info:
                fields["exc_info"] = record.exc_info
            structlog.get_logger().log(record.levelno, record.getMessage(), **fields)
        except Exception:  # noqa: BLE001 — logging never breaks what is logged
            self.handleError(record)

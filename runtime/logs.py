"""Logging: one line per event, as JSON for machines or plain for people.

Tracebacks show no local variables, and every line is redacted, whoever logged it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection
from typing import Final

import structlog

from runtime.redaction import Redactor

FRAMES_MAX: Final = 30


class RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Renders an event with structlog's processors, then redacts the line."""

    redactor = Redactor()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of an event, without secrets."""
        return self.redactor.redact(super().format(record))


def logs_configure(*, json: bool, level: int = logging.INFO, secrets: Collection[str] = ()) -> None:
    """Set up logging for this process; the standard library's goes the same way.

    secrets: passwords and keys that this process knows, which no line may show.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    rendering: list[structlog.typing.Processor] = (
        [structlog.processors.ExceptionRenderer(_traceback_transformer()), structlog.processors.JSONRenderer()]
        if json
        # Formatters that print local variables cost seconds a traceback, and show what a function was given.
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    formatter = RedactingFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
    )
    formatter.redactor = Redactor(secrets)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("rq").setLevel(logging.WARNING)


def _traceback_transformer() -> structlog.tracebacks.ExceptionDictTransformer:
    return structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=FRAMES_MAX)

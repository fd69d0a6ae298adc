"""Structured logs: lines for people on a terminal, JSON for collectors."""

import logging
import sys

import structlog

from runtime.settings import CommonSettings


def configure_logs(settings: CommonSettings, **fields: str) -> None:
    """Set up logging of this process; `fields` (for example ``worker="w1"``) are added to every line."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        # Looked up at every call, so that a log file that is rotated or a captured stderr is respected.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=settings.log_level, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    # Whatever opens the database would begin with some lines of which tables Alembic can compare.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # contextvars are per thread; these belong to the whole process.
    structlog.configure(processors=[_adder(fields), *structlog.get_config()["processors"]])


def _adder(fields: dict[str, str]) -> structlog.typing.Processor:
    def add(
        _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        return {**fields, **event}

    return add

"""The options for logs, which every command has."""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from .._logs import Log
from .._version import __version__
from ._streams import print_note

__all__ = ["log_options"]

_log = Log("cli")

_SETTINGS = f"{__name__}.settings"


class _Handler(logging.Handler):
    """Write records to standard error, which may be closed."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print_note(self.format(record), whole=True)
        except Exception:  # noqa: BLE001 - as every handler does
            self.handleError(record)


def _utc(record: logging.LogRecord) -> str:
    at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


class _TextFormatter(logging.Formatter):
    """A line for people: the time, the level, the room, the event and the message."""

    def format(self, record: logging.LogRecord) -> str:
        room = record.name.removeprefix("currents_export.")
        event = getattr(record, "event", "log")
        line = f"{_utc(record)} {record.levelname.lower()} {room} {event}: {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonFormatter(logging.Formatter):
    """A line of JSON: time, level, logger, event, message, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _utc(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": getattr(record, "event", "log"),
            "message": record.getMessage(),
        }
        fields: Mapping[str, Any] = getattr(record, "fields", {})
        line |= {name: value for name, value in fields.items() if name not in line}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _set_up(ctx: typer.Context, **given: int) -> None:
    """Write logs as the options say until the command ends; without options, write none."""
    settings: dict[str, int] = ctx.meta.setdefault(_SETTINGS, {})
    settings |= {name: value for name, value in given.items() if value}
    if not settings:
        return
    logger = logging.getLogger("currents_export")
    handler = _Handler()
    handler.setFormatter(_JsonFormatter() if settings.get("as_json") else _TextFormatter())
    former = logger.handlers[:], logger.level
    if ctx.meta.get(__name__) is None:
        ctx.meta[__name__] = former

        def restore() -> None:
            logger.handlers[:], level = ctx.meta[__name__]
            logger.setLevel(level)

        ctx.call_on_close(restore)
    logger.handlers[:] = [handler]
    logger.setLevel(logging.DEBUG if settings.get("verbosity", 0) > 1 else logging.INFO)
    if any(given.values()):
        _log.debug("command", "%s %s", ctx.info_name, __version__, command=ctx.info_name)


def _set_verbosity(ctx: typer.Context, value: int) -> int:
    _set_up(ctx, verbosity=value)
    return value


def _set_format(ctx: typer.Context, value: bool) -> bool:
    _set_up(ctx, as_json=value)
    return value


def _options(
    _verbose: Annotated[
        int,
        typer.Option(
            "-v",
            "--verbose",
            count=True,
            metavar="",
            show_default=False,
            callback=_set_verbosity,
            help="Write logs to standard error; -vv writes details.",
        ),
    ] = 0,
    _log_json: Annotated[
        bool,
        typer.Option("--log-json", callback=_set_format, help="Write logs as JSON Lines."),
    ] = False,
) -> None:
    pass


def log_options(settings: Any) -> list[Any]:
    """Return the options, to be added to a command; the command gets no values from them."""
    app = typer.Typer(add_completion=False, context_settings=settings)
    app.command()(_options)
    params = [each for each in typer.main.get_command(app).params if each.name != "help"]
    for each in params:
        each.expose_value = False
    return params

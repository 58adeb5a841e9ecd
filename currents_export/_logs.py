"""The loggers of the package: one for each room, with the name of the event in a field."""

from __future__ import annotations

import logging

__all__ = ["Log"]


class Log:
    """The logger of a room, `currents_export.<room>`.

    Each record has the attributes `event`, a short name that does not change, and `fields`, a dict
    of what belongs to it.

    Args:
        room: the name of the room.
    """

    def __init__(self, room: str) -> None:
        self._logger = logging.getLogger(f"currents_export.{room}")

    @property
    def shows_debug(self) -> bool:
        """Whether debug records are written."""
        return self._logger.isEnabledFor(logging.DEBUG)

    def debug(self, event: str, message: str, *args: object, **fields: object) -> None:
        """Write a debug record."""
        self._write(logging.DEBUG, event, message, args, fields)

    def info(self, event: str, message: str, *args: object, **fields: object) -> None:
        """Write an info record."""
        self._write(logging.INFO, event, message, args, fields)

    def warning(self, event: str, message: str, *args: object, **fields: object) -> None:
        """Write a warning."""
        self._write(logging.WARNING, event, message, args, fields)

    def error(self, event: str, message: str, *args: object, **fields: object) -> None:
        """Write an error."""
        self._write(logging.ERROR, event, message, args, fields)

    def exception(self, event: str, message: str, *args: object, **fields: object) -> None:
        """Write an error with the traceback of the current exception."""
        self._write(logging.ERROR, event, message, args, fields, exc_info=True)

    def _write(
        self,
        level: int,
        event: str,
        message: str,
        args: tuple[object, ...],
        fields: dict[str, object],
        *,
        exc_info: bool = False,
    ) -> None:
        extra = {"event": event, "fields": fields}
        self._logger.log(level, message, *args, exc_info=exc_info, extra=extra, stacklevel=3)

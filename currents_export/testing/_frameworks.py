"""Let web frameworks pass on the exceptions of a view, instead of a response 500."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["propagate_exceptions"]


@contextlib.contextmanager
def propagate_exceptions(app: Any) -> Iterator[None]:
    """Let an application of Flask or Django raise the exceptions of its views meanwhile.

    Frameworks on Starlette do so by themselves. No framework is imported here.
    """
    kinds = {f"{each.__module__}.{each.__qualname__}" for each in type(app).__mro__}
    if "flask.app.Flask" in kinds:
        with _changed(app.config, "PROPAGATE_EXCEPTIONS"):
            yield
    elif "django.core.handlers.base.BaseHandler" in kinds:
        settings = sys.modules["django.conf"].settings
        with _changed(_Attributes(settings), "DEBUG_PROPAGATE_EXCEPTIONS"):
            yield
    else:
        yield


class _Attributes:
    """The attributes of an object, as a mapping."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    def get(self, name: str) -> Any:
        return getattr(self._owner, name, None)

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self._owner, name, value)


@contextlib.contextmanager
def _changed(values: Any, name: str) -> Iterator[None]:
    before = values.get(name)
    values[name] = True
    try:
        yield
    finally:
        values[name] = before

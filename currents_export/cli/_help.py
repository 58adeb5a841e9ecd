"""Options as the help shows them."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

__all__ = ["Command", "Group"]


class Command(TyperCommand):
    """A command whose help shows flags without a type and whole names of variables."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, the help option included."""
        return _shown(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help; the opposites of flags have no column of their own."""
        opposites = [(param, param.secondary_opts) for param in self.params]
        try:
            for param, _ in opposites:
                param.secondary_opts = []
            super().format_help(ctx, formatter)
        finally:
            for param, names in opposites:
                param.secondary_opts = names


class Group(TyperGroup):
    """The same for the group of all commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, the help option included."""
        return _shown(super().get_params(ctx))


def _shown(params: list[Any]) -> list[Any]:
    for param in params:
        if param.param_type_name == "argument":
            param.display_type_rich = lambda ctx: None  # noqa: ARG005 - its name says enough
        if getattr(param, "is_flag", False):
            param.metavar = ""
        # The help would cut the name of a variable that is longer than its column.
        if getattr(param, "envvar", None) and getattr(param, "show_envvar", False):
            param.show_envvar = False
            param.help = f"{param.help} Also read from {param.envvar}."
    return params

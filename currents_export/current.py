"""`Current`: the settings of Braze's form, checked together.

Source: Braze, Set up Currents; RudderStack for Currents; Custom Currents export.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import attrs

from ._form_problems import (
    choose_catalog,
    event_type_problems,
    name_problems,
    transformation_problems,
)
from ._forms import (
    Command,
    command_problems,
    quoted,
    test_current_problems,
    to_command,
)
from .catalog import Catalog
from .destinations import Destination, DestinationFields, Region, about, choose_destination
from .errors import CurrentError
from .payload import Transformation

__all__ = ["Current", "CurrentsExportWarning", "Region"]

#: Whether a Current is being copied or unpickled, which does not repeat its warnings.
_RESTORING: ContextVar[bool] = ContextVar("_RESTORING", default=False)


class CurrentsExportWarning(UserWarning):
    """A Current can be used, but probably contains a mistake."""


def _to_event_types(value: Iterable[str]) -> Any:
    # Text and mappings are iterable too; leave them for validation to report.
    is_list = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    return tuple(value) if is_list else value


def _to_transformations(value: Mapping[str, Transformation | str]) -> Any:
    if not isinstance(value, Mapping):
        return value
    known = {each.value: each for each in Transformation}
    return MappingProxyType(
        {name: known.get(how, how) if isinstance(how, str) else how for name, how in value.items()}
    )


def _to_schema_version(value: int | None) -> Any:
    # Nothing to convert: the newest version is filled in later, since it depends on the catalog
    # directory. The converter tells type checkers that the argument may be None, and the attribute
    # is an int.
    return value


def _to_path(value: Path | str | None) -> Any:
    # A URL may contain a secret. A message redacts it only if it is still text, not a path.
    return Path(value) if isinstance(value, str) and "://" not in value else value


@attrs.frozen(kw_only=True)
class Current(DestinationFields):
    """A Current, with the settings of Braze's form.

    There are two forms: the RudderStack export has `key` and `region`; the Custom Currents export
    has `endpoint` and, optionally, `bearer_token` and `include_anonymous`.

    >>> from currents_export import Current
    >>> current = Current(
    ...     integration_name="Orders",
    ...     contact_email="qa@example.com",
    ...     endpoint="https://collector.example.com/currents",
    ...     bearer_token="t0ken",
    ...     event_types=["users.messages.email.*"],
    ... )
    >>> current.selects("users.messages.email.Open"), current.selects("users.behaviors.Purchase")
    (True, False)

    Attributes:
        integration_name: the name of the Current.
        contact_email: who is notified when it pauses or is disabled.
        key: the webhook URL that RudderStack shows for the Braze source, including the write key.
        region: the RudderStack region, `US` or `EU`.
        endpoint: the URL of a Custom Currents export.
        bearer_token: sent as `Authorization: Bearer` to `endpoint`; none by default.
        include_anonymous: whether events of users without an `external_user_id` are sent to
            `endpoint`. They are filtered by default, and always for RudderStack.
        allow_plain_http: whether plain HTTP is accepted for hosts other than this machine.
        event_types: the selected event types: names, families or globs such as
            `users.messages.email.*`. All by default.
        schema_version: the version of the Currents schema; the newest by default. Event types of
            later versions cannot be selected.
        catalog_dir: a directory of catalog tables to use instead of the packaged ones.
        unknown_event_types: what happens to events of types that the schema version does not have.
            `filter`, the default: they are filtered, as by Braze. `send`: they are sent, whatever
            types are selected; so tests can show what a receiver does with a new type.
        field_transformations: field names to `remove` or `hash`; they apply to every event in
            which the field occurs, and only to text. None by default.
        notice_command: a program and its arguments, as a list or in one text. It is run, without a
            shell, for each notice to the contact email, with the notice's text on standard input.
            None by default.
        test_current: whether it is a Test Current, which sends at most 1,500 events in a day in
            UTC. False by default.
        workspace: the name of a workspace, whose Test Currents share this number in all processes
            of this user. It has at most ten on a day; those with the same name are one. By
            default, each sender or outbox counts by itself.
        workspace_file: the file in which workspaces are counted; by default one in the directory
            for state of this user.
        destination: where the events go; derived.
        catalog: the event types of the schema version; derived.
        selected: the names of the selected event types; derived.

    Raises:
        CurrentError: one or more fields are wrong; all problems are listed together.

    Its repr contains no write key and no token. A Current is immutable and hashable. Making one
    issues a `CurrentsExportWarning` for each of its `warnings`; copying or unpickling one does not.
    """

    integration_name: str = attrs.field(
        metadata=about("Integration name", "The name of the Current.", '"RudderStack"')
    )
    contact_email: str = attrs.field(
        metadata=about(
            "Contact email",
            "Who is notified when the Current pauses or is disabled.",
            '"growth@example.com"',
        )
    )
    event_types: tuple[str, ...] = attrs.field(
        default=("*",),
        converter=_to_event_types,
        metadata=about(
            "Event types",
            "The selected event types: names, families or globs.",
            '["users.messages.email.*", "customer_behavior"]',
        ),
    )
    schema_version: int = attrs.field(
        default=None,
        converter=_to_schema_version,
        metadata=about(
            "Schema version",
            "The version of the Currents schema; the newest by default.",
            lambda: str(Catalog.load().schema_version),
        ),
    )
    catalog_dir: Path | None = attrs.field(
        default=None,
        converter=_to_path,
        metadata=about(
            "Catalog directory",
            "A directory of catalog tables to use instead of the packaged ones.",
            '"tables"',
        ),
    )
    unknown_event_types: str = attrs.field(
        default="filter",
        metadata=about(
            "Unknown event types",
            '"send" sends event types that the schema version does not have; they are filtered by '
            "default.",
            '"send"',
        ),
    )
    field_transformations: Mapping[str, Transformation] = attrs.field(
        factory=dict,
        converter=_to_transformations,
        hash=False,
        metadata=about(
            "Field transformations",
            '"remove" replaces the text of a field with [REDACTED], "hash" with its SHA-256.',
            '{ email_address = "hash" }',
        ),
    )
    notice_command: Sequence[str] = attrs.field(
        default=Command(),
        converter=to_command,
        repr=False,
        metadata=about(
            "Notice command",
            "A program and its arguments; it is run, without a shell, for each notice to the "
            "contact email.",
            '["notify-ops", "--channel", "currents"]',
        ),
    )
    test_current: bool = attrs.field(
        default=False,
        metadata=about(
            "Test Current",
            "A Test Current sends at most 1,500 events in a day in UTC.",
            "true",
        ),
    )
    workspace: str | None = attrs.field(
        default=None,
        metadata=about(
            "Workspace",
            "The name of the workspace whose Test Currents share these 1,500 events.",
            '"staging"',
        ),
    )
    workspace_file: Path | None = attrs.field(
        default=None,
        converter=_to_path,
        metadata=about(
            "Workspace file",
            "The file in which workspaces are counted; one of this user by default.",
            '"workspaces.db"',
        ),
    )
    destination: Destination = attrs.field(init=False, repr=False, eq=False)
    catalog: Catalog = attrs.field(init=False, repr=False, eq=False)
    selected: frozenset[str] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        problems = [*name_problems(self.integration_name, self.contact_email)]
        try:
            self._derive("destination", choose_destination(_destination_values(self)))
        except CurrentError as error:
            problems += error.problems
        catalog, found = choose_catalog(self.schema_version, self.catalog_dir)
        problems += found
        problems += event_type_problems(self.event_types, catalog)
        if self.unknown_event_types not in ("filter", "send"):
            what = quoted(self.unknown_event_types)
            problems.append(("unknown_event_types", f"it is {what}; it must be filter or send"))
        problems += transformation_problems(self.field_transformations, catalog)
        problems += command_problems("notice_command", self.notice_command)
        problems += test_current_problems(self.test_current, self.workspace, self.workspace_file)
        if problems:
            raise CurrentError(problems)
        for name in self.destination.form_fields():
            # Use the destination's defaults and converted values, so that equal Currents compare
            # equal.
            self._derive(name, getattr(self.destination, name))
        self._derive("schema_version", catalog.schema_version)
        self._derive("catalog", catalog)
        types = catalog.select(*self.event_types)
        self._derive("selected", frozenset(each.name for each in types))
        for warning in () if _RESTORING.get() else self.warnings:
            warnings.warn(warning, CurrentsExportWarning, stacklevel=_level_of_caller())

    def _derive(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        # A Current can be copied and pickled, although a mapping proxy cannot.
        values = {
            each.name: getattr(self, each.name) for each in attrs.fields(Current) if each.init
        }
        transformations = dict(self.field_transformations)
        return _restore, (type(self), values | {"field_transformations": transformations})

    def selects(self, event_type: str) -> bool:
        """Return whether the Current sends events of a type."""
        if event_type in self.selected:
            return True
        return self.unknown_event_types == "send" and event_type not in self.catalog

    @property
    def url(self) -> str:
        """The URL of requests, secrets included."""
        return self.destination.url

    @property
    def shown_url(self) -> str:
        """`url` with its secrets redacted, safe for a log."""
        return self.destination.shown_url

    @property
    def warnings(self) -> tuple[str, ...]:
        """Probable mistakes, such as a region that does not match the key's host."""
        return self.destination.warnings

    @classmethod
    def load(
        cls,
        path: Path | str | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        catalog_dir: Path | str | None = None,
    ) -> Self:
        """Return a Current from a TOML file, from the environment, or from both.

        The file's keys are the attributes above. A variable such as `CURRENTS_EXPORT_KEY`
        overrides the file, so that secrets can stay out of it. In a variable, event types are
        separated by commas, and transformations are written `email_address=hash,gender=remove`.
        An empty variable counts as not set.

        `key_file` and `bearer_token_file`, in the file or the environment, name a file that
        contains the secret. Relative paths in the TOML file are relative to its directory.

        >>> environ = {
        ...     "CURRENTS_EXPORT_INTEGRATION_NAME": "Orders",
        ...     "CURRENTS_EXPORT_CONTACT_EMAIL": "qa@example.com",
        ...     "CURRENTS_EXPORT_ENDPOINT": "https://collector.example.com/?token=s3cret",
        ... }
        >>> Current.load(environ=environ).shown_url
        'https://collector.example.com/?token=****'

        Args:
            path: the TOML file; None reads only the environment.
            environ: the variables, by default `os.environ`; `{}` reads only the file.
            catalog_dir: overrides `catalog_dir` in the file and the environment.

        Raises:
            CurrentError: the file cannot be read or parsed, or a field is wrong; all problems
                are listed together, with file and line or the variable's name.
        """
        from . import _config  # noqa: PLC0415 - cattrs is loaded only where it is used

        return _config.load(cls, path, environ=environ, catalog_dir=catalog_dir)


#: The packages whose functions make a Current for a caller, `attrs.evolve` for example.
_NOT_CALLERS = ("currents_export", "attr", "attrs", "cattrs")


def _level_of_caller() -> int:
    """Return the stack level of the calling line outside this package, for a warning."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001 - Python 3.12 has skip_file_prefixes for it
    while frame.f_back is not None and (
        frame.f_code.co_filename.startswith("<")  # methods that attrs and cattrs generate
        or frame.f_globals.get("__name__", "").partition(".")[0] in _NOT_CALLERS
    ):
        level, frame = level + 1, frame.f_back
    return level


def _restore(kind: type[Current], values: dict[str, Any]) -> Current:
    token = _RESTORING.set(True)
    try:
        return kind(**values)
    finally:
        _RESTORING.reset(token)


def _destination_values(current: Current) -> dict[str, Any]:
    return {each.name: getattr(current, each.name) for each in attrs.fields(DestinationFields)}

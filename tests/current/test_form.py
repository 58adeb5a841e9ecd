"""The form fields that no destination has, and the properties of a Current."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import attrs
import pytest

from currents_export.catalog import Catalog
from currents_export.current import Current, Region
from currents_export.errors import CurrentError, CurrentsExportError
from currents_export.payload import Transformation
from tests.support.currents import CUSTOM, NAMES, RUDDERSTACK, form, problems
from tests.support.strategies import Hostile, Unshowable
from tests.support.tables import CopiedTables

NEWEST = Catalog.load()
OLDEST, LAST = NEWEST.versions()[0].number, NEWEST.versions()[-1].number


def test_default_selection() -> None:
    made = form()
    assert made.schema_version == form(schema_version=None).schema_version == LAST
    assert made.selected == set(NEWEST)
    assert made.field_transformations == {}
    assert made.catalog is NEWEST


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "it is missing"),
        ("", "it is empty"),
        (" \t", "it is empty"),
        (5, "it must be text, not int"),
        (["a"], "it must be text, not list"),
    ],
)
def test_name_must_be_text(field: str, value: Any, problem: str) -> None:
    assert problems(**{field: value}) == [(field, problem)]


@pytest.mark.parametrize("email", ["ops", "ops@", "@example.com", "a@b", "a b@c.d", "a@b@c.d"])
def test_contact_must_be_an_email_address(email: str) -> None:
    assert problems(contact_email=email) == [
        ("contact_email", f"{email!r} is not an email address")
    ]


def test_names_families_and_globs() -> None:
    patterns = ("users.messages.email.Open", "user", "*.sms.*")
    made = form(event_types=list(patterns))
    assert made.selected == {each.name for each in NEWEST.select(*patterns)}
    assert made.event_types == patterns


def test_any_iterable_selects_event_types() -> None:
    for given_types in ({"user"}, iter(["user"]), ("user",), frozenset({"user"})):
        assert form(event_types=given_types).event_types == ("user",)


@pytest.mark.parametrize(
    "value", ["*", b"*", 5, None, True, [1], ["*", []], [None], {"*": True}, {}, [["*"]], 1.5]
)
def test_event_types_must_be_a_list(value: Any) -> None:
    assert problems(event_types=value) == [
        ("event_types", "it must be a list of names, families or globs")
    ]


def test_empty_selection_is_refused() -> None:
    assert problems(event_types=[]) == [("event_types", "none is selected; '*' selects all")]


def test_unknown_event_type_has_the_nearest() -> None:
    found = problems(event_types=["users.messages.email.Opne", "user", "nothing.*", ""])
    assert [field for field, _ in found] == ["event_types"] * 3
    assert "did you mean 'users.messages.email.Open'" in found[0][1]
    assert "'nothing.*'" in found[1][1]


def test_later_event_type_names_its_version() -> None:
    since = min(each.since for each in NEWEST.select("agent_console"))
    [(field, message)] = problems(schema_version=1, event_types=["agent_console", "*"])
    assert field == "event_types"
    assert "agent_console" in message
    assert f"schema version {since}" in message


def test_schema_version_limits_the_event_types() -> None:
    assert form(schema_version=1).selected == set(Catalog.load(1)) < set(NEWEST)


@pytest.mark.parametrize(
    "value", ["x", "10", 1.5, 10.0, True, [], {}, Unshowable(), Hostile([])], ids=type
)
def test_schema_version_is_a_whole_number(value: Any) -> None:
    [(field, message)] = problems(schema_version=value)
    assert field == "schema_version"
    assert message.startswith("it must be a whole number, not ")


@pytest.mark.parametrize(
    "value", [OLDEST - 1, LAST + 1, -1, 10**5000], ids=["before", "after", "negative", "long"]
)
def test_schema_version_must_be_known(value: int) -> None:
    [(field, message)] = problems(schema_version=value)
    assert field == "schema_version"
    assert f"{OLDEST} to {LAST}" in message


def test_transformations_are_words_or_members() -> None:
    made = form(field_transformations={"email_address": "hash", "gender": Transformation.REMOVE})
    assert made.field_transformations == {
        "email_address": Transformation.HASH,
        "gender": Transformation.REMOVE,
    }


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"email_adress": "hash"}, "no event has a field 'email_adress'; did you mean 'email_add"),
        ({"price": "hash"}, "price is not text, and only text is transformed"),
        ({"custom_properties": "remove"}, "custom_properties is not text"),
        ({"media_urls": "remove"}, "media_urls is not text"),
        ({"gender": "Hash"}, "the transformation of 'gender' is 'Hash'; it must be remove or hash"),
        ({"gender": None}, "the transformation of 'gender' is None; it must be"),
        ({"gender": ["hash"]}, "the transformation of 'gender' is a list; it must be"),
        ({"gender": {"how": "hash"}}, "the transformation of 'gender' is a dict; it must be"),
        ({5: "hash"}, "no event has a field 5"),
        ({None: "hash"}, "no event has a field None"),
        (["gender"], "it must be a table of field names to remove or hash"),
        ("gender=hash", "it must be a table of field names to remove or hash"),
        (None, "it must be a table of field names to remove or hash"),
    ],
)
def test_impossible_transformation_is_refused(value: Any, problem: str) -> None:
    [(field, message)] = problems(field_transformations=value)
    assert field == "field_transformations"
    assert message.startswith(problem)


def test_later_field_cannot_be_transformed() -> None:
    [(_, message)] = problems(schema_version=9, field_transformations={"combination_token": "hash"})
    assert message == "combination_token was introduced in schema version 10; this is version 9"


@pytest.mark.parametrize(
    ("value", "command"),
    [
        (["notify", "--to", "a b"], ("notify", "--to", "a b")),
        ("notify --to 'a b'", ("notify", "--to", "a b")),
        ([], ()),
        ("", ()),
    ],
)
def test_notice_command(value: Any, command: tuple[str, ...]) -> None:
    assert form(notice_command=value).notice_command == command


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("notify 'a", "as a list of texts"),
        ({"a": 1}, "as a list of texts"),
        (["notify", 5], "must be texts"),
        (["a\0b"], "without NUL"),
        ([" ", "b"], "it names no program"),
    ],
)
def test_unusable_notice_command(value: Any, problem: str) -> None:
    ((field, message),) = problems(notice_command=value)
    assert field == "notice_command"
    assert problem in message


def test_all_problems_at_once() -> None:
    found = problems(
        {},
        integration_name=None,
        contact_email="x",
        key="http://host/",
        endpoint="y",
        region="z",
        bearer_token="",
        include_anonymous="a",
        allow_plain_http=1,
        schema_version=99,
        catalog_dir=5,
        unknown_event_types=5,
        event_types=["a", "b"],
        field_transformations={"c": "hash", "gender": "d"},
        notice_command=5,
        test_current=1,
        workspace=5,
        workspace_file=5,
    )
    fields = [field for field, _ in found]
    assert set(fields) == {field.name for field in attrs.fields(Current) if field.init}
    # Two URLs, of which one is wrong as well; two event types; a field and a transformation.
    for name in ("endpoint", "event_types", "field_transformations"):
        assert fields.count(name) == 2
    assert len(fields) == len(set(fields)) + 3


def test_message_lists_the_problems() -> None:
    with pytest.raises(CurrentError) as caught:
        form(integration_name="", region=None)
    assert str(caught.value) == (
        "the Current has 2 problems:\n"
        "  - integration_name: it is empty\n"
        "  - region: it is missing; it must be US or EU"
    )
    assert isinstance(caught.value, CurrentsExportError)
    assert caught.value.source is None


def test_current_cannot_be_changed() -> None:
    transformations = {"gender": "hash"}
    made: Any = form(field_transformations=transformations)
    with pytest.raises(AttributeError):
        made.region = Region.EU
    with pytest.raises(TypeError):
        made.field_transformations["gender"] = Transformation.REMOVE
    transformations["email_address"] = "hash"
    assert made.field_transformations == {"gender": Transformation.HASH}


def test_equal_currents_hash_alike() -> None:
    one, other = (form(field_transformations={"gender": "hash"}) for _ in range(2))
    assert one == other
    assert len({one, other, form()}) == 2
    assert attrs.evolve(one, region="EU") != one


@pytest.mark.parametrize("base", [RUDDERSTACK, CUSTOM])
def test_current_can_be_copied_and_pickled(base: dict[str, Any], tables: CopiedTables) -> None:
    current = form(
        base, field_transformations={"email_address": "hash"}, catalog_dir=tables.directory
    )
    for copied in (copy.deepcopy(current), pickle.loads(pickle.dumps(current))):
        assert copied == current
        assert hash(copied) == hash(current)
        assert copied.selected == current.selected
        assert copied.destination == current.destination
        assert copied.catalog.directory == current.catalog.directory


# The catalog directory


def test_directory_gives_the_newest_version(tables: CopiedTables) -> None:
    tables.add_version(LAST + 1)
    made = form(catalog_dir=str(tables.directory))
    assert made.catalog_dir == tables.directory
    assert made.schema_version == made.catalog.schema_version == LAST + 1
    assert form(catalog_dir=tables.directory, schema_version=2).catalog.schema_version == 2


def test_versions_of_the_directory_are_named(tables: CopiedTables) -> None:
    tables.add_version(LAST + 1)
    [(field, message)] = problems(catalog_dir=tables.directory, schema_version=LAST + 2)
    assert field == "schema_version"
    assert str(LAST + 1) in message


@pytest.mark.parametrize("value", [5, [], "/no/such/directory", __file__, "a\0b", "x" * 5000])
def test_catalog_directory_must_be_one(value: Any) -> None:
    [(field, _)] = problems(catalog_dir=value)
    assert field == "catalog_dir"


def test_problems_of_the_tables_are_listed(tables: CopiedTables) -> None:
    place = tables.add("event_types.tsv", event_type="users.new.Type", since="soon")
    found = problems(catalog_dir=tables.directory)
    assert {field for field, _ in found} == {"catalog_dir"}
    assert found[0][1].startswith(f"{tables.directory}: {place}: ")


def test_many_table_problems_are_cut(tables: CopiedTables) -> None:
    for number in range(50):
        tables.add("event_types.tsv", event_type=f"users.new.Type{number}", since="soon")
    found = problems(catalog_dir=tables.directory)
    assert len(found) < 50
    assert found[-1][1].startswith("and ")


def test_test_current() -> None:
    assert not form().test_current
    current = form(test_current=True, workspace="staging", workspace_file="w.db")
    assert (current.test_current, current.workspace) == (True, "staging")
    assert current.workspace_file == Path("w.db")


@pytest.mark.parametrize(
    ("values", "field", "problem"),
    [
        ({"test_current": "yes"}, "test_current", "it must be true or false"),
        ({"workspace": "a"}, "workspace", "only Test Currents are counted; set test_current"),
        ({"test_current": True, "workspace": " "}, "workspace", "it is empty"),
        ({"test_current": True, "workspace": "a\nb"}, "workspace", "'a\\nb' is not a name"),
        (
            {"test_current": True, "workspace_file": "w.db"},
            "workspace_file",
            "it is only for a workspace",
        ),
    ],
)
def test_unusable_test_current(values: dict[str, Any], field: str, problem: str) -> None:
    ((found, message),) = problems(**values)
    assert found == field
    assert problem in message


def test_unknown_event_types() -> None:
    assert form().unknown_event_types == "filter"
    assert not form().selects("users.new.Type")
    current = form(event_types=["users.messages.email.*"], unknown_event_types="send")
    assert current.selects("users.new.Type")
    assert current.selects("users.messages.email.Open")
    assert not current.selects("users.behaviors.Purchase")


def test_wrong_unknown_event_types() -> None:
    assert problems(unknown_event_types="drop") == [
        ("unknown_event_types", "it is 'drop'; it must be filter or send")
    ]

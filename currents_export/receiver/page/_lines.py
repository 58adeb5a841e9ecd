"""Write a JSON value as lines to show, with findings at the fields that they are about.

The page shows the texts as they are and never as markup. Lines are made here and not in the
browser, because JavaScript would round large numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ...catalog import Finding
from ._personal import Masks

__all__ = ["MOST_LINES", "findings_of", "json_escaped", "lines_of", "visible"]

#: The most lines of one value, and characters of one string; the raw bytes have all of them.
MOST_LINES, _MOST_CHARACTERS = 2000, 2000
#: How much of a string is searched for personal data, so that none is cut in two.
_SEARCHED = _MOST_CHARACTERS + 300
#: The deepest indent, and the longest path that is kept to find its findings.
_INDENT_LIMIT, _LONGEST_PATH = 24, 1000


def visible(text: str, most: int = 300) -> str:
    """Return a text with invisible characters as escapes, cut short if it is long.

    These characters could change the order of the text around them.
    """
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    if cut.isprintable():
        return cut
    return "".join(each if each.isprintable() else _escape(each) for each in cut)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def json_escaped(text: str, *, keep: str = "") -> str:
    """Return JSON with invisible characters, except those to keep, as escapes of JSON."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in keep else json.dumps(each)[1:-1] for each in text
    )


def findings_of(findings: Sequence[Finding], *, masks: Masks | None) -> list[dict[str, Any]]:
    """Return findings to show; without the problem, which may quote values, if it is masked."""
    return [
        {
            "level": each.level,
            "code": each.code.value,
            "field": visible(each.field),
            "text": each.code.description if masks else visible(each.problem),
            "expected": visible(each.expected),
        }
        for each in findings
    ]


def lines_of(
    value: Any, findings: Sequence[Finding] = (), *, masks: Masks | None = None
) -> list[dict[str, Any]]:
    """Return the lines of a JSON value.

    Each line has a `depth`, the `key` if it has one, the `text` of the value with its `kind`, and
    the `marks`: the findings about it. A field that is missing gets a line of the kind `missing`.

    Args:
        value: the JSON value.
        findings: the conformance findings of the event.
        masks: mask personal data; None to show it.
    """
    marks: dict[str, list[Finding]] = {}
    for each in findings:
        marks.setdefault(each.field, []).append(each)
    lines: list[dict[str, Any]] = []
    for line in _lines(value, masks):
        if len(lines) >= MOST_LINES:
            lines.append({"depth": 0, "text": "the rest is in the raw bytes", "kind": "more"})
            break
        lines.append(line)
    _add_missing(lines, marks, masks)
    for line in lines:
        path = line.pop("path", None)
        if path in marks:
            line["marks"] = findings_of(marks[path], masks=masks)
    return lines


def _add_missing(
    lines: list[dict[str, Any]], marks: dict[str, list[Finding]], masks: Masks | None
) -> None:
    """Add lines for findings about fields that have none, below what contains them."""
    shown = {line.get("path") for line in lines}
    for path, findings in marks.items():
        if path in shown:
            continue
        parent, _, key = path.rpartition(".")
        at = next((at for at, line in enumerate(lines) if line.get("path") == parent), None)
        depth = 1 if at is None else lines[at]["depth"] + 1
        line = {
            "depth": depth,
            "key": visible(key),
            "text": "",
            "kind": "missing",
            "marks": findings_of(findings, masks=masks),
        }
        if at is None or lines[at].get("kind") != "open":
            lines.append(line | {"depth": 0 if at is None else depth})
        else:
            lines.insert(at + 1, line)


def _lines(value: Any, masks: Masks | None) -> Iterator[dict[str, Any]]:
    # A stack, because values can nest deeper than the recursion limit.
    waiting: list[tuple[Any, ...]] = [("value", value, 0, None, "", False, True)]
    while waiting:
        what, each, depth, key, path, personal, is_last = waiting.pop()
        comma = "" if is_last else ","
        shown_depth = min(depth, _INDENT_LIMIT)
        if what == "close":
            yield {"depth": shown_depth, "text": f"{each}{comma}", "kind": "close"}
            continue
        line: dict[str, Any] = {"depth": shown_depth, "path": path}
        name = key if isinstance(key, str) else ""
        if isinstance(key, str):
            line["key"] = _quoted(key, masks)
        personal = personal or (masks is not None and masks.is_personal(path, name))
        if isinstance(each, dict | list) and each:
            begin, end = ("{", "}") if isinstance(each, dict) else ("[", "]")
            yield line | {"text": begin, "kind": "open"}
            waiting.append(("close", end, depth, None, "", False, is_last))
            members = list(each.items() if isinstance(each, dict) else enumerate(each))
            # More than these are never shown.
            members = members[: MOST_LINES + 1]
            for at, (inner, content) in reversed(list(enumerate(members))):
                waiting.append(
                    (
                        "value",
                        content,
                        depth + 1,
                        inner,
                        _path(path, inner),
                        personal,
                        at == len(members) - 1,
                    )
                )
            continue
        text, kind = _scalar(each, masks, personal=personal)
        yield line | {"text": f"{text}{comma}", "kind": kind}


def _path(parent: str | None, key: str | int) -> str | None:
    """Return the path of a member; None if it is too long for one of the catalog's fields."""
    if (
        parent is None
        or len(parent) > _LONGEST_PATH
        or (isinstance(key, str) and len(key) > _LONGEST_PATH)
    ):
        return None
    if isinstance(key, int):
        return f"{parent}[{key}]"
    return f"{parent}.{key}" if parent else key


def _quoted(text: str, masks: Masks | None) -> str:
    rest = len(text) - _MOST_CHARACTERS
    if masks is not None:
        text = masks.text(text[:_SEARCHED])
    # `ensure_ascii` would make texts in other scripts unreadable.
    written = json.dumps(text[:_MOST_CHARACTERS], ensure_ascii=False)
    written = json_escaped(written)
    return f"{written}… and {rest:,} more characters" if rest > 0 else written


def _scalar(value: Any, masks: Masks | None, *, personal: bool) -> tuple[str, str]:
    if isinstance(value, dict | list):
        return ("{}" if isinstance(value, dict) else "[]"), "empty"
    if value is None:
        return "null", "null"
    if isinstance(value, bool):
        return ("true" if value else "false"), "boolean"
    if personal and masks is not None and value != "":
        return masks.tag(str(value)), "masked"
    if isinstance(value, str):
        return _quoted(value, masks), "string"
    return visible(json.dumps(value), _MOST_CHARACTERS), "number"

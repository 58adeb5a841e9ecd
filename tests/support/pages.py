"""Read HTML pages as a browser does, as far as tests need it."""

from __future__ import annotations

from html.parser import HTMLParser

import attrs

__all__ = ["Element", "Page"]

_VOID = frozenset({"meta", "link", "input", "br", "path", "circle", "line", "rect", "polyline"})


@attrs.define
class Element:
    """An element: its name, attributes, and the text in it."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    inside: tuple[str, ...] = ()


class Page(HTMLParser):
    """The elements of a page, in order.

    Attributes:
        elements: the elements.
        unclosed: the names of elements that do not end, or end where they should not.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.unclosed: list[str] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        self.unclosed += [each.name for each in self._open]

    def all(self, name: str, **attributes: str) -> list[Element]:
        """Return the elements with a name and with attributes; `class_` must be among classes."""
        return [
            each
            for each in self.elements
            if each.name == name
            and all(
                value in each.attributes.get("class", "").split()
                if key == "class_"
                else each.attributes.get(key) == value
                for key, value in attributes.items()
            )
        ]

    @property
    def text(self) -> str:
        """The text of the page, without its style and script."""
        return "".join(each.text for each in self.all("main"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        inside = tuple(each.name for each in self._open)
        made = Element(tag, {name: value or "" for name, value in attributes}, inside=inside)
        self.elements.append(made)
        if tag not in _VOID:
            self._open.append(made)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attributes}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].name != tag:
            self.unclosed.append(tag)
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for each in self._open:
            each.text += data

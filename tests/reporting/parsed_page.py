"""What is in a page, as a parser of HTML sees it, and the checks that every page must pass."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import final

VOID = {"meta", "img", "br", "hr", "input", "link", "base"}
FORBIDDEN = {
    "link",
    "base",
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "audio",
    "video",
    "source",
    "svg",
    "picture",
    "frame",
}
ATTRIBUTES = {
    "lang", "dir", "charset", "http-equiv", "content", "name", "class", "href", "id", "aria-label", "aria-labelledby",
    "aria-sort", "tabindex", "role", "src", "alt", "width", "height", "scope", "colspan", "type", "title",
    "data-value", "data-first", "data-kind", "data-spoken",
}  # fmt: skip
LOADING = (
    "url(",
    "@import",
    "fetch",
    "XMLHttpRequest",
    "import(",
    "WebSocket",
    "EventSource",
    "sendBeacon",
    "eval",
    "innerHTML",
)
HIDDEN = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


@final
@dataclass
class Element:
    """A tag with its attributes and all text in it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    inside: list["Element"] = field(default_factory=list)

    def all(self, tag: str) -> list["Element"]:
        found = [one for one in self.inside if one.tag == tag]
        return [*found, *(deep for one in self.inside for deep in one.all(tag))] if tag else []

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


@final
class Page(HTMLParser):
    """Reads a page; raises AssertionError where a tag is not closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = text
        self.root = Element("", {})
        self.elements: list[Element] = []
        self._open = [self.root]
        self.feed(text)
        self.close()
        assert self._open == [self.root], f"never closed: {[one.tag for one in self._open[1:]]}"

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in <{tag} {attrs}>"
        one = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inside.append(one)
        self.elements.append(one)
        if tag not in VOID:
            self._open.append(one)

    def handle_endtag(self, tag):
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data):
        for one in self._open:
            one.text += data

    def all(self, tag: str) -> list[Element]:
        return [one for one in self.elements if one.tag == tag]

    @property
    def sortable(self) -> Element:
        """The table of all metrics on screen."""
        (found,) = (one for one in self.all("table") if "sortable" in one.attributes.get("class", ""))
        return found


def check(text: str) -> Page:
    """All that is always to hold: well-formed, nothing from outside, pictures in the page, only our style and script."""
    page = Page(text)
    tags = {one.tag for one in page.elements}
    assert not tags & FORBIDDEN, tags & FORBIDDEN
    for one in page.elements:
        assert set(one.attributes) <= ATTRIBUTES, (one.tag, set(one.attributes) - ATTRIBUTES)
        assert one.tag != "img" or re.fullmatch(
            r"data:image/(png|jpeg|svg\+xml);base64,[A-Za-z0-9+/]+=*", one.attributes["src"]
        ), one.attributes["src"][:80]
        assert one.tag != "img" or one.attributes["alt"], "a picture without an alternative"
        assert "src" not in one.attributes or one.tag == "img", one
    ids = [one.attributes["id"] for one in page.elements if "id" in one.attributes]
    assert len(set(ids)) == len(ids), ids
    for one in page.all("a"):
        assert one.attributes["href"].startswith("#") and one.attributes["href"][1:] in ids, one.attributes
    ours = [one.text for one in (*page.all("style"), *page.all("script"))]
    assert len(ours) == 2, "one style, one script"
    for code in ours:
        assert not [word for word in LOADING if word in code] and "//" not in code.replace("// ", ""), code
    _check_policy(page)
    assert not HIDDEN.search(text), HIDDEN.search(text)
    return page


def _check_policy(page: Page) -> None:
    (policy,) = (one.attributes["content"] for one in page.all("meta") if one.attributes.get("http-equiv"))
    said = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    hashes = {
        one.tag: "'sha256-" + base64.b64encode(hashlib.sha256(one.text.encode()).digest()).decode() + "'"
        for one in (*page.all("style"), *page.all("script"))
    }
    assert said == {
        "default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'",
        "style-src": hashes["style"], "script-src": hashes["script"],
    }  # fmt: skip

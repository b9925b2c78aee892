"""Names stay names in Markdown and in the terminal: no tag, link or code is made of them, and nothing moves the cursor."""

import io
import re

import pytest
from markdown_it import MarkdownIt
from reporting.test_page_safety import HOSTILE, everywhere
from rich.console import Console

from taskweave.reporting.formats import markdown_text, to_markdown, visible
from taskweave.reporting.tables import table_of
from taskweave.reporting.terminal import to_rich

IN_MARKDOWN = [
    *HOSTILE, "[x](javascript:alert(1))", "![x](https://evil.example/x.png)", "[x]: https://evil.example", "[x][y]",
    "*a* _b_ **c** __d__ ~~e~~ `f` $g$", "a \\| b | c \\", "<https://evil.example>", "snake_case_name &lt;",
]  # fmt: skip


def read(text: str) -> tuple[list[str], set[str]]:
    """What a reader of the Markdown sees, one piece of running text after the other; and what of it is not text."""
    pieces, others = [], set()
    for block in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        if block.type == "inline":
            children = [one for one in block.children or () if not re.fullmatch("</?sup>", one.content)]
            pieces.append("".join(one.content for one in children))
            others |= {one.type for one in children}
        elif block.type in ("html_block", "code_block", "fence"):
            others.add(block.type)
    return pieces, others - {"text", "text_special"}


@pytest.mark.parametrize("bad", IN_MARKDOWN)
def test_markdown_shows_names_as_they_are(bad: str) -> None:
    table = table_of(everywhere(bad))
    pieces, others = read(to_markdown(table))
    assert others == set()
    expected = {" ".join(visible(name).split()) for name in (line.method for line in table.lines if not line.note)}
    assert expected <= set(pieces)
    assert {" ".join(visible(text).split()) for text in (*table.remarks, table.title)} <= set(pieces)
    heads = len(table.columns) + 2
    rows = [line for line in to_markdown(table).splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows} == {heads + 1}, "no cell is split"


def test_the_check_of_markdown_can_fail() -> None:
    for bad, kind in (("x <b>", "html_inline"), ("[a](b)", "link_open"), ("*a*", "em_open"), ("`a`", "code_inline")):
        assert kind in read(f"- {bad}")[1]
        assert read(f"- {markdown_text(bad)}") == ([bad], set())


def test_a_terminal_is_not_steered_by_names() -> None:
    bad = "\x1b[31mred\x1b]0;title\x07\r\x08 \u202e[bold]x[/bold]"
    console = Console(width=300, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(to_rich(table_of(everywhere(bad))))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    left = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", left)
    assert "\x1b[31mred" not in text
    assert r"\u001b[31mred" in left and "[bold]x[/bold]" in left, "shown, not read"

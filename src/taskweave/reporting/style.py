"""How charts tell methods apart: colours for every eye, and dashes and markers beside them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

Dashes = Literal["-", "--", ":", "-."]

BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
PURPLE: Final = "#CC79A7"
SKY: Final = "#56B4E9"
BLACK: Final = "#000000"
GREY: Final = "#999999"
"""For what others are compared with; not in the palette of lines."""
COLOURS: Final = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK)
"""Okabe and Ito, "Color universal design" (2008): told apart with every kind of colour vision. Their yellow, which is hard
to see on white, is left out."""
SEQUENTIAL: Final = "viridis"
"""Of heat maps: even steps for every kind of colour vision, and dark to light where there is no colour."""
_DASHES: tuple[Dashes, ...] = ("-", "--", "-.", ":")
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">")


class Style(NamedTuple):
    """How a label's lines look, as matplotlib says it. order: counts the labels; markers of neighbours do not coincide."""

    colour: str
    dashes: Dashes
    marker: str
    order: int = 0


def styles_of(labels: Sequence[str]) -> dict[str, Style]:
    """A style for every label: no two of the first 36 differ in their colour alone."""
    return {
        label: Style(COLOURS[i % len(COLOURS)], _DASHES[i % len(_DASHES)], MARKERS[i % len(MARKERS)], i)
        for i, label in enumerate(labels)
    }


def shown(text: str, width: int = 30, *, lines: int = 3) -> str:
    """A name as charts write it: printable, broken into at most `lines` lines of `width` letters, the rest as "…"."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    broken = textwrap.wrap(plain, width, max_lines=lines, placeholder="…", break_long_words=True)
    return "\n".join(broken)

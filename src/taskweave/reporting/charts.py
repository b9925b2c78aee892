"""What all charts share: colours, lines, legends, plain text, and two files of each."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple, final

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import Formatter, LogFormatter

from taskweave.files import write_together, writing

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
    """How a label's lines look, in matplotlib's terms.

    Args:
        order: Number of the label; it shifts the markers so that those of neighbouring labels do not coincide.
    """

    colour: str
    dashes: Dashes
    marker: str
    order: int = 0

    @property
    def said(self) -> dict[str, Any]:
        """As options of a line."""
        return {"color": self.colour, "linestyle": self.dashes, "marker": self.marker}


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


_LETTER, _HANDLE = 0.075, 0.6
"""Inches of a letter of a legend, and of the line, the marker and the gaps before it."""
_LINE = 0.18
"""Inches of a line of a legend."""
_MARKS = 6
"""Markers of a line, about."""
_DOTS: Final = 120
"""Dots per inch of PNGs."""


def draw_line(axes: Axes, x: Sequence[float], y: Sequence[float], style: Style, *, steps: bool = False) -> None:
    """Draw one line with a few markers.

    Args:
        steps: Hold each height until the next point.
    """
    held = "steps-post" if steps else "default"
    every = max(1, len(x) // _MARKS)
    where = (style.order * every // _MARKS % every, every)
    axes.plot(x, y, **style.said, markersize=4, markevery=where, linewidth=1.3, drawstyle=held)


def draw_band(axes: Axes, x: Sequence[float], low: Sequence[float], high: Sequence[float], style: Style) -> None:
    """A range around a line, in its colour."""
    axes.fill_between(x, low, high, color=style.colour, alpha=0.15, linewidth=0)


def figure_with_legend(
    size: tuple[float, float], labels: Sequence[str], *, styles: Mapping[str, Style] | None = None
) -> tuple[Figure, dict[str, Style]]:
    """Return an empty figure with a legend of all labels below it, and each label's line style.

    A label has the same colour, dashes and marker in all panels.

    Args:
        size: Width and height in inches, without the legend.
        styles: Styles to use instead of the default ones.
    """
    styles = dict(styles or styles_of(labels))
    written = [shown(label) for label in labels]
    pieces = [text.splitlines() or [""] for text in written]
    longest = max((len(line) for lines in pieces for line in lines), default=0)
    across = max(1, min(len(labels), int(size[0] // (_HANDLE + _LETTER * longest))))
    columns = np.array_split([len(lines) for lines in pieces], across)
    below = _LINE * max(int(column.sum()) for column in columns) + 0.2
    figure = Figure(figsize=(size[0], size[1] + below), layout="constrained")
    lines = [Line2D([], [], linewidth=1.3, markersize=4, **style.said) for style in styles.values()]
    figure.legend(
        lines, written, loc="outside lower center", ncols=across, fontsize="small", frameon=False, handlelength=3.0
    )
    return figure, styles


def grid_of(count: int, *, across: int = 4) -> tuple[int, int]:
    """(rows, columns) of so many panels, at most `across` beside each other."""
    across = min(across, count)
    return -(-count // across), across


def tidy_axes(axes: Axes) -> None:
    """Two spines and a faint grid behind the lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)


def save_figure(figure: Figure, path: Path) -> Path:
    """Save a chart as a PNG and as an SVG beside it: both, or neither.

    The SVG is identical every time. Text is drawn as it is, never as mathematics.

    Args:
        path: Where the PNG is written.

    Returns:
        `path`.

    Raises:
        ValueError: `path` does not end in .png.
        OSError: A file cannot be written.
    """
    if path.suffix != ".png":
        raise ValueError(f"a chart is saved as NAME.png, with NAME.svg beside it; got {path.name!r}")
    _write_plainly(figure)
    write_together(
        {path: lambda file: _draw(figure, file, "png"), path.with_suffix(".svg"): lambda file: _draw(figure, file, "svg")}
    )
    return path


def save_picture(figure: Figure, path: Path) -> Path:
    """Save a figure that shows pictures of the data, as a PNG only, atomically.

    Returns:
        `path`.
    """
    _write_plainly(figure)
    with writing(path) as file:
        _draw(figure, file, "png")
    return path


def _draw(figure: Figure, file: IO[bytes], kind: str) -> None:
    # names of methods and classes are text, also with "$" in them; SVGs hold text as text and are the same every time
    with rc_context({"text.parse_math": False, "svg.fonttype": "none", "svg.hashsalt": "taskweave"}):
        figure.savefig(file, format=kind, dpi=_DOTS, metadata={"Date": None} if kind == "svg" else None)


def _write_plainly(figure: Figure) -> None:
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_parse_math(False)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            _plain_logarithms(axis)


def _plain_logarithms(axis: Axis) -> None:
    """0.01 in place of a power of ten set as mathematics."""
    major, minor = axis.get_major_formatter(), axis.get_minor_formatter()
    if isinstance(major, LogFormatter):
        axis.set_major_formatter(_PlainNumbers(major))
    if isinstance(minor, LogFormatter):
        axis.set_minor_formatter(_PlainNumbers(minor))


@final
class _PlainNumbers(Formatter):
    """Writes plain numbers wherever another formatter writes anything."""

    def __init__(self, chosen: Formatter) -> None:
        self.chosen = chosen

    def set_axis(self, axis: object) -> None:
        super().set_axis(axis)  # type: ignore[arg-type]
        self.chosen.set_axis(axis)  # type: ignore[arg-type]

    def set_locs(self, locs: list[float]) -> None:
        self.chosen.set_locs(locs)

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if self.chosen(x, pos) else ""

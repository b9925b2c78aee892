"""The charts and pictures of a page: their captions, and their files as addresses in it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple, final
from xml.etree import ElementTree

from markupsafe import Markup
from PIL import Image, UnidentifiedImageError

from taskweave.results.comparison import ComparisonResult
from taskweave.results.folder import CHARTS, PICTURES


class Caption(NamedTuple):
    """The words for a picture.

    Args:
        title: What is drawn.
        question: The question it answers, shown below the picture.
    """

    title: str
    question: str


CAPTIONS: Final = {
    "gains": Caption("Relative gain", "Which method gains most over the baseline, all tasks taken together?"),
    "metrics": Caption("Every metric", "What does each method score in each metric, and where does it lose?"),
    "sweep": Caption("Sweep", "How does the outcome depend on the setting that was varied?"),
    "class-gains": Caption("Gain by class", "Do classes with few labels gain more than those with many?"),
    "sharing-map": Caption("Map of sharing", "Between which streams, at which places and in which direction is shared?"),
    "alphas": Caption("Weights of the units, sorted", "How much does each stream take from itself and from the other?"),
    "transfer-gaps": Caption(
        "Negative transfer: gaps", "Which task falls behind its single-task training, and from when on?"
    ),
    "transfer-cosines": Caption(
        "Negative transfer: gradients", "Where do the gradients of two tasks point apart, and when?"
    ),
    "losses": Caption("Losses while training", "Do trainings converge, and does any task stall or diverge?"),
    "validation": Caption("Metrics while training", "Does a method still improve on held-out pictures, or overfit?"),
    "weights": Caption("Weights of the losses", "How much does each task count while training?"),
    "faces": Caption("Ages and genders", "Are predictions distributed as the labels are?"),
}
"""By the beginning of the file's name, up to a hyphen; in the order of a page."""
CURVES: Final = Caption("Curves of the detector", "What does a detector miss, at which price in false alarms?")
"""Of ``<column>-curves``."""


def caption_of(name: str) -> Caption:
    """The caption of a chart file (its name without the ending), with what its name says beyond the kind of chart."""
    kind = _kind(name)
    if kind is not None:
        caption, rest = CAPTIONS[kind], name.removeprefix(kind)
    elif name.endswith("-curves"):
        caption, rest = CURVES, name.removesuffix("-curves")
    else:
        return Caption(_in_words(name), "")
    words = _in_words(rest) if rest else ""
    return caption._replace(title=f"{caption.title}: {words}") if words else caption


def place_of(name: str) -> tuple[int, str]:
    """What charts are ordered by: those of results first, curves and those that are not known here last."""
    kind = _kind(name)
    return (len(CAPTIONS) if kind is None else list(CAPTIONS).index(kind)), name


def _kind(name: str) -> str | None:
    return next((kind for kind in CAPTIONS if name == kind or name.startswith(f"{kind}-")), None)


def _in_words(name: str) -> str:
    """ "masks-and-boxes" -> "masks and boxes"."""
    return " ".join(name.replace("-", " ").replace("_", " ").split()) or name


SMALLER = 1100
"""Width in pixels of pictures that are shrunk for the page's sake."""
_QUALITY = 82
_SVG = "{http://www.w3.org/2000/svg}svg"
_PIXELS_PER_UNIT = {"pt": 96 / 72, "px": 1.0, "": 1.0}


@final
@dataclass(frozen=True)
class Embedded:
    """A picture embedded in a page.

    Args:
        name: The file's name without its extension.
        content: The file's bytes.
        kind: Media type.
        width: In CSS pixels.
        height: In CSS pixels.
    """

    name: str
    content: bytes
    kind: str
    width: int
    height: int

    @property
    def uri(self) -> str:
        return f"data:{self.kind};base64,{base64.b64encode(self.content).decode()}"

    @property
    def size(self) -> int:
        """Bytes in the page."""
        return len(f"data:{self.kind};base64,") + 4 * -(-len(self.content) // 3)


def embed_all(folder: Path) -> tuple[tuple[Embedded, ...], tuple[str, ...]]:
    """Every NAME.svg and NAME.png of a folder once, by name, and the names of the files that are no pictures.

    Of the two the SVG is taken, which stays sharp, unless it is the larger file. No folder: no pictures.
    """
    names = sorted({path.stem for ending in ("svg", "png") for path in folder.glob(f"*.{ending}")})
    found = {name: embed(folder, name) for name in names}
    return tuple(one for one in found.values() if one is not None), tuple(n for n, one in found.items() if one is None)


def embed(folder: Path, name: str) -> Embedded | None:
    """One picture, from NAME.svg or NAME.png; None where neither is a whole picture."""
    # not with_suffix: names may have dots in them
    svg, png = _read_svg(name, folder / f"{name}.svg"), _read_png(name, folder / f"{name}.png")
    if svg is None or png is None:
        return svg or png
    if len(svg.content) <= len(png.content):
        return svg
    return replace(png, width=svg.width, height=svg.height)


def fit(pictures: Sequence[Embedded], room: int) -> tuple[list[Embedded], list[str], list[str]]:
    """As many as go into `room` bytes of a page: all as they are, else all shrunk, else the first ones of those.

    Returns:
        Them; the names of those that were made smaller; the names of those left out.
    """
    if sum(picture.size for picture in pictures) <= room:
        return list(pictures), [], []
    kept: list[Embedded] = []
    shrunk: list[str] = []
    left_out: list[str] = []
    for picture in pictures:
        smaller = _shrunk(picture)
        if smaller.size > room:
            left_out.append(picture.name)
            continue
        room -= smaller.size
        kept.append(smaller)
        if smaller is not picture:
            shrunk.append(picture.name)
    return kept, shrunk, left_out


def _shrunk(picture: Embedded) -> Embedded:
    """The picture as a JPEG of at most SMALLER pixels across, where that is less."""
    if picture.kind != "image/png":
        return picture
    image = Image.open(io.BytesIO(picture.content)).convert("RGB")
    if image.width > SMALLER:
        image = image.resize((SMALLER, max(1, round(image.height * SMALLER / image.width))), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    smaller = replace(picture, content=file.getvalue(), kind="image/jpeg", width=image.width, height=image.height)
    return smaller if smaller.size < picture.size else picture


def _read_png(name: str, path: Path) -> Embedded | None:
    content = path.read_bytes() if path.is_file() else b""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            image.load()
            return Embedded(name, content, "image/png", *image.size)
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        return None


def _read_svg(name: str, path: Path) -> Embedded | None:
    content = path.read_bytes() if path.is_file() else b""
    try:
        root = ElementTree.fromstring(content)
        width, height = (_pixels(root.attrib[side]) for side in ("width", "height"))
    except (ElementTree.ParseError, KeyError, ValueError):
        return None
    return Embedded(name, content, "image/svg+xml", width, height) if root.tag == _SVG else None


def _pixels(length: str) -> int:
    number = length.rstrip("abcdefghijklmnopqrstuvwxyz%")
    return round(float(number) * _PIXELS_PER_UNIT[length[len(number) :]])


GAINS = "gains"
"""The chart that belongs to the table of gains."""
_WIDE, _STRIP = 760, 4.0
"""Pixels across that want a page's whole width; how many times wider than high a chart must be scrolled to be read."""


@final
@dataclass(frozen=True)
class Figure:
    """A picture with its words.

    Args:
        uri: The picture as a data URI in base64, which needs no escaping.
    """

    name: str
    title: str
    question: str
    alt: str
    uri: Markup
    width: int
    height: int

    @property
    def shape(self) -> str:
        """How much room it wants: "strip" is scrolled everywhere, "wide" on small screens, so that neither is tiny."""
        if self.width > _STRIP * self.height:
            return "strip"
        return "wide" if self.width > _WIDE else "narrow"


@final
@dataclass(frozen=True)
class Figures:
    """All pictures of a page.

    Args:
        private: Whether they show data that may not be published.
        remarks: What differs from the folder's pictures.
    """

    gains: tuple[Figure, ...]
    charts: tuple[Figure, ...]
    pictures: tuple[Figure, ...]
    private: bool
    remarks: tuple[str, ...]


def figures_of(result: ComparisonResult, folder: Path, *, images: bool, room: int) -> Figures:
    """Charts, and pictures unless `images` is False, in at most `room` bytes of a page; pictures give way first."""
    all_charts, faulty = embed_all(folder / CHARTS)
    all_pictures, faulty_pictures = embed_all(folder / PICTURES)
    charts, shrunk, left_out = fit(all_charts, room)
    pictures, *beside = fit(all_pictures if images else (), room - sum(chart.size for chart in charts))
    told = (
        ("Made smaller to keep the page small", shrunk + beside[0]),
        ("Left out to keep the page small; they are in the comparison's folder", left_out + beside[1]),
        ("Left out because their files are no whole pictures", faulty + (faulty_pictures if images else ())),
    )
    remarks = [] if images or not all_pictures else ["Pictures of data are left out, as was asked for."]
    figures = [_chart(chart, result) for chart in sorted(charts, key=lambda one: place_of(one.name))]
    return Figures(
        gains=tuple(figure for figure in figures if figure.name == GAINS),
        charts=tuple(figure for figure in figures if figure.name != GAINS),
        pictures=tuple(_picture(one) for one in pictures),
        private=bool(pictures) and not may_be_published(result),
        remarks=(*remarks, *(f"{what}: {', '.join(names)}." for what, names in told if names)),
    )


def may_be_published(result: ComparisonResult) -> bool:
    """Whether pictures may be shown to others: those of all its data. Where nothing is said, the answer is no."""
    return bool(result.may_be_published) and all(result.may_be_published.values())


def _chart(chart: Embedded, result: ComparisonResult) -> Figure:
    title, question = caption_of(chart.name)
    alt = f"Chart: {title.lower()} of {', '.join(result.methods)}. The numbers are in this page's tables."
    return Figure(chart.name, title, question, alt, Markup(chart.uri), chart.width, chart.height)


def _picture(one: Embedded) -> Figure:
    title = _in_words(one.name)
    alt = f"Pictures: {title}; input, target and each method's prediction side by side."
    return Figure(one.name, title, "", alt, Markup(one.uri), one.width, one.height)

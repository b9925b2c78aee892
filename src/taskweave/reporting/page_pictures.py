"""The charts and pictures of a comparison's folder, with their captions, as many as a page has room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from markupsafe import Markup

from taskweave.experiments.artifacts.publishing import may_be_published
from taskweave.reporting.captions import caption_of, in_words, place_of
from taskweave.reporting.embedding import Embedded, embed_all, fit
from taskweave.results.comparison import ComparisonResult
from taskweave.results.folder import CHARTS, PICTURES

GAINS = "gains"
"""The chart that belongs to the table of gains."""
_ONCE_AMONG_PICTURES = {"gains", "metrics", "losses", "weights"}
"""Charts that earlier versions wrote among the pictures; pictures of data have no such names: theirs begin with a task."""
_WIDE, _STRIP = 760, 4.0
"""Pixels across that want a page's whole width; how many times wider than high a chart must be scrolled to be read."""


@final
@dataclass(frozen=True)
class Figure:
    """A picture with its words. uri: the whole picture."""

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
    """All of a page's. private: they show data that may not be published.  remarks: what is not as in the folder."""

    gains: tuple[Figure, ...]
    charts: tuple[Figure, ...]
    pictures: tuple[Figure, ...]
    private: bool
    remarks: tuple[str, ...]


def figures_of(result: ComparisonResult, folder: Path, *, images: bool, room: int) -> Figures:
    """Charts, and pictures unless `images` is False, in at most `room` bytes of a page; pictures give way first."""
    charts, faulty = embed_all(folder / CHARTS)
    pictures, faulty_pictures = embed_all(folder / PICTURES)
    drawn = {chart.name for chart in charts}
    early = [one for one in pictures if one.name in _ONCE_AMONG_PICTURES]
    charts = (*charts, *(one for one in early if one.name not in drawn))
    shown = [one for one in pictures if one not in early] if images else []
    faulty += faulty_pictures if images else ()
    kept = fit(charts, room)
    beside = fit(shown, room - sum(chart.size for chart in kept.pictures))
    figures = [_chart(chart, result) for chart in sorted(kept.pictures, key=lambda one: place_of(one.name))]
    remarks = [] if images or len(early) == len(pictures) else ["Pictures of data are left out, as was asked for."]
    remarks += _remarks((*kept.shrunk, *beside.shrunk), (*kept.left_out, *beside.left_out), faulty)
    return Figures(
        gains=tuple(figure for figure in figures if figure.name == GAINS),
        charts=tuple(figure for figure in figures if figure.name != GAINS),
        pictures=tuple(_picture(one) for one in beside.pictures),
        private=bool(beside.pictures) and not may_be_published(result),
        remarks=tuple(remarks),
    )


def _remarks(shrunk: Sequence[str], left_out: Sequence[str], faulty: Sequence[str]) -> list[str]:
    told = (
        ("Made smaller to keep the page small", shrunk),
        ("Left out to keep the page small; they are in the comparison's folder", left_out),
        ("Left out because their files are no whole pictures", faulty),
    )
    return [f"{what}: {', '.join(names)}." for what, names in told if names]


def _chart(chart: Embedded, result: ComparisonResult) -> Figure:
    caption = caption_of(chart.name)
    alt = f"Chart: {caption.title.lower()} of {', '.join(result.methods)}. The numbers are in this page's tables."
    return _figure(chart, caption.title, caption.question, alt)


def _picture(picture: Embedded) -> Figure:
    title = in_words(picture.name)
    return _figure(picture, title, "", f"Pictures: {title}; input, target and each method's prediction side by side.")


def _figure(of: Embedded, title: str, question: str, alt: str) -> Figure:
    # base64 and a fixed media type: nothing in it wants escaping, and it is long
    return Figure(of.name, title, question, alt, Markup(of.uri), of.width, of.height)

"""What makes a layout known to an inspection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from taskweave.data.dataset import LabelledSet


@final
@dataclass(frozen=True)
class View:
    """One way to open a split.

    open: takes the labels to read.
    labels: all that are stored there. What is computed from another label is left out.
    classes: which set of classes, where a split is labelled with several; the first view of a split shows all targets, the
        others their segmentation only.
    """

    split: str
    open: Callable[[Sequence[str]], LabelledSet]
    labels: tuple[str, ...] = ()
    classes: int | None = None


@final
@dataclass(frozen=True)
class Layout:
    """A layout that a reader of ours reads.

    name: for people.
    reader: the function in ``tw.data``, and what recipes `use`.
    needs: patterns below the folder that must each match something; "|" separates alternatives.
    views: the splits that are there.
    lacks: patterns that must match nothing: what tells it from another layout.
    uses: other names at the top of the folder that the reader knows.
    indoor: whether pictures are lit by lamps, so that red is above blue.
    listed: whether files say which pictures belong to a split.
    among_others: whether the folder of pictures holds those of other tasks, too, which these lists do not name.
    told: what such a folder says of itself; raises as the reader does.
    """

    name: str
    reader: str
    needs: tuple[str, ...]
    views: Callable[[Path], list[View]]
    lacks: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    indoor: bool = False
    listed: bool = False
    among_others: bool = False
    told: Callable[[Path], list[str]] | None = None

    def missing(self, path: Path) -> tuple[str, ...]:
        """What keeps `path` from being in this layout; () where it is."""
        absent = tuple(need for need in self.needs if not matches(path, need))
        return absent + tuple(f"no {pattern}" for pattern in self.lacks if matches(path, pattern))

    @property
    def known_names(self) -> set[str]:
        """The first part of every pattern: names at the top of the folder."""
        patterns = [option for need in self.needs for option in need.split("|")]
        return {pattern.split("/")[0] for pattern in (*patterns, *self.uses)}


def matches(path: Path, need: str) -> bool:
    """Whether something below `path` matches one of the alternatives of `need`."""
    return any(next(path.glob(pattern), None) is not None for pattern in need.split("|"))

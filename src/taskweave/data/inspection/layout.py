"""What makes a layout known to an inspection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

from taskweave.data.dataset import LabelledSet


@final
@dataclass(frozen=True)
class View:
    """One way to open a split: with `labels`, all that are stored there and not computed from another.

    classes: which set of classes, where a split is labelled with several: of all views but the first of a split only the
        segmentation is shown.
    """

    split: str
    open: Callable[[Sequence[str]], LabelledSet]
    labels: tuple[str, ...] = ()
    classes: int | None = None


@final
@dataclass(frozen=True)
class Layout:
    """A layout that a reader of ours reads.

    name: for people. reader: the function in ``tw.data``, and what recipes `use`.
    needs: patterns below the folder that must each match something; "|" separates alternatives.
    lacks: patterns that must match nothing. uses: other names at the top of the folder that the reader knows.
    indoor: whether pictures are lit by lamps, so that red is above blue. listed: whether files say what belongs to a split.
    among_others: whether the folder of pictures holds some that these lists do not name, for other tasks.
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


def view(opener: Callable[..., LabelledSet], part: str, labels: tuple[str, ...], **options: Any) -> View:
    """A view of a part by one of our readers, with its options."""
    return View(part, partial(_restricted, opener, part, options), labels, options.get("classes"))


def _restricted(
    opener: Callable[..., LabelledSet], part: str, options: dict[str, Any], labels: Sequence[str]
) -> LabelledSet:
    return opener(part, **options).only(labels)


def views_of(
    opener: Callable[..., LabelledSet], labels: tuple[str, ...], parts: Mapping[str, str], **options: Any
) -> Callable[[Path], list[View]]:
    """From a folder to views of those of the parts whose need is met. parts: {part: its need}."""

    def views(path: Path) -> list[View]:
        there = [part for part, need in parts.items() if matches(path, need)]
        return [view(opener, part, labels, path=path, **options) for part in there]

    return views

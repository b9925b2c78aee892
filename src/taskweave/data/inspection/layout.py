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
    """One way to open a split.

    Args:
        labels: All labels that are stored there and not computed from others.
        classes: Which set of classes, if a split is labelled with several. Of every view of a split but the first, only the
            segmentation is shown.
    """

    split: str
    open: Callable[[Sequence[str]], LabelledSet]
    labels: tuple[str, ...] = ()
    classes: int | None = None


@final
@dataclass(frozen=True)
class Layout:
    """A folder layout that one of our readers reads.

    Args:
        name: A readable name.
        reader: The function in ``tw.data``, and the name that recipes `use`.
        needs: Patterns below the folder that must each match something; "|" separates alternatives.
        lacks: Patterns that must match nothing.
        uses: Other names at the top of the folder that the reader knows.
        indoor: Whether pictures are taken under lamplight, so that red is stronger than blue.
        listed: Whether files list the samples of each split.
        among_others: Whether the folder of pictures also holds pictures for other tasks, which these lists do not name.
        told: Returns what such a folder states about itself; raises what the reader raises.
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
    """Return a function from a folder to the views of the parts found in it.

    Args:
        parts: {part: the pattern that must match in the folder}.
    """

    def views(path: Path) -> list[View]:
        there = [part for part, need in parts.items() if matches(path, need)]
        return [view(opener, part, labels, path=path, **options) for part in there]

    return views

"""Samples that have numbers: the scenes of neighbours, and trees such as image/{i}, label/{i}, depth/{i}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from taskweave.data.readers.fileset import Complete, Field, FileSet, Item, Read, with_files

LONGEST = 20


def scenes_of_neighbours(numbers: Sequence[int], *, longest: int = LONGEST) -> tuple[str, ...]:
    """A scene's name for each frame number: frames whose numbers follow each other without a gap are one scene.

    NYUv2 numbers its pictures scene by scene, so frames of one scene are neighbours; a gap in an official split is where
    scenes of the other part lie. Two scenes may be joined by this, which only makes the held-out part coarser. A run is cut
    after `longest` frames, since a layout that renumbers its files has one run only: at such a cut, and only there, a scene
    may be in both parts. `nyu_depth_v2_labeled.mat` names its scenes and needs none of this.
    """
    names: list[str] = []
    start = length = 0
    for position, number in enumerate(numbers):
        follows = position > 0 and number == numbers[position - 1] + 1
        start, length = (start, length + 1) if follows and length < longest else (number, 1)
        names.append(f"from {start:04d}")
    return tuple(names)


@final
@dataclass(frozen=True)
class Numbered:
    """One part of such a tree.

    folder: holds image/ and a folder for each label.  kinds: {label: its folder}.  suffix: of every file.
    """

    folder: Path
    kinds: Mapping[str, str]
    suffix: str

    def opened(
        self,
        readers: Mapping[str, Read],
        *,
        labels: Sequence[str],
        classes: Sequence[str],
        complete: Complete | None = None,
    ) -> FileSet:
        """The part as a data set; its scenes are runs of 20 neighbours, since nothing says where a scene ends."""
        images = self.folder / "image"
        numbers = sorted(_numbers(images, self.suffix))
        folders = {"image": "image", **self.kinds}
        items = []
        for number, scene in zip(numbers, scenes_of_neighbours(numbers), strict=True):
            file = f"{number}{self.suffix}"
            fields = {name: Field(self.folder / kind / file, readers[name]) for name, kind in folders.items()}
            items.append(Item(str(number), scene, fields, str(images / file)))
        return FileSet(items, labels=labels, classes=classes, where=str(images), complete=complete or self)

    def __call__(self, items: Sequence[Item], labels: Sequence[str]) -> Sequence[Item]:
        """`items`; ValueError where a label has other numbers: an archive that was unpacked in part, or two mixed."""
        numbers = {int(item.key) for item in items}
        for kind in (self.kinds[label] for label in labels):
            found = _numbers(self.folder / kind, self.suffix)
            if found == numbers:
                continue
            alone = sorted(found ^ numbers)
            where = self.folder / (kind if alone[0] in found else "image") / f"{alone[0]}{self.suffix}"
            raise ValueError(
                f"{self.folder / 'image'} has {len(numbers)} files {{i}}{self.suffix} and {self.folder / kind} has "
                f"{len(found)}: expected the same numbers in both; {where} has no counterpart, as {len(alone)} in all; "
                "unpack the archive again, or remove what has no counterpart"
            )
        return with_files(items, labels)


def _numbers(folder: Path, suffix: str) -> set[int]:
    return {int(file.stem) for file in folder.glob(f"*{suffix}") if file.stem.isdecimal()}

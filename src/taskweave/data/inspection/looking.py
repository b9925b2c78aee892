"""Opens the splits of a layout and reads some of their pictures."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final

from taskweave.data.dataset import LabelledSet
from taskweave.data.inspection.facts import Facts, stored_values
from taskweave.data.inspection.layout import Layout, View
from taskweave.data.inspection.result import SplitFacts, Warned
from taskweave.data.inspection.traps import Trap, traps_for
from taskweave.data.readers.boxes.boxes_set import BoxSet
from taskweave.data.readers.fileset import FileSet
from taskweave.progress import Progress

WRONG = (ValueError, OSError, ImportError, KeyError)
"""What readers raise for data that are not as they should be."""


@final
class Look:
    """Opens views of a layout one after the other and keeps what it finds.

    samples: pictures of each split to read, evenly spaced; 0 for all.
    splits: what was found, by split. whole: the splits that could be opened. warned, notes: what to tell.
    """

    def __init__(self, layout: Layout, samples: int, progress: Progress) -> None:
        self.layout = layout
        self.samples = samples
        self.progress = progress
        self.splits: dict[str, SplitFacts] = {}
        self.whole: dict[str, LabelledSet] = {}
        self.warned: list[Warned] = []
        self.notes: list[str] = []

    def at(self, view: View) -> None:
        """Open the view and read its pictures; where its split is known already, for its segmentation only."""
        opened = self._open(view)
        further = view.split in self.splits
        facts: dict[str, Facts] = {}
        traps = [] if further else traps_for(self.layout)
        looked_at = 0
        for dataset in opened:
            looked_at = self._read(dataset, view.split, facts, traps, only_segmentation=further)
        self.warned += [Warned(trap.kind, view.split, text) for trap in traps if (text := trap.found()) is not None]
        targets = tuple(one.done() for one in facts.values())
        if further:
            known = self.splits[view.split]
            targets = (*known.targets, *(one for one in targets if one.target not in {old.target for old in known.targets}))
            looked_at = max(looked_at, known.looked_at)
        self.splits[view.split] = SplitFacts(view.split, len(opened[0]) if opened else None, looked_at, targets)
        if opened:
            self.whole.setdefault(view.split, opened[0])

    def _open(self, view: View) -> list[LabelledSet]:
        """The split with all labels; where that is refused, once with each label that can be read."""
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                opened = [view.open(view.labels)]
            except WRONG as error:
                listed = self.layout.listed and not isinstance(error, ImportError)
                self.warned.append(Warned("list mismatch" if listed else "cannot be opened", view.split, str(error)))
                opened = list(_each_alone(view))
        self.notes += [f"{view.split}: {one.message}" for one in said]
        return opened

    def _read(
        self, dataset: LabelledSet, split: str, facts: dict[str, Facts], traps: list[Trap], *, only_segmentation: bool
    ) -> int:
        """Read some samples into `facts`; how many."""
        indices, broken = spread(len(dataset), self.samples), []
        self.progress.begin(f"{self.layout.name}, {split}", len(indices))
        for index in indices:
            contents, error = contents_of(dataset, index)
            broken += [error] if error else []
            for target, (stored, value) in contents.items():
                if only_segmentation and target != "segmentation":
                    continue
                named = dataset.classes if target == "segmentation" else dataset.categories.get(target, dataset.objects)
                number = len(named)
                name = f"{target}, {number} classes" if target == "segmentation" else target
                facts.setdefault(name, Facts(name, number)).add(stored, value)
                for trap in traps:
                    trap.look(target, stored, value)
            self.progress.advance(1)
        self.progress.end()
        if broken:
            text = f"{len(broken)} of the {len(indices)} pictures that were looked at; the first: {broken[0]}"
            self.warned.append(Warned("cannot be read", split, text))
        return len(indices)


def _each_alone(view: View) -> Iterator[LabelledSet]:
    for label in view.labels if len(view.labels) > 1 else ():
        try:
            yield view.open((label,))
        except WRONG:
            continue  # the message is that of all labels, or of the same cause


def spread(count: int, samples: int) -> list[int]:
    """`samples` indices of 0..count - 1, evenly spaced, the first and the last among them; all for 0."""
    if samples == 0 or samples >= count:
        return list(range(count))
    return [round(place * (count - 1) / max(1, samples - 1)) for place in range(samples)]


Contents = dict[str, tuple[Any | None, Any | None]]
"""{target: (the numbers in its file, what the reader made of them)}."""


def contents_of(dataset: LabelledSet, index: int) -> tuple[Contents, str]:
    """What is in one sample and what is wrong with it, "" where nothing is."""
    files: Mapping[str, Path] = dataset.files(index) if isinstance(dataset, FileSet | BoxSet) else {}
    sample: Mapping[str, Any] = {}
    wrong = ""
    try:
        sample = dataset[index]
    except WRONG as error:
        wrong = str(error)
    contents = {}
    for target in ("image", *dataset.labels):
        stored = stored_values(files[target]) if target in files else None
        if stored is not None or target in sample:
            contents[target] = (stored, sample.get(target))
    return contents, wrong

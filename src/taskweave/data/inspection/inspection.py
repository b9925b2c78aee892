"""Looks at a folder: which layout it is in, what is in it, and what is wrong with that."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import Any, final

from taskweave.data.dataset import LabelledSet
from taskweave.data.inspection.box_layouts import BOX_LAYOUTS, STORE_LAYOUTS, WHOLE_LAYOUTS
from taskweave.data.inspection.dense_layouts import DENSE_LAYOUTS
from taskweave.data.inspection.facts import (
    Facts,
    Inspection,
    LayoutFacts,
    Nearly,
    SplitFacts,
    Warned,
    holds_one,
    stored_values,
)
from taskweave.data.inspection.layout import Layout, View
from taskweave.data.inspection.traps import Trap, traps_for
from taskweave.data.readers.fileset import ListedSet
from taskweave.progress import Progress, Silent

WRONG = (ValueError, OSError, ImportError, KeyError)
"""What readers raise for data that are not as they should be."""


@final
class Look:
    """Opens views of a layout one after the other, and keeps what was found, could be opened whole, and is to be told."""

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
        with warnings.catch_warnings(record=True, action="always") as said:
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
    files: Mapping[str, Path] = dataset.files(index) if isinstance(dataset, ListedSet) else {}
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


MOST_COMPARED = 5000
"""Pictures of a split up to which contents are compared; beyond, names only."""
_PIECE = 1 << 15


def image_files(dataset: LabelledSet) -> list[Path]:
    """Each sample's image file; [] for a data set that is not read from files."""
    if not isinstance(dataset, ListedSet):
        return []
    return [dataset.files(index)["image"] for index in range(len(dataset))]


def overlaps(splits: Mapping[str, LabelledSet]) -> list[Warned]:
    """A warning for each pair of splits that share pictures: the same file, or files with the same content."""
    files = {split: image_files(dataset) for split, dataset in splits.items()}
    by_content = all(len(each) <= MOST_COMPARED and all(map(holds_one, each)) for each in files.values())
    known = {split: _pictures(dataset, files[split], by_content=by_content) for split, dataset in splits.items()}
    warned = []
    for first, second in combinations(known, 2):
        shared = sorted(known[first].keys() & known[second].keys())
        if shared:
            examples = ", ".join(f"{known[first][one]} = {known[second][one]}" for one in shared[:3])
            text = (
                f"{len(shared)} pictures are in {first!r} and in {second!r}, e.g. {examples}: a test on what was trained "
                "on says nothing; remove them from one"
            )
            warned.append(Warned("train/test overlap", "", text))
    return warned


def _pictures(dataset: LabelledSet, files: list[Path], *, by_content: bool) -> dict[str, str]:
    """{what tells a picture from others: its key}: its file's content; or, as some are many or share a file, names."""
    keys = [dataset.key(index) for index in range(len(files))]
    named = zip(files, keys, strict=True)
    return {(_fingerprint(file) if by_content else None) or f"{file} {key}": key for file, key in named}


def _fingerprint(file: Path) -> str:
    """Of its length, beginning and end: equal for equal files, and for hardly any others; "" for an unreadable one."""
    with suppress(OSError), file.open("rb") as opened:  # what cannot be read is told elsewhere
        length = file.stat().st_size
        digest = hashlib.blake2b(f"{length}".encode(), digest_size=12)
        digest.update(opened.read(_PIECE))
        if length > _PIECE:
            opened.seek(max(_PIECE, length - _PIECE))
            digest.update(opened.read(_PIECE))
        return digest.hexdigest()
    return ""


def unlisted(splits: Mapping[str, LabelledSet]) -> list[Warned]:
    """A warning where folders of listed pictures hold some that no list names."""
    listed = {file for dataset in splits.values() for file in image_files(dataset)}
    suffixes = {file.suffix for file in listed}
    there = {file for folder in {file.parent for file in listed} for file in folder.iterdir() if file.suffix in suffixes}
    alone = sorted(there - listed)
    if not alone or suffixes == {".mat"}:
        return []
    text = (
        f"{len(alone)} of {len(there)} pictures are named by no list, e.g. {alone[0]}: lists and files may be of different "
        "releases; compare them"
    )
    return [Warned("list mismatch", "", text)]


LAYOUTS: tuple[Layout, ...] = (*DENSE_LAYOUTS, *BOX_LAYOUTS, *WHOLE_LAYOUTS, *STORE_LAYOUTS)


def inspect(path: Path, *, samples: int = 20, progress: Progress | None = None) -> Inspection:
    """Everything that can be said of the folder `path` (or of a .mat file in it) without training on it.

    Args:
        samples: Pictures of each split to read, evenly spaced; 0 for all. Counts, lists and overlaps are always of all.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    path = Path(path)
    if path.is_file() and path.suffix == ".mat":
        path = path.parent
    if not path.is_dir():
        found = "is a file" if path.exists() else "does not exist"
        raise FileNotFoundError(f"{path} {found}: expected a folder of data; give the one that the archive was unpacked to")
    if samples < 0:
        raise ValueError(f"samples is how many pictures of a split to read, 0 for all; got {samples}")
    layouts = [layout for layout in LAYOUTS if not layout.missing(path)]
    facts = tuple(_inspected(layout, path, samples, progress or Silent()) for layout in layouts)
    names = sorted(file.name for file in path.iterdir())
    if facts:
        known = [pattern for layout in layouts for pattern in layout.known_names]
        unknown = tuple(name for name in names if not any(Path(name).match(pattern) for pattern in known))
        return Inspection(str(path), facts, unknown, (), {})
    return Inspection(str(path), (), tuple(names), _nearly(path), _inside(path))


def _inspected(layout: Layout, path: Path, samples: int, progress: Progress) -> LayoutFacts:
    """All views of a layout, and what shows only when splits are seen together."""
    look = Look(layout, samples, progress)
    try:
        views = layout.views(path)
        if not views:
            raise ValueError(f"{path} has no split that can be read: expected a train part and a test part with labels")
        for view in sorted(views, key=lambda one: "train" not in one.split):
            look.at(view)
        look.notes += layout.told(path) if layout.told else []
    except WRONG as error:
        look.warned.append(Warned("cannot be opened", "", str(error)))
    if layout.listed and not layout.among_others and look.whole and len(look.whole) == len(look.splits):
        look.warned += unlisted(look.whole)
    look.warned += overlaps(look.whole)
    splits, warned, notes = tuple(look.splits.values()), tuple(look.warned), tuple(dict.fromkeys(look.notes))
    return LayoutFacts(layout.name, layout.reader, splits, warned, notes)


def _nearly(path: Path) -> tuple[Nearly, ...]:
    """Layouts of which some part is there, the most complete first."""
    found = []
    for layout in LAYOUTS:
        lacks = layout.missing(path)
        has = tuple(need for need in layout.needs if need not in lacks)
        if has:
            found.append(Nearly(layout.name, has, lacks))
    return tuple(sorted(found, key=lambda one: len(one.lacks) / len(one.has)))


def _inside(path: Path) -> dict[str, tuple[str, ...]]:
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir())[:50]
    known = {folder.name: tuple(one.name for one in LAYOUTS if not one.missing(folder)) for folder in folders}
    return {name: layouts for name, layouts in known.items() if layouts}

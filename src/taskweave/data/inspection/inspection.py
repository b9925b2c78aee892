"""Looks at a folder: which layout it is in, what is in it, and what is wrong with that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from taskweave.data.dataset import LabelledSet
from taskweave.data.inspection.box_layouts import BOX_LAYOUTS, WHOLE_LAYOUTS
from taskweave.data.inspection.dense_layouts import DENSE_LAYOUTS
from taskweave.data.inspection.facts import holds_one
from taskweave.data.inspection.layout import Layout
from taskweave.data.inspection.looking import WRONG, Look
from taskweave.data.inspection.result import Inspection, LayoutFacts, Nearly, Warned
from taskweave.data.inspection.store_layout import STORE_LAYOUTS
from taskweave.data.readers.boxes.boxes_set import BoxSet
from taskweave.data.readers.fileset import FileSet
from taskweave.progress import Progress, Silent

MOST_COMPARED = 5000
"""Pictures of a split up to which contents are compared; beyond, names only."""
_PIECE = 1 << 15


def image_files(dataset: LabelledSet) -> list[Path]:
    """Each sample's image file; [] for a data set that is not read from files."""
    if not isinstance(dataset, FileSet | BoxSet):
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
    return {_told_by(file, key, by_content=by_content): key for file, key in zip(files, keys, strict=True)}


def _told_by(file: Path, key: str, *, by_content: bool) -> str:
    try:
        return _fingerprint(file) if by_content else f"{file} {key}"
    except OSError:  # what cannot be read is told elsewhere
        return f"{file} {key}"


def _fingerprint(file: Path) -> str:
    """Of its length, beginning and end: equal for equal files, and for hardly any others."""
    with file.open("rb") as opened:
        length = file.stat().st_size
        digest = hashlib.blake2b(f"{length}".encode(), digest_size=12)
        digest.update(opened.read(_PIECE))
        if length > _PIECE:
            opened.seek(max(_PIECE, length - _PIECE))
            digest.update(opened.read(_PIECE))
    return digest.hexdigest()


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
_FOLDERS = 50


def inspect(path: Path, *, samples: int = 20, progress: Progress | None = None) -> Inspection:
    """Everything that can be said of the folder `path` (or of a .mat file in it) without training on it.

    samples: pictures of each split to read, evenly spaced; 0 for all. Counts, lists and overlaps are always of all.
    Raises FileNotFoundError where there is no such folder, ValueError for fewer samples than 0.
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
        return Inspection(str(path), facts, _unknown(names, layouts), (), {})
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


def _unknown(names: Sequence[str], layouts: Sequence[Layout]) -> tuple[str, ...]:
    """Names at the top that no layout uses."""
    known = [name for layout in layouts for name in layout.known_names]
    return tuple(name for name in names if not any(Path(name).match(pattern) for pattern in known))


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
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir())[:_FOLDERS]
    known = {folder.name: tuple(one.name for one in LAYOUTS if not one.missing(folder)) for folder in folders}
    return {name: layouts for name, layouts in known.items() if layouts}

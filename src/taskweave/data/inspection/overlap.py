"""Whether pictures are in two splits, or in none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

from taskweave.data.dataset import LabelledSet
from taskweave.data.inspection.facts import holds_one
from taskweave.data.inspection.result import Warned
from taskweave.data.readers.boxes.boxes_set import BoxSet
from taskweave.data.readers.fileset import FileSet

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

"""UTKFace (Zhang, Song, Qi 2017): cropped faces whose age and gender are in the file name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taskweave.data.facts import Folder, SetFacts, TestShare
from taskweave.data.readers.faults import Dropped
from taskweave.data.readers.files import read_picture
from taskweave.data.readers.fileset import Field, FileSet, Item, require_folder
from taskweave.data.readers.whole_images.faces import AGE, AGES, FACE_LABELS, GENDER, GENDERS, face_facts
from taskweave.data.splits import held_out
from taskweave.parts import states

_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_(\d{17})\.jpg\.chip\.jpg")
_PICTURES = (".jpg", ".jpeg", ".png")


def _facts(options: Mapping[str, Any]) -> SetFacts:
    return face_facts("UTKFace")


@states(facts=_facts)
def utkface(part: str, *, path: Folder, split_seed: int = 0, test_share: TestShare = 0.2) -> FileSet:
    """UTKFace's cropped faces, ``path/[age]_[gender]_[race]_[stamp].jpg.chip.jpg``, 200 x 200.

    ``age`` 0..99, ``gender`` 0 female, 1 male. Pictures whose name is not of that form (the release has some: no race, a
    missing dot, a space; or they are no faces of this set at all) and those of persons over 99 are left out and counted in
    a warning; other files are not looked at. The race in the name is not a label here.

    The release has no split and does not say who is in a picture: ours is **not** disjoint by person. It is drawn over the
    stamps, the time of collection: pictures with one stamp, crops of one photograph among them, stay together, and the
    stamp is the scene.

    Args:
        part: "train", "test" or "all".
        path: The folder.
        split_seed: Draws the test part.
        test_share: Share of the stamps in the test part.

    Raises:
        ValueError: No name is of that form.
    """
    path = Path(path)
    if part not in ("train", "test", "all"):
        raise ValueError(f"UTKFace has no part {part!r}: expected 'train', 'test' or 'all'")
    require_folder(path, "UTKFace's pictures, [age]_[gender]_[race]_[stamp].jpg.chip.jpg")
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _PICTURES)
    dropped = Dropped(str(path), len(files))
    items = [item for file in files if (item := _item(file, dropped)) is not None]
    if not items:
        raise ValueError(
            f"{path} has {len(files)} pictures and none is named [age]_[gender]_[race]_[stamp].jpg.chip.jpg with an age up "
            f"to {AGES - 1}: give the folder of UTKFace's cropped faces"
        )
    dropped.warn()
    if part != "all":
        test = held_out([item.scene for item in items], test_share, seed=split_seed)
        items = [item for item in items if (item.scene in test) == (part == "test")]
    return FileSet(items, labels=FACE_LABELS, classes=(), categories={GENDER: GENDERS}, where=f"{path} ({part})")


def _item(file: Path, dropped: Dropped) -> Item | None:
    found = _NAME.fullmatch(file.name)
    if found is None:
        dropped.note("not named [age]_[gender]_[race]_[stamp].jpg.chip.jpg", file.name)
        return None
    age, gender, _, stamp = found.groups()
    if int(age) >= AGES:
        dropped.note(f"older than {AGES - 1}", file.name)
        return None
    values = {AGE: int(age), GENDER: 1 - int(gender)}
    return Item(file.name.removesuffix(".jpg.chip.jpg"), stamp, {"image": Field(file, read_picture)}, str(file), values)

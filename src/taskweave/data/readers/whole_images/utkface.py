"""UTKFace (Zhang, Song, Qi 2017): cropped faces whose age and gender are in the file name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from taskweave.data.dropped import Dropped
from taskweave.data.generated.drawn import held_out
from taskweave.data.readers.files import read_picture
from taskweave.data.readers.fileset import Field, FileSet, Item, require_folder, require_labels
from taskweave.data.readers.whole_images.faces import AGE, AGES, FACE_LABELS, GENDER, GENDERS

_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_(\d{17})\.jpg\.chip\.jpg")
_PICTURES = (".jpg", ".jpeg", ".png")


def open_utkface(
    path: Path,
    *,
    split: str,
    seed: int = 0,
    test_share: float = 0.2,
    labels: Sequence[str] = FACE_LABELS,
) -> FileSet:
    """``path/[age]_[gender]_[race]_[stamp].jpg.chip.jpg``, 200 x 200. ``age`` 0..99, ``gender`` 0 female, 1 male.

    Pictures whose name is not of that form (the release has some: no race, a missing dot, a space; or they are no faces of
    this set at all) and those of persons over 99 are left out and counted in a warning; other files are not looked at. The
    race in the name is not a label here.

    split: ``train``, ``test`` or ``all``. The release has none, and does not say who is in a picture: ours is **not**
        disjoint by person. It is drawn by `seed` over the stamps, the time of collection: pictures with one stamp, crops of
        one photograph among them, stay together, and the stamp is the scene.
    test_share: share of the stamps in ``test``.
    Raises ValueError where no name is of that form.
    """
    path = Path(path)
    labels = require_labels(labels, FACE_LABELS, "UTKFace")
    if split not in ("train", "test", "all"):
        raise ValueError(f"UTKFace has no split {split!r}: expected 'train', 'test' or 'all'")
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
    if split != "all":
        test = held_out([item.scene for item in items], test_share, seed=seed)
        items = [item for item in items if (item.scene in test) == (split == "test")]
    return FileSet(items, labels=labels, classes=(), categories={GENDER: GENDERS}, where=f"{path} ({split})")


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

"""IMDB-WIKI (Rothe, Timofte, Van Gool 2015): cropped faces, with dates of birth and years of photographs in .mat files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from taskweave.data.dropped import Dropped
from taskweave.data.generated.drawn import held_out
from taskweave.data.readers.files import read_picture
from taskweave.data.readers.fileset import Field, FileSet, Item, require_files, require_folder, require_labels
from taskweave.data.readers.whole_images.faces import AGE, AGES, FACE_LABELS, GENDER, GENDERS
from taskweave.data.readers.whole_images.imdb_wiki_mat import Face, read_faces

SOURCES = ("imdb", "wiki")
NDDR_SHARE = 2000 / 12325
"""Share of the subjects that NDDR-CNN tests on."""
_BEFORE_YEAR_1 = 366
"""Days by which MATLAB's numbers of days (1 = 1 January of the year 0) are ahead of Python's ordinals."""


def open_imdb_wiki(
    path: Path,
    *,
    split: str,
    seed: int = 0,
    test_share: float = NDDR_SHARE,
    least_score: float = 1.0,
    labels: Sequence[str] = FACE_LABELS,
) -> FileSet:
    """``path/imdb_crop/{imdb.mat, NN/*.jpg}`` and ``path/wiki_crop/{wiki.mat, NN/*.jpg}``, one or both.

    ``gender`` 0 female, 1 male; ``age`` the full years on 1 July of the year the photograph was taken, as the authors
    count them. Left out and counted in a warning: images with no face or one that scores below `least_score`, with a second
    face, with no gender (NaN), with an age outside 0..99, with no name.

    split: ``train``, ``test`` or ``all``. The release has none: ours is drawn by `seed` over the subjects, whose share
        `test_share` is in ``test``. A subject is a name (in any case), in both sources the same: nobody is in both parts.
        The scene is the subject.

    least_score: the papers do not say; 1.0 is a sure face. Raises ValueError with file and entry for what cannot be read,
    FileNotFoundError for an image that is named and not there.
    """
    path = Path(path)
    labels = require_labels(labels, FACE_LABELS, "IMDB-WIKI")
    if split not in ("train", "test", "all"):
        raise ValueError(f"IMDB-WIKI has no split {split!r}: expected 'train', 'test' or 'all'")
    require_folder(path, "imdb_crop/ or wiki_crop/, each with its .mat file")
    items = [item for source in SOURCES if (path / f"{source}_crop").is_dir() for item in _items(path, source, least_score)]
    if not items:
        raise ValueError(f"{path} has no face to use: expected imdb_crop/imdb.mat or wiki_crop/wiki.mat with their images")
    require_files(items, ())
    if split != "all":
        test = held_out([item.scene for item in items], test_share, seed=seed)
        items = [item for item in items if (item.scene in test) == (split == "test")]
    return FileSet(items, labels=labels, classes=(), categories={GENDER: GENDERS}, where=f"{path} ({split})")


def _items(path: Path, source: str, least_score: float) -> list[Item]:
    folder = path / f"{source}_crop"
    listed = folder / f"{source}.mat"
    faces = read_faces(listed, source)
    dropped = Dropped(str(listed), len(faces))
    items = []
    for number, face in enumerate(faces, start=1):
        age = age_of(face.birth, face.year)
        if unfit := _unfit(face, age, least_score):
            reason, value = unfit
            dropped.note(reason, f"entry {number}, {face.file}: {value}")
            continue
        assert age is not None
        image = Field(folder / face.file, read_picture)
        values = {AGE: age, GENDER: int(face.gender)}
        items.append(
            Item(f"{source}/{face.file}", subject_of(face.name), {"image": image}, f"{listed}, entry {number}", values)
        )
    dropped.warn()
    return items


def _unfit(face: Face, age: int | None, least_score: float) -> tuple[str, str] | None:
    """Why a face is left out, and the value that says so. Scores are -inf where no face was found."""
    if not face.score >= least_score:
        return f"with no face of score {least_score:g} or more", f"{face.score:g}"
    if not math.isnan(face.second_score):
        return "with a second face", f"{face.second_score:g}"
    if face.gender not in (0.0, 1.0):
        return "with no gender", f"{face.gender:g}"
    if age is None or not 0 <= age < AGES:
        return f"with an age outside 0..{AGES - 1}", f"born on day {face.birth:g}, taken in {face.year:g}, age {age}"
    if not subject_of(face.name):
        return "with no name", repr(face.name)
    return None


def age_of(birth: float, year: float) -> int | None:
    """Full years on 1 July of `year` for somebody born on MATLAB's day `birth`; None for what is no date."""
    ordinal = birth - _BEFORE_YEAR_1
    if not (math.isfinite(birth) and math.isfinite(year) and 1 <= ordinal < date.max.toordinal()):
        return None
    born = date.fromordinal(int(ordinal))
    return int(year) - born.year - ((born.month, born.day) > (7, 1))


def subject_of(name: str) -> str:
    """Spellings of a name that differ in case and spaces only are one subject."""
    return " ".join(name.casefold().split())

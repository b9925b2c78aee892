"""Cropped faces with age and gender: IMDB-WIKI (Rothe et al. 2015) and UTKFace (Zhang et al. 2017)."""

from __future__ import annotations

import math
import re
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from taskweave.data.facts import Folder, SetFacts, TestShare
from taskweave.data.readers.arrays import mat_structure
from taskweave.data.readers.faults import Dropped
from taskweave.data.readers.files import read_picture, require_folder
from taskweave.data.readers.fileset import Field, FileSet, Item, with_files
from taskweave.data.splits import held_out
from taskweave.parts import states

AGE, GENDER = "age", "gender"
FACE_LABELS = (AGE, GENDER)
_PARTS = ("train", "test", "all")
AGES = 100
"""Ages are 0..99 (NDDR-CNN's 100-way cross-entropy); older persons, rare and often mislabelled, are left out."""
GENDERS = ("female", "male")
"""In the order of our ids in every data set: 0 and 1 as IMDB-WIKI has them. UTKFace's names have male 0, female 1."""


def face_facts(title: str) -> SetFacts:
    """What data sets of faces state. Pictures of them are of real persons and are not for publication."""
    return SetFacts(title, FACE_LABELS, categories={GENDER: GENDERS}, size=(200, 200))


def _opened(items: list[Item], part: str, *, seed: int, share: float, where: Path) -> FileSet:
    """The items of a part, drawn over the scenes."""
    if part != "all":
        test = held_out([item.scene for item in items], share, seed=seed)
        items = [item for item in items if (item.scene in test) == (part == "test")]
    return FileSet(items, labels=FACE_LABELS, classes=(), categories={GENDER: GENDERS}, where=f"{where} ({part})")


_NUMBERS = ("dob", "photo_taken", "gender", "face_score", "second_face_score")
_TEXTS = ("full_path", "name")


class Face(NamedTuple):
    """One image as its file describes it.

    Args:
        birth: Date of birth as MATLAB's serial day number.
        year: Year of the photograph.
        gender: 0 female, 1 male, NaN unknown.
        score: Detection score of the face; -inf without a face.
        second_score: Score of a second face; NaN without one.
        file: Path below the folder.
    """

    birth: float
    year: float
    gender: float
    score: float
    second_score: float
    file: str
    name: str


def read_faces(path: Path, source: str) -> list[Face]:
    """The entries of the structure `source` (``imdb`` or ``wiki``). ValueError for fields of different length."""
    structure = mat_structure(path, source, (*_NUMBERS, *_TEXTS))
    columns: dict[str, list[Any]] = {
        **{name: np.asarray(structure[name], dtype=np.float64).ravel().tolist() for name in _NUMBERS},
        **{name: [_text(cell) for cell in structure[name].ravel()] for name in _TEXTS},
    }
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{path} has fields of different length, {lengths}: expected one entry for each image; restore it")
    return [Face(*row) for row in zip(*columns.values(), strict=True)]


def _text(cell: Any) -> str:
    """MATLAB's cells hold arrays: of one text, or empty ones."""
    values = np.asarray(cell).ravel()
    return str(values[0]) if values.size else ""


SOURCES = ("imdb", "wiki")
NDDR_SHARE = 2000 / 12325
"""Share of the subjects that NDDR-CNN tests on."""
_BEFORE_YEAR_1 = 366
"""Days by which MATLAB's numbers of days (1 = 1 January of the year 0) are ahead of Python's ordinals."""


@states(facts=face_facts("IMDB-WIKI"))
def imdb_wiki(
    part: str, *, path: Folder, split_seed: int = 0, test_share: TestShare = NDDR_SHARE, least_score: float = 1.0
) -> FileSet:
    """IMDB-WIKI: ``path/imdb_crop/{imdb.mat, NN/*.jpg}`` and ``path/wiki_crop/{wiki.mat, NN/*.jpg}``, one or both.

    ``gender`` 0 female, 1 male; ``age`` the full years on 1 July of the year the photograph was taken, as the authors
    count them. Left out and counted in a warning: images with no face or one that scores below `least_score`, with a second
    face, with no gender (NaN), with an age outside 0..99, with no name. Needs taskweave[data].

    The release has no split: ours is drawn over the subjects. A subject is a name (in any case), in both sources the same:
    nobody is in both parts. The scene is the subject.

    Args:
        part: "train", "test" or "all".
        path: The folder.
        split_seed: Draws the test part.
        test_share: Share of the subjects in the test part; NDDR's 2,000 of 12,325 by default.
        least_score: Faces that the detector was less sure of are left out. The papers do not say; 1.0 is a sure face.
    """
    path = Path(path)
    if part not in _PARTS:
        raise ValueError(f"IMDB-WIKI has no part {part!r}: expected 'train', 'test' or 'all'")
    require_folder(path, "imdb_crop/ or wiki_crop/, each with its .mat file")
    items = [item for source in SOURCES if (path / f"{source}_crop").is_dir() for item in _items(path, source, least_score)]
    if not items:
        raise ValueError(f"{path} has no face to use: expected imdb_crop/imdb.mat or wiki_crop/wiki.mat with their images")
    with_files(items)
    return _opened(items, part, seed=split_seed, share=test_share, where=path)


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
        fields, values = {"image": Field(folder / face.file, read_picture)}, {AGE: age, GENDER: int(face.gender)}
        key, subject = f"{source}/{face.file}", subject_of(face.name)
        items.append(Item(key, subject, fields, f"{listed}, entry {number}", values))
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


_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_(\d{17})\.jpg\.chip\.jpg")
_PICTURES = (".jpg", ".jpeg", ".png")


@states(facts=face_facts("UTKFace"))
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
    """
    path = Path(path)
    if part not in _PARTS:
        raise ValueError(f"UTKFace has no part {part!r}: expected 'train', 'test' or 'all'")
    require_folder(path, "UTKFace's pictures, [age]_[gender]_[race]_[stamp].jpg.chip.jpg")
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _PICTURES)
    dropped = Dropped(str(path), len(files))
    items = [item for file in files if (item := _utkface_item(file, dropped)) is not None]
    if not items:
        raise ValueError(
            f"{path} has {len(files)} pictures and none is named [age]_[gender]_[race]_[stamp].jpg.chip.jpg with an age up "
            f"to {AGES - 1}: give the folder of UTKFace's cropped faces"
        )
    dropped.warn()
    return _opened(items, part, seed=split_seed, share=test_share, where=path)


def _utkface_item(file: Path, dropped: Dropped) -> Item | None:
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

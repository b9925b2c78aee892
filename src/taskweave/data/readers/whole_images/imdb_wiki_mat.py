"""The .mat files of IMDB-WIKI: one structure of rows, with an entry for each image."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from taskweave.data.readers.mat_files import mat_structure

_NUMBERS = ("dob", "photo_taken", "gender", "face_score", "second_face_score")
_TEXTS = ("full_path", "name")


class Face(NamedTuple):
    """One image as the file has it.

    birth: MATLAB's number of the day. year: of the photograph. gender: 0 female, 1 male, NaN unknown.
    score: of the face, -inf without one. second_score: of a second face, NaN without one. file: below the folder.
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
    columns: list[list[Any]] = [np.asarray(structure[name], dtype=np.float64).ravel().tolist() for name in _NUMBERS]
    columns += [[_text(cell) for cell in structure[name].ravel()] for name in _TEXTS]
    lengths = {name: len(column) for name, column in zip((*_NUMBERS, *_TEXTS), columns, strict=True)}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{path} has fields of different length, {lengths}: expected one entry for each image; restore it")
    return [Face(*row) for row in zip(*columns, strict=True)]


def _text(cell: Any) -> str:
    """MATLAB's cells hold arrays: of one text, or empty ones."""
    values = np.asarray(cell).ravel()
    return str(values[0]) if values.size else ""

"""The names, lists and head boxes of the Oxford-IIIT Pet data set."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, final

import numpy as np

from taskweave.data.readers.boxes.voc import read_voc_annotation
from taskweave.data.readers.faults import Faults
from taskweave.data.readers.fileset import OneBox, read_names

SPECIES_NAMES = ("cat", "dog")
"""In the order of our ids, 0 and 1; the lists say 1 and 2."""
BREEDS = (
    "Abyssinian", "american_bulldog", "american_pit_bull_terrier", "basset_hound", "beagle", "Bengal", "Birman", "Bombay",
    "boxer", "British_Shorthair", "chihuahua", "Egyptian_Mau", "english_cocker_spaniel", "english_setter",
    "german_shorthaired", "great_pyrenees", "havanese", "japanese_chin", "keeshond", "leonberger", "Maine_Coon",
    "miniature_pinscher", "newfoundland", "Persian", "pomeranian", "pug", "Ragdoll", "Russian_Blue", "saint_bernard",
    "samoyed", "scottish_terrier", "shiba_inu", "Siamese", "Sphynx", "staffordshire_bull_terrier", "wheaten_terrier",
    "yorkshire_terrier",
)  # fmt: skip
"""In the order of the lists' class ids 1..37; ours count from 0. Cats are written with a capital letter there."""


class Pet(NamedTuple):
    """One row of a list. species: 0 cat, 1 dog. breed: 0..36. listed: file and line."""

    key: str
    species: int
    breed: int
    listed: str


def read_pets(listed: Path) -> list[Pet]:
    """The rows ``name class(1..37) species(1 cat, 2 dog) number-of-the-breed`` of a list; lines after # are comments.

    Raises FileNotFoundError where the list is not there, ValueError with the line of a row that is none.
    """
    read_names(listed)  # says which lists are there instead
    lines = enumerate(listed.read_text(encoding="utf-8").splitlines(), start=1)
    return [_pet(line.split(), f"{listed}, line {number}") for number, line in lines if line.strip() and line[0] != "#"]


def _pet(cells: Sequence[str], where: str) -> Pet:
    if len(cells) != 4 or not all(cell.isdecimal() for cell in cells[1:]):
        raise ValueError(
            f"{where} is {' '.join(cells)!r}: expected 'name class species breed', three numbers behind the name"
        )
    key, breed, species = cells[0], int(cells[1]), int(cells[2])
    if not 1 <= breed <= len(BREEDS) or species not in (1, 2):
        raise ValueError(
            f"{where} has class {breed} and species {species}: expected 1..{len(BREEDS)}, and 1 (cat) or 2 (dog)"
        )
    if key.rpartition("_")[0] != BREEDS[breed - 1] or BREEDS[breed - 1][0].isupper() != (species == 1):
        raise ValueError(
            f"{where} calls {key!r} class {breed}, a {SPECIES_NAMES[species - 1]}: that class is {BREEDS[breed - 1]!r}, "
            "and cats' names begin with a capital letter; restore the list of the release"
        )
    return Pet(key, species - 1, breed - 1, where)


@final
class HeadBoxes:
    """Reads ``xmls/<key>.xml`` and counts the images that have no head box, or several."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._without: list[str] = []
        self._several: list[str] = []
        self._faults = Faults(())
        self._asked = 0

    def of(self, key: str) -> OneBox | None:
        """The head box as edges in pixels; of several, the largest (the first of equal ones). None where there is none.

        Raises ValueError for a file that is not readable, and for a box that is none or lies outside the image.
        """
        self._asked += 1
        path = self._folder / f"{key}.xml"
        if not path.is_file():
            self._without.append(f"{key}, which has no {path.name}")
            return None
        size, objects = read_voc_annotation(path, SPECIES_NAMES, faults=self._faults, known=SPECIES_NAMES)
        if not len(objects.labels):
            self._without.append(f"{path}, which has no <object>")
            return None
        if len(objects.labels) > 1:
            self._several.append(str(path))
        x1, y1, x2, y2 = objects.boxes.T.astype(np.float64)
        largest = objects.boxes[int(np.argmax((x2 - x1) * (y2 - y1)))].tolist()
        return OneBox((largest[0], largest[1], largest[2], largest[3]), size, str(path))

    def warn(self) -> None:
        """What was found, in one warning each."""
        if self._without:
            warnings.warn(
                f"{len(self._without)} of {self._asked} images have no head box: they stay in without that label; "
                f"the first: {self._without[0]}",
                stacklevel=3,
            )
        if self._several:
            warnings.warn(
                f"{len(self._several)} of {self._asked} images have several heads: the largest is the label; "
                f"the first: {self._several[0]}",
                stacklevel=3,
            )

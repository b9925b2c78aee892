"""Oxford-IIIT Pet (Parkhi et al., CVPR 2012): 37 breeds, a trimap each, and head boxes; and 100 of it that ship here."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from taskweave.data.facts import Folder, SetFacts, Size
from taskweave.data.readers.boxes.voc import read_voc_annotation
from taskweave.data.readers.faults import Faults
from taskweave.data.readers.files import IGNORE, LabelCode, ReadLabels, read_names, read_picture, require_folder
from taskweave.data.readers.fileset import Field, FileSet, Item, OneBox, with_files
from taskweave.data.splits import drawn
from taskweave.parts import states

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
    """One row of a list.

    Args:
        species: 0 cat, 1 dog.
        breed: 0..36.
        listed: File and line.
    """

    key: str
    species: int
    breed: int
    listed: str


def read_pets(listed: Path) -> list[Pet]:
    """The rows ``name class(1..37) species(1 cat, 2 dog) number-of-the-breed`` of a list; lines after # are comments."""
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


def _head_box(path: Path, without: list[str], several: list[str]) -> OneBox | None:
    """The head box in an XML file: of several, the largest (the first of equal ones); None where there is none.

    without, several: where images are noted that have none, or several.
    Raises ValueError for a file that is not readable, and for a box that is none or lies outside the image.
    """
    if not path.is_file():
        without.append(f"{path.stem}, which has no {path.name}")
        return None
    size, objects = read_voc_annotation(path, SPECIES_NAMES, faults=Faults(()), known=SPECIES_NAMES)
    if not len(objects.labels):
        without.append(f"{path}, which has no <object>")
        return None
    if len(objects.labels) > 1:
        several.append(str(path))
    x1, y1, x2, y2 = objects.boxes.T.astype(np.float64)
    largest = objects.boxes[int(np.argmax((x2 - x1) * (y2 - y1)))].tolist()
    return OneBox((largest[0], largest[1], largest[2], largest[3]), size, str(path))


SPECIES, BREED, BOX, SEGMENTATION = "species", "breed", "box", "segmentation"
PET_LABELS = (SPECIES, BOX, BREED, SEGMENTATION)
Border = Literal["ignored", "pet", "background", "class"]
_LISTS = {"trainval": "trainval.txt", "official test": "test.txt", "all": "list.txt"}
_DRAWN = ("drawn train", "drawn val", "drawn test")
_PARTS = {
    "drawn": {"train": "drawn train", "validation": "drawn val", "test": "drawn test"},
    "official": {"train": "trainval", "test": "official test"},
}
_BORDERS: dict[str, int] = {"ignored": IGNORE, "pet": 1, "background": 0, "class": 2}


def pet_facts(options: Mapping[str, Any]) -> SetFacts:
    """What data sets of pets with all labels state; `border` says whether the border is a class."""
    categories = {SPECIES: SPECIES_NAMES, BREED: BREEDS}
    return SetFacts("Oxford-IIIT Pet", PET_LABELS, _classes(options["border"]), categories=categories)


def _facts(options: Mapping[str, Any]) -> SetFacts:
    return pet_facts(options)._replace(size=options["image_size"], own_validation=options["split"] == "drawn")


@states(facts=_facts)
def pets(
    part: str,
    *,
    path: Folder,
    split: Literal["drawn", "official"] = "drawn",
    split_seed: int = 0,
    border: Border = "ignored",
    image_size: Size = (375, 500),
) -> FileSet:
    """The Oxford-IIIT Pet data set: ``path/{images/*.jpg, annotations/{trimaps/*.png, xmls/*.xml, *.txt}}``.

    ``species`` 0 cat, 1 dog; ``breed`` 0..36; ``segmentation`` background 0, pet 1; ``box`` the pet's head.
    The release's quirks: images named .jpg that are GIF or PNG are read as what they are (transparency is dropped); a
    trimap without any pet stays as it is; an image without a box (or without its XML) stays in without that label, one with
    several heads has the largest of them, and both are counted in a warning. Only trainval images have boxes.

    Args:
        part: "train", "validation" or "test"; or, whatever `split` is, "trainval" (3,680), "official test" (3,669), "all",
            "drawn train", "drawn val" or "drawn test".
        path: The folder.
        split: "drawn": train, validation and test are 60/20/20 of trainval: "drawn val" and "drawn test" are ceil(n / 5)
            images each, "drawn train" the rest. The Pet paper's images (those of 3,686 with a box) would be 2210/738/738.
            "official": trainval and test, of which the second has no boxes.
        split_seed: Draws the 60/20/20 from a hash of (seed, name), the same on every machine.
        border: What the trimap's border, which its authors call unsure, becomes: no label, pet, background, or class 2.
        image_size: (height, width) of most files, for the cost of a picture.
    """
    if split not in _PARTS:
        raise ValueError(f"split is one of {list(_PARTS)}, got {split!r}")
    chosen = _PARTS[split].get(part, part)
    if chosen not in (*_LISTS, *_DRAWN):
        raise ValueError(f"the pets have no part {part!r}; it is one of {[*_PARTS[split], *_LISTS, *_DRAWN]}")
    listed = Path(path) / "annotations" / _LISTS.get(chosen, "trainval.txt")
    require_folder(listed.parent, "the annotations of the Oxford-IIIT Pet data set: trimaps/, xmls/ and its lists")
    found = read_pets(listed)
    if chosen in _DRAWN:
        keys = drawn_part([pet.key for pet in found], chosen, seed=split_seed)
        found = [pet for pet in found if pet.key in keys]
    return pets_of(Path(path), found, border=border, where=f"{listed} ({chosen})")


def drawn_part(keys: Sequence[str], split: str, *, seed: int) -> frozenset[str]:
    """The keys of ``drawn train``, ``drawn val`` or ``drawn test``: 60/20/20, disjoint, together all of `keys`."""
    order, fifth = drawn(keys, seed=seed), -(-len(keys) // 5)
    parts = (order[2 * fifth :], order[:fifth], order[fifth : 2 * fifth])
    return frozenset(parts[_DRAWN.index(split)])


def pets_of(path: Path, pets: Sequence[Pet], *, border: Border, where: str) -> FileSet:
    """Those pets of the folder; see `pets`."""
    classes = _classes(border)
    read = ReadLabels(LabelCode({1: 1, 2: 0, 3: _BORDERS[border]}, "1 (pet), 2 (background) or 3 (border)"))
    return FileSet(
        with_files([_item(path, pet, read) for pet in pets]),
        labels=PET_LABELS,
        classes=classes,
        categories={SPECIES: SPECIES_NAMES, BREED: BREEDS},
        where=where,
        complete=partial(_complete, path / "annotations" / "xmls"),
    )


def _classes(border: Border) -> tuple[str, ...]:
    if border not in _BORDERS:
        raise ValueError(f"border is what the trimap's border becomes, one of {list(_BORDERS)}, got {border!r}")
    return ("background", "pet", "border") if border == "class" else ("background", "pet")


def _complete(xmls: Path, items: Sequence[Item], labels: Sequence[str]) -> Sequence[Item]:
    """The items with their head boxes where these are asked for."""
    with_files(items, labels)
    if BOX not in labels:
        return items
    without: list[str] = []
    several: list[str] = []
    boxes = [_head_box(xmls / f"{item.key}.xml", without, several) for item in items]
    for found, what in (
        (without, "have no head box: they stay in without that label"),
        (several, "have several heads: the largest is the label"),
    ):
        if found:
            warnings.warn(f"{len(found)} of {len(items)} images {what}; the first: {found[0]}", stacklevel=2)
    return [
        item if box is None else replace(item, values={**item.values, BOX: box})
        for item, box in zip(items, boxes, strict=True)
    ]


def _item(path: Path, pet: Pet, read: ReadLabels) -> Item:
    fields = {
        "image": Field(path / "images" / f"{pet.key}.jpg", read_picture),
        SEGMENTATION: Field(path / "annotations" / "trimaps" / f"{pet.key}.png", read),
    }
    return Item(pet.key, pet.key, fields, pet.listed, {SPECIES: pet.species, BREED: pet.breed})


SAMPLE = Path(__file__).parent / "pets_sample_files"
"""In the layout of the release: `pets` and ``taskweave inspect-data`` read this folder, too."""
SAMPLE_SIZE = (128, 128)
_SAMPLE_LISTS = {"train": "train.txt", "validation": "val.txt", "val": "val.txt", "test": "test.txt", "all": "list.txt"}


def _sample_facts(options: Mapping[str, Any]) -> SetFacts:
    title = "100 of Oxford-IIIT Pet, inside the package"
    return pet_facts(options)._replace(title=title, size=SAMPLE_SIZE, own_validation=True, may_be_shown=True)


@states(facts=_sample_facts)
def pets_sample(part: str = "all", *, border: Border = "ignored") -> FileSet:
    """100 pets at 128 x 128 that ship inside the package, half of them cats: 60 to train, 20 to validate, 20 to test.

    Each has a trimap, one head box, species and breed; the targets are those of `pets`, as is `border`. Cut to squares
    and made smaller by tools/make_pets_sample.py. For demonstrations and tests: too few to learn much from.

    Args:
        part: "train", "validation", "test" or "all".
        border: What the trimap's border becomes: no label, pet, background, or class 2.
    """
    if part not in _SAMPLE_LISTS:
        raise ValueError(f"the sample of pets has no part {part!r}: expected one of {list(_SAMPLE_LISTS)}")
    pets = read_pets(SAMPLE / "annotations" / _SAMPLE_LISTS[part])
    return pets_of(SAMPLE, pets, border=border, where=f"the sample of pets ({part})")

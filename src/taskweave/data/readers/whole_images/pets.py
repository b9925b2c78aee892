"""Oxford-IIIT Pet (Parkhi et al., Cats and Dogs, CVPR 2012): 37 breeds, a trimap each, and head boxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from taskweave.data.generated.drawn import drawn
from taskweave.data.readers.files import ReadLabels, read_picture
from taskweave.data.readers.fileset import Field, FileSet, Item, OneBox, require_files, require_folder, require_labels
from taskweave.data.readers.label_codes import IGNORE, LabelCode
from taskweave.data.readers.whole_images.pets_lists import HeadBoxes, Pet, read_pets
from taskweave.data.readers.whole_images.pets_names import BREEDS, SPECIES_NAMES

SPECIES, BREED, BOX, SEGMENTATION = "species", "breed", "box", "segmentation"
PET_LABELS = (SPECIES, BOX, SEGMENTATION)
Border = Literal["ignored", "pet", "background", "class"]
_LISTS = {"trainval": "trainval.txt", "test": "test.txt", "all": "list.txt"}
_DRAWN = ("drawn train", "drawn val", "drawn test")
_BORDERS: dict[str, int] = {"ignored": IGNORE, "pet": 1, "background": 0, "class": 2}


def open_pets(
    path: Path, *, split: str, seed: int = 0, border: Border = "ignored", labels: Sequence[str] = PET_LABELS
) -> FileSet:
    """``path/{images/*.jpg, annotations/{trimaps/*.png, xmls/*.xml, list.txt, trainval.txt, test.txt}}``.

    ``species`` 0 cat, 1 dog; ``breed`` 0..36, on demand; ``segmentation`` background 0, pet 1; ``box`` the pet's head.
    The release's quirks: images named .jpg that are GIF or PNG are read as what they are (transparency is dropped); a
    trimap without any pet stays as it is; an image without a box (or without its XML) stays in without that label, one with
    several heads has the largest of them, and both are counted in a warning. Only trainval images have boxes.

    split: the official ``trainval`` (3,680) or ``test`` (3,669), or ``all``; or a part of trainval, 60/20/20, drawn by
        `seed` from a hash of (seed, name), the same on every machine: ``drawn val`` and ``drawn test`` are ceil(n / 5)
        images each, ``drawn train`` the rest. The Pet paper's images (those of 3,686 with a box) would be 2210/738/738.
    border: what the trimap's border, which its authors call unsure, becomes: no label, pet, background, or class 2.
    Raises FileNotFoundError for files that are not there, ValueError for rows, boxes and sizes that cannot be right.
    """
    labels = require_labels(labels, (SPECIES, BREED, BOX, SEGMENTATION), "the Oxford-IIIT Pet data set")
    if split not in (*_LISTS, *_DRAWN):
        raise ValueError(f"the pets have no split {split!r}; it is one of {[*_LISTS, *_DRAWN]}")
    listed = Path(path) / "annotations" / _LISTS.get(split, "trainval.txt")
    require_folder(listed.parent, "the annotations of the Oxford-IIIT Pet data set: trimaps/, xmls/ and its lists")
    pets = read_pets(listed)
    if split in _DRAWN:
        keys = drawn_part([pet.key for pet in pets], split, seed=seed)
        pets = [pet for pet in pets if pet.key in keys]
    return pets_of(Path(path), pets, border=border, labels=labels, where=f"{listed} ({split})")


def drawn_part(keys: Sequence[str], split: str, *, seed: int) -> frozenset[str]:
    """The keys of ``drawn train``, ``drawn val`` or ``drawn test``: 60/20/20, disjoint, together all of `keys`."""
    order, fifth = drawn(keys, seed=seed), -(-len(keys) // 5)
    parts = (order[2 * fifth :], order[:fifth], order[fifth : 2 * fifth])
    return frozenset(parts[_DRAWN.index(split)])


def pets_of(path: Path, pets: Sequence[Pet], *, border: Border, labels: Sequence[str], where: str) -> FileSet:
    """Those pets of the folder, with those labels; see `open_pets`."""
    if border not in _BORDERS:
        raise ValueError(f"border is what the trimap's border becomes, one of {list(_BORDERS)}, got {border!r}")
    boxes = HeadBoxes(path / "annotations" / "xmls")
    read = ReadLabels(LabelCode({1: 1, 2: 0, 3: _BORDERS[border]}, "1 (pet), 2 (background) or 3 (border)"))
    items = [_item(path, pet, boxes.of(pet.key) if BOX in labels else None, read) for pet in pets]
    require_files(items, labels)
    boxes.warn()
    return FileSet(
        items,
        labels=labels,
        classes=("background", "pet", "border") if border == "class" else ("background", "pet"),
        categories={SPECIES: SPECIES_NAMES, BREED: BREEDS},
        where=where,
    )


def _item(path: Path, pet: Pet, box: OneBox | None, read: ReadLabels) -> Item:
    fields = {
        "image": Field(path / "images" / f"{pet.key}.jpg", read_picture),
        SEGMENTATION: Field(path / "annotations" / "trimaps" / f"{pet.key}.png", read),
    }
    values: dict[str, int | OneBox] = {SPECIES: pet.species, BREED: pet.breed}
    return Item(pet.key, pet.key, fields, pet.listed, values if box is None else {**values, BOX: box})

"""Oxford-IIIT Pet (Parkhi et al., CVPR 2012): 37 breeds, a trimap each, and head boxes; and 100 of it that ship here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from taskweave.data.facts import Folder, SetFacts, Size
from taskweave.data.readers.files import ReadLabels, read_picture
from taskweave.data.readers.fileset import Field, FileSet, Item, require_folder, with_files, with_images
from taskweave.data.readers.label_codes import IGNORE, LabelCode
from taskweave.data.readers.whole_images.pets_lists import BREEDS, SPECIES_NAMES, HeadBoxes, Pet, read_pets
from taskweave.data.splits import drawn
from taskweave.parts import states

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

    Raises:
        FileNotFoundError: A file is not there.
        ValueError: A row, box or size cannot be right.
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
        with_images([_item(path, pet, read) for pet in pets]),
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
    heads = HeadBoxes(xmls)
    boxes = [heads.of(item.key) for item in items]
    heads.warn()
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

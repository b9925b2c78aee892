"""Data sets of pets: species, breed, the head's box, and which pixels are the pet."""

from __future__ import annotations

from typing import Literal, final

from pydantic import Field

from taskweave.experiments.choices.data import DataChoice, FolderChoice, Size
from taskweave.experiments.choices.names import Names

Border = Literal["ignored", "pet", "background", "class"]
_OF_PICTURES, _DENSE = ("species", "box"), ("segmentation",)


def _names(border: Border, *, breeds: bool) -> Names:
    from taskweave.data.readers.whole_images.pets_lists import BREEDS, SPECIES_NAMES

    classes = ("background", "pet", "border") if border == "class" else ("background", "pet")
    categories = {"species": SPECIES_NAMES, "breed": BREEDS} if breeds else {"species": SPECIES_NAMES}
    labels = (*_OF_PICTURES, *(["breed"] if breeds else []), *_DENSE)
    return Names(labels, classes, categories=categories)


@final
class Pets(FolderChoice):
    """The Oxford-IIIT Pet data set as released: images/, annotations/."""

    kind: Literal["pets"] = "pets"
    split: Literal["drawn", "official"] = "drawn"
    """drawn: train, validation and test are 60/20/20 of trainval, all with boxes but a few; official: trainval and test,
    of which the second has no boxes."""
    split_seed: int = 0
    """Draws the 60/20/20."""
    border: Border = "ignored"
    """What the trimap's border becomes: no label, pet, background, or a class of its own."""
    image_size: Size = (375, 500)
    """(height, width) of most files, for the cost of a picture where `size` is not given."""

    @property
    def native_size(self) -> tuple[int, int]:
        return self.image_size

    @property
    def own_validation(self) -> bool:
        return self.split == "drawn"

    @property
    def names(self) -> Names:
        return _names(self.border, breeds=True)


@final
class PetsH5(FolderChoice):
    """The pets as images.h5, masks.h5, bboxes.h5 and binary.h5 in train/, val/ and test/ (needs taskweave[data])."""

    kind: Literal["pets_h5"] = "pets_h5"
    block: int | None = Field(default=None, ge=1)
    """How many neighbours are read at once, and drawn together in training; None: the files' chunks, 1: each alone."""
    image_size: Size = (256, 256)
    """(height, width) of the images in the files."""

    @property
    def native_size(self) -> tuple[int, int]:
        return self.image_size

    @property
    def own_validation(self) -> bool:
        return True

    @property
    def names(self) -> Names:
        return _names("background", breeds=False)


@final
class PetsSample(DataChoice):
    """100 pets at 128 x 128 that ship inside the package: 60 train, 20 validation, 20 test; no download."""

    kind: Literal["pets_sample"] = "pets_sample"
    border: Border = "ignored"
    """What the trimap's border becomes: no label, pet, background, or a class of its own."""

    @property
    def native_size(self) -> tuple[int, int]:
        return (128, 128)

    @property
    def own_validation(self) -> bool:
        return True

    @property
    def may_be_shown(self) -> bool:
        return True

    @property
    def names(self) -> Names:
        return _names(self.border, breeds=True)

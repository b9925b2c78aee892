"""The sample of pets that ships inside the package; its files are under CC BY-SA 4.0, see pets_sample_files/LICENSE.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.data.readers.fileset import FileSet, require_labels
from taskweave.data.readers.whole_images.pets import BOX, BREED, PET_LABELS, SEGMENTATION, SPECIES, Border, pets_of
from taskweave.data.readers.whole_images.pets_lists import read_pets

SAMPLE = Path(__file__).parent / "pets_sample_files"
"""In the layout of the release: `open_pets` and ``taskweave inspect-data`` read this folder, too."""
SAMPLE_SIZE = (128, 128)
_LISTS = {"train": "train.txt", "val": "val.txt", "test": "test.txt", "all": "list.txt"}


def pets_sample(part: str = "all", *, border: Border = "ignored", labels: Sequence[str] = PET_LABELS) -> FileSet:
    """100 images of the Oxford-IIIT Pet data set, 128 x 128, half of them cats: ``train`` 60, ``val`` 20, ``test`` 20.

    Each has a trimap, one head box, species and breed; the targets are those of `open_pets`, as is `border`. Cut to squares
    and made smaller by tools/make_pets_sample.py. For demonstrations and tests: too few to learn much from.
    """
    labels = require_labels(labels, (SPECIES, BREED, BOX, SEGMENTATION), "the sample of pets")
    if part not in _LISTS:
        raise ValueError(f"the sample of pets has no part {part!r}: expected one of {list(_LISTS)}")
    pets = read_pets(SAMPLE / "annotations" / _LISTS[part])
    return pets_of(SAMPLE, pets, border=border, labels=labels, where=f"the sample of pets ({part})")

"""The sample of pets that ships inside the package; its files are under CC BY-SA 4.0, see pets_sample_files/LICENSE.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taskweave.data.facts import SetFacts
from taskweave.data.readers.fileset import FileSet
from taskweave.data.readers.whole_images.pets import Border, pet_facts, pets_of
from taskweave.data.readers.whole_images.pets_lists import read_pets
from taskweave.parts import states

SAMPLE = Path(__file__).parents[2] / "pets_sample_files"
"""In the layout of the release: `pets` and ``taskweave inspect-data`` read this folder, too."""
SAMPLE_SIZE = (128, 128)
_LISTS = {"train": "train.txt", "validation": "val.txt", "val": "val.txt", "test": "test.txt", "all": "list.txt"}


def _facts(options: Mapping[str, Any]) -> SetFacts:
    title = "100 of Oxford-IIIT Pet, inside the package"
    return pet_facts(options)._replace(title=title, size=SAMPLE_SIZE, own_validation=True, may_be_shown=True)


@states(facts=_facts)
def pets_sample(part: str = "all", *, border: Border = "ignored") -> FileSet:
    """100 pets at 128 x 128 that ship inside the package, half of them cats: 60 to train, 20 to validate, 20 to test.

    Each has a trimap, one head box, species and breed; the targets are those of `pets`, as is `border`. Cut to squares
    and made smaller by tools/make_pets_sample.py. For demonstrations and tests: too few to learn much from.

    Args:
        part: "train", "validation", "test" or "all".
        border: What the trimap's border becomes: no label, pet, background, or class 2.
    """
    if part not in _LISTS:
        raise ValueError(f"the sample of pets has no part {part!r}: expected one of {list(_LISTS)}")
    pets = read_pets(SAMPLE / "annotations" / _LISTS[part])
    return pets_of(SAMPLE, pets, border=border, where=f"the sample of pets ({part})")

"""From a choice of pets or faces, which are labelled as whole pictures, to the data set that lies there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from taskweave.data.dataset import LabelledSet
from taskweave.experiments.choices.faces import IMDBWiki, UTKFace
from taskweave.experiments.choices.pets_data import Pets, PetsH5, PetsSample

_NAMES: Final[dict[str, str]] = {"train": "train", "validation": "val", "test": "test"}
WholePictures = Pets | PetsH5 | PetsSample | UTKFace | IMDBWiki


def open_whole_pictures(data: WholePictures, part: str, labels: Sequence[str]) -> LabelledSet:
    """The train, validation or test part, with those labels."""
    match data:
        case Pets():
            from taskweave.data.readers.whole_images.pets import open_pets

            official = {"train": "trainval", "test": "test"}
            split = official[part] if data.split == "official" else f"drawn {_NAMES[part]}"
            return open_pets(data.path, split=split, seed=data.split_seed, border=data.border, labels=labels)
        case PetsH5():
            from taskweave.data.readers.whole_images.pets_h5 import open_pets_h5

            return open_pets_h5(data.path, split=_NAMES[part], labels=labels, block=data.block)
        case PetsSample():
            from taskweave.data.readers.whole_images.pets_shipped import pets_sample

            return pets_sample(_NAMES[part], border=data.border, labels=labels)
        case UTKFace():
            from taskweave.data.readers.whole_images.utkface import open_utkface

            return open_utkface(data.path, split=part, seed=data.split_seed, test_share=data.test_share, labels=labels)
        case IMDBWiki():
            from taskweave.data.readers.whole_images.imdb_wiki import open_imdb_wiki

            return open_imdb_wiki(
                data.path,
                split=part,
                seed=data.split_seed,
                test_share=data.test_share,
                least_score=data.least_score,
                labels=labels,
            )
        case _:
            assert_never(data)

"""The known layouts with labels of whole pictures: pets and faces. A new one is one entry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from taskweave.data.inspection.dense_layouts import view
from taskweave.data.inspection.layout import Layout, View, matches
from taskweave.data.readers.whole_images.faces import FACE_LABELS
from taskweave.data.readers.whole_images.imdb_wiki import imdb_wiki
from taskweave.data.readers.whole_images.pets import PET_LABELS, pets
from taskweave.data.readers.whole_images.pets_h5 import H5_LABELS, pets_h5
from taskweave.data.readers.whole_images.utkface import utkface


def _pets(path: Path) -> list[View]:
    splits = [split for split in ("trainval", "test") if matches(path, f"annotations/{split}.txt")]
    views = {"trainval": "trainval", "test": "official test"}
    return [replace(view(pets, views[split], PET_LABELS, path=path), split=split) for split in splits]


def _pets_h5(path: Path) -> list[View]:
    if matches(path, "images.h5"):
        return [view(pets_h5, "all", H5_LABELS, path=path)]
    splits = [split for split in ("train", "val", "test") if matches(path, f"{split}/images.h5")]
    return [view(pets_h5, split, H5_LABELS, path=path) for split in splits]


def _utkface(path: Path) -> list[View]:
    return [view(utkface, "all", FACE_LABELS, path=path)]  # ours draws a split, the release has none


def _imdb_wiki(path: Path) -> list[View]:
    return [view(imdb_wiki, "all", FACE_LABELS, path=path)]


def _somewhere(*names: str) -> tuple[str, ...]:
    """Needs of these files at the top or in the folder of a part."""
    return tuple(f"{name}|train/{name}|val/{name}|test/{name}" for name in names)


WHOLE_LAYOUTS = (
    Layout(
        "Oxford-IIIT Pet", "pets", "pets",
        ("images/*.jpg", "annotations/trimaps/*.png", "annotations/trainval.txt|annotations/test.txt"), _pets, listed=True,
    ),
    Layout(
        "pets as h5", "pets_h5", "pets_h5", _somewhere("images.h5", "masks.h5", "bboxes.h5", "binary.h5"), _pets_h5,
        uses=("train", "val", "test"),
    ),
    Layout("UTKFace", "utkface", "utkface", ("*_*_*.jpg.chip.jpg",), _utkface, uses=("*.chip.jpg",)),
    Layout(
        "IMDB-WIKI", "imdb_wiki", "imdb_wiki", ("imdb_crop/imdb.mat|wiki_crop/wiki.mat",), _imdb_wiki,
        uses=("imdb_crop", "wiki_crop"),
    ),
)  # fmt: skip

"""The known layouts with labels of whole pictures: pets and faces. A new one is one entry."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from taskweave.data.inspection.dense_layouts import opened, view
from taskweave.data.inspection.layout import Layout, View, matches
from taskweave.data.readers.whole_images.faces import FACE_LABELS
from taskweave.data.readers.whole_images.imdb_wiki import open_imdb_wiki
from taskweave.data.readers.whole_images.pets import PET_LABELS, open_pets
from taskweave.data.readers.whole_images.pets_h5 import open_pets_h5
from taskweave.data.readers.whole_images.utkface import open_utkface


def _pets(path: Path) -> list[View]:
    splits = [split for split in ("trainval", "test") if matches(path, f"annotations/{split}.txt")]
    return [view(open_pets, path, split, (*PET_LABELS, "breed")) for split in splits]


def _pets_h5(path: Path) -> list[View]:
    if matches(path, "images.h5"):
        return [View("all", partial(opened, open_pets_h5, path), PET_LABELS)]
    splits = [split for split in ("train", "val", "test") if matches(path, f"{split}/images.h5")]
    return [view(open_pets_h5, path, split, PET_LABELS) for split in splits]


def _utkface(path: Path) -> list[View]:
    return [view(open_utkface, path, "all", FACE_LABELS)]  # ours draws a split, the release has none


def _imdb_wiki(path: Path) -> list[View]:
    return [view(open_imdb_wiki, path, "all", FACE_LABELS)]


def _somewhere(*names: str) -> tuple[str, ...]:
    """Needs of these files at the top or in the folder of a part."""
    return tuple(f"{name}|train/{name}|val/{name}|test/{name}" for name in names)


WHOLE_LAYOUTS = (
    Layout(
        "Oxford-IIIT Pet", "open_pets", "pets",
        ("images/*.jpg", "annotations/trimaps/*.png", "annotations/trainval.txt|annotations/test.txt"), _pets, listed=True,
    ),
    Layout(
        "pets as h5", "open_pets_h5", "pets_h5", _somewhere("images.h5", "masks.h5", "bboxes.h5", "binary.h5"), _pets_h5,
        uses=("train", "val", "test"),
    ),
    Layout("UTKFace", "open_utkface", "utkface", ("*_*_*.jpg.chip.jpg",), _utkface, uses=("*.chip.jpg",)),
    Layout(
        "IMDB-WIKI", "open_imdb_wiki", "imdb_wiki", ("imdb_crop/imdb.mat|wiki_crop/wiki.mat",), _imdb_wiki,
        uses=("imdb_crop", "wiki_crop"),
    ),
)  # fmt: skip

"""The known layouts with boxes or labels of the whole image, and stores. A new one is one entry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from taskweave.data.dataset import LabelledSet
from taskweave.data.inspection.layout import Layout, View, matches, view, views_of
from taskweave.data.readers.boxes.box_csv import birds, box_csv
from taskweave.data.readers.boxes.coco import coco
from taskweave.data.readers.boxes.penn_fudan import penn_fudan
from taskweave.data.readers.boxes.voc import apascal, voc
from taskweave.data.readers.streets.caltech import TEST_SETS, TRAIN_SETS, caltech, caltech_extracted
from taskweave.data.readers.streets.citypersons import citypersons
from taskweave.data.readers.streets.kitti import kitti
from taskweave.data.readers.whole_images.faces import FACE_LABELS, imdb_wiki, utkface
from taskweave.data.readers.whole_images.pets import PET_LABELS, pets
from taskweave.data.readers.whole_images.pets_h5 import H5_LABELS, pets_h5
from taskweave.data.store.manifest import MANIFEST, UNFINISHED
from taskweave.data.store.places import Folder
from taskweave.data.store.stored_set import open_store

_BOXES = ("detection",)
_CALTECH_STEP = 30


def _voc(path: Path) -> list[View]:
    views = []
    for year in (2007, 2008, 2009, 2010, 2011, 2012):
        for split in ("train", "val", "test"):  # trainval is both
            if matches(path, f"VOC{year}/ImageSets/Main/{split}.txt"):
                lists = {"year": year, "train_split": split, "test_split": split}
                views.append(replace(view(voc, split, _BOXES, path=path, **lists), split=f"{year} {split}"))
    return views


def _coco(path: Path) -> list[View]:
    views = []
    for file in sorted(path.glob("annotations/instances_*.json")):
        name = file.stem.removeprefix("instances_")
        images = path / name if (path / name).is_dir() else path / "images" / name
        files = {"test_images": images, "test_annotations": file}
        views.append(replace(view(coco, "test", _BOXES, path=path, **files), split=name))
    return views


def _box_csv(path: Path) -> list[View]:
    views = []
    for file in sorted(path.glob("annotations/*_labels.csv")):
        split = file.stem.removesuffix("_labels")
        files = {"test_images": path / "images" / split, "test_annotations": file}
        views.append(replace(view(box_csv, "test", _BOXES, path=path, **files), split=split))
    return views


def _birds(path: Path) -> list[View]:
    labels = ("detection", "segmentation") if matches(path, "masks/*.png") else _BOXES
    splits = sorted(file.stem for file in path.glob("lists/*.txt"))
    named = [{"train_split": split, "test_split": split} for split in splits]
    return [view(birds, lists["test_split"], labels, path=path, **lists) for lists in named]


def _caltech(path: Path) -> list[View]:
    videos = path / "videos" if (path / "videos").is_dir() else path
    present = [split for split, sets in _SETS.items() if any((videos / f"set{n:02d}").is_dir() for n in sets)]
    return [view(caltech, split, _BOXES, path=path, train_step=_CALTECH_STEP) for split in present]


def _citypersons(path: Path) -> list[View]:
    labels = ("detection", "segmentation") if (path / "gtFine").is_dir() else _BOXES
    splits = [split for split in ("train", "val") if (path / "gtBboxCityPersons" / split).is_dir()]
    return [view(citypersons, split, labels, path=path) for split in splits]


_SETS: dict[Literal["train", "test"], Sequence[int]] = {"train": TRAIN_SETS, "test": TEST_SETS}
BOX_LAYOUTS = (
    Layout(
        "Penn-Fudan", "penn_fudan",
        ("PNGImages/*.png", "PedMasks/*_mask.png", "Annotation/*.txt"),
        views_of(penn_fudan, ("detection", "segmentation"), {"train": "Annotation", "test": "Annotation"}),
        uses=("readme.txt",),
    ),
    Layout(
        "PASCAL VOC", "voc", ("VOC20*/ImageSets/Main/*.txt", "VOC20*/Annotations/*.xml"), _voc, listed=True,
        among_others=True,  # of segmentation, layout and action
    ),
    Layout(
        "aPascal", "apascal",
        ("attribute_data/apascal_*.txt", "attribute_data/attribute_names.txt", "VOCdevkit/VOC2008/JPEGImages/*.jpg"),
        views_of(apascal, ("detection", "attributes"), {part: f"attribute_data/apascal_{part}.txt" for part in _SETS}),
        listed=True, among_others=True,  # the images are VOC's
    ),
    Layout("COCO", "coco", ("annotations/instances_*.json",), _coco, uses=("train2017", "val2017", "images")),
    Layout(
        "boxes in CSV", "box_csv", ("images/*/*.jpg|images/*/*.png", "annotations/*_labels.csv"), _box_csv,
    ),
    Layout(
        "birds", "birds", ("images/*.jpg|images/*.png", "boxes.csv", "lists/*.txt"), _birds, uses=("masks",),
        listed=True,
    ),
    Layout(
        "Caltech Pedestrian", "caltech",
        ("set*/V*.seq|videos/set*/V*.seq", "annotations/set*/*.vbb"), _caltech, uses=("videos",),
    ),
    Layout(
        "Caltech Pedestrian, extracted", "caltech_extracted",
        ("images/set*_V*_I*.*", "annotations/set*_V*_I*.txt"),
        views_of(
            caltech_extracted, _BOXES,
            {part: "|".join(f"images/set{number:02d}_*" for number in sets) for part, sets in _SETS.items()},
            train_step=1, test_step=1,
        ),
    ),
    Layout(
        "KITTI", "kitti", ("training/image_2/*.png", "training/label_2/*.txt"),
        views_of(kitti, _BOXES, {"training": "training"}),
    ),
    Layout(
        "CityPersons", "citypersons",
        ("gtBboxCityPersons/*/*/*.json", "leftImg8bit/*/*/*_leftImg8bit.png"), _citypersons, uses=("gtFine",),
    ),
)  # fmt: skip


def _pets(path: Path) -> list[View]:
    splits = [split for split in ("trainval", "test") if matches(path, f"annotations/{split}.txt")]
    views = {"trainval": "trainval", "test": "official test"}
    return [replace(view(pets, views[split], PET_LABELS, path=path), split=split) for split in splits]


def _pets_h5(path: Path) -> list[View]:
    if matches(path, "images.h5"):
        return [view(pets_h5, "all", H5_LABELS, path=path)]
    splits = [split for split in ("train", "val", "test") if matches(path, f"{split}/images.h5")]
    return [view(pets_h5, split, H5_LABELS, path=path) for split in splits]


def _somewhere(*names: str) -> tuple[str, ...]:
    """Needs of these files at the top or in the folder of a part."""
    return tuple(f"{name}|train/{name}|val/{name}|test/{name}" for name in names)


WHOLE_LAYOUTS = (
    Layout(
        "Oxford-IIIT Pet", "pets",
        ("images/*.jpg", "annotations/trimaps/*.png", "annotations/trainval.txt|annotations/test.txt"), _pets, listed=True,
    ),
    Layout(
        "pets as h5", "pets_h5", _somewhere("images.h5", "masks.h5", "bboxes.h5", "binary.h5"), _pets_h5,
        uses=("train", "val", "test"),
    ),
    Layout(
        "UTKFace", "utkface", ("*_*_*.jpg.chip.jpg",), views_of(utkface, FACE_LABELS, {"all": "*.jpg"}),
        uses=("*.chip.jpg",),
    ),
    Layout(
        "IMDB-WIKI", "imdb_wiki", ("imdb_crop/imdb.mat|wiki_crop/wiki.mat",),
        views_of(imdb_wiki, FACE_LABELS, {"all": "*_crop"}), uses=("imdb_crop", "wiki_crop"),
    ),
)  # fmt: skip


def _store_parts(path: Path) -> list[View]:
    return [
        View(name, partial(_store_opened, path, name), facts.labels)
        for name, facts in Folder(path).manifest().parts.items()
    ]


def _store_opened(path: Path, part: str, labels: Sequence[str]) -> LabelledSet:
    return open_store(path, part=part, labels=labels)


def _store_told(path: Path) -> list[str]:
    """What was packed, how large it is, and where labels are missing."""
    manifest = Folder(path).manifest()
    size = sum(file.bytes for file in manifest.files) / 1e6
    source = json.dumps(manifest.source, ensure_ascii=False) if manifest.source else "what its packer did not name"
    notes = [
        f"packed by taskweave {manifest.taskweave} from {source}; {size:,.1f} MB in {len(manifest.files)} files of samples"
    ]
    for name, part in manifest.parts.items():
        gaps = [
            f"{number:,} of {part.items:,} have {label}" for label, number in part.labelled.items() if number < part.items
        ]
        notes += [f"{name}: {', '.join(gaps)}"] if gaps else []
    return notes


STORE_LAYOUTS = (
    Layout(
        "a store", "stored", (f"{MANIFEST}|{UNFINISHED}", f"*-00000.arrow|{UNFINISHED}"), _store_parts,
        uses=("*",), told=_store_told,
    ),
)  # fmt: skip

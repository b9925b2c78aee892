"""The known layouts with boxes. A new one is one entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from taskweave.data.dataset import LabelledSet
from taskweave.data.inspection.dense_layouts import view
from taskweave.data.inspection.layout import Layout, View, matches
from taskweave.data.readers.boxes.apascal import open_apascal
from taskweave.data.readers.boxes.birds import open_birds
from taskweave.data.readers.boxes.box_csv import open_box_csv
from taskweave.data.readers.boxes.coco import open_coco
from taskweave.data.readers.boxes.penn_fudan import open_penn_fudan
from taskweave.data.readers.boxes.voc import open_voc
from taskweave.data.readers.streets.caltech import open_caltech
from taskweave.data.readers.streets.caltech_extracted import open_caltech_extracted
from taskweave.data.readers.streets.caltech_rules import TEST_SETS, TRAIN_SETS
from taskweave.data.readers.streets.citypersons import open_citypersons
from taskweave.data.readers.streets.kitti import open_kitti

_BOXES = ("detection",)
_CALTECH_STEP = 30


def _always(split: str, opening: Callable[[], LabelledSet]) -> View:
    """A view whose reader knows boxes only."""
    return View(split, partial(_without_labels, opening), _BOXES)


def _without_labels(opening: Callable[[], LabelledSet], labels: Sequence[str]) -> LabelledSet:
    return opening()


def _penn_fudan(path: Path) -> list[View]:
    return [view(open_penn_fudan, path, split, ("detection", "segmentation")) for split in ("train", "test")]


def _voc(path: Path) -> list[View]:
    views = []
    for year in (2007, 2008, 2009, 2010, 2011, 2012):
        for split in ("train", "val", "test"):  # trainval is both
            if matches(path, f"VOC{year}/ImageSets/Main/{split}.txt"):
                views.append(_always(f"{year} {split}", partial(open_voc, path, year=year, split=split)))
    return views


def _apascal(path: Path) -> list[View]:
    splits = [split for split in ("train", "test") if matches(path, f"attribute_data/apascal_{split}.txt")]
    return [view(open_apascal, path, split, ("detection", "attributes")) for split in splits]


def _coco(path: Path) -> list[View]:
    views = []
    for file in sorted(path.glob("annotations/instances_*.json")):
        name = file.stem.removeprefix("instances_")
        images = path / name if (path / name).is_dir() else path / "images" / name
        views.append(_always(name, partial(open_coco, images, file)))
    return views


def _box_csv(path: Path) -> list[View]:
    views = []
    for file in sorted(path.glob("annotations/*_labels.csv")):
        split = file.stem.removesuffix("_labels")
        views.append(_always(split, partial(open_box_csv, path / "images" / split, file)))
    return views


def _birds(path: Path) -> list[View]:
    labels = ("detection", "segmentation") if matches(path, "masks/*.png") else _BOXES
    splits = sorted(file.stem for file in path.glob("lists/*.txt"))
    return [view(open_birds, path, split, labels, part="whole") for split in splits]


def _caltech(path: Path) -> list[View]:
    videos = path / "videos" if (path / "videos").is_dir() else path
    present = [split for split, sets in _SETS.items() if any((videos / f"set{n:02d}").is_dir() for n in sets)]
    return [_always(split, partial(open_caltech, path, split=split, step=_CALTECH_STEP)) for split in present]


def _caltech_extracted(path: Path) -> list[View]:
    present = [split for split, sets in _SETS.items() if any(matches(path, f"images/set{number:02d}_*") for number in sets)]
    return [_always(split, partial(open_caltech_extracted, path, split=split)) for split in present]


def _kitti(path: Path) -> list[View]:
    return [_always("training", partial(open_kitti, path))]


def _citypersons(path: Path) -> list[View]:
    labels = ("detection", "segmentation") if (path / "gtFine").is_dir() else _BOXES
    splits = [split for split in ("train", "val") if (path / "gtBboxCityPersons" / split).is_dir()]
    return [view(open_citypersons, path, split, labels) for split in splits]


_SETS: dict[Literal["train", "test"], Sequence[int]] = {"train": TRAIN_SETS, "test": TEST_SETS}
BOX_LAYOUTS = (
    Layout(
        "Penn-Fudan", "open_penn_fudan", "penn_fudan",
        ("PNGImages/*.png", "PedMasks/*_mask.png", "Annotation/*.txt"), _penn_fudan, uses=("readme.txt",),
    ),
    Layout(
        "PASCAL VOC", "open_voc", "voc", ("VOC20*/ImageSets/Main/*.txt", "VOC20*/Annotations/*.xml"), _voc, listed=True,
        among_others=True,  # of segmentation, layout and action
    ),
    Layout(
        "aPascal", "open_apascal", "apascal",
        ("attribute_data/apascal_*.txt", "attribute_data/attribute_names.txt", "VOCdevkit/VOC2008/JPEGImages/*.jpg"),
        _apascal, listed=True, among_others=True,  # the images are VOC's
    ),
    Layout("COCO", "open_coco", "coco", ("annotations/instances_*.json",), _coco, uses=("train2017", "val2017", "images")),
    Layout(
        "boxes in CSV", "open_box_csv", "box_csv", ("images/*/*.jpg|images/*/*.png", "annotations/*_labels.csv"), _box_csv,
    ),
    Layout(
        "birds", "open_birds", "birds", ("images/*.jpg|images/*.png", "boxes.csv", "lists/*.txt"), _birds, uses=("masks",),
        listed=True,
    ),
    Layout(
        "Caltech Pedestrian", "open_caltech", "caltech",
        ("set*/V*.seq|videos/set*/V*.seq", "annotations/set*/*.vbb"), _caltech, uses=("videos",),
    ),
    Layout(
        "Caltech Pedestrian, extracted", "open_caltech_extracted", "caltech_extracted",
        ("images/set*_V*_I*.*", "annotations/set*_V*_I*.txt"), _caltech_extracted,
    ),
    Layout("KITTI", "open_kitti", "kitti", ("training/image_2/*.png", "training/label_2/*.txt"), _kitti),
    Layout(
        "CityPersons", "open_citypersons", "citypersons",
        ("gtBboxCityPersons/*/*/*.json", "leftImg8bit/*/*/*_leftImg8bit.png"), _citypersons, uses=("gtFine",),
    ),
)  # fmt: skip

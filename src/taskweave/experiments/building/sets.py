"""From a choice of data to the data set that lies there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, assert_never

from taskweave.data.dataset import LabelledSet
from taskweave.experiments.building.republished import open_republished
from taskweave.experiments.building.stored import open_stored
from taskweave.experiments.building.whole_pictures import open_whole_pictures
from taskweave.experiments.choices.boxes import COCO, VOC, APascal, Birds, BoxCSV, PennFudan
from taskweave.experiments.choices.data import NYUDMT, NYUv2Folder, NYUv2Lists, NYUv2Mat, NYUv2Mtan, ScenesData
from taskweave.experiments.choices.faces import IMDBWiki, UTKFace
from taskweave.experiments.choices.mixture import OneSet
from taskweave.experiments.choices.pets_data import Pets, PetsH5, PetsSample
from taskweave.experiments.choices.republished import AdaShareCityscapes, AdaShareNYUv2, AutoLambda, CityscapesMtan
from taskweave.experiments.choices.store import StoreData
from taskweave.experiments.choices.streets import KITTI, Caltech, CaltechExtracted, CityPersons, Cityscapes

Indoor = NYUv2Folder | NYUv2Mat | NYUv2Mtan | NYUv2Lists | NYUDMT
Objects = PennFudan | VOC | APascal | COCO | BoxCSV | Birds
Streets = Caltech | CaltechExtracted | KITTI | Cityscapes | CityPersons

_TEST_SEED = 100_003
"""Added to a scenes seed for the test part: far from any seed that somebody would train on."""


def open_set(data: OneSet, part: str, labels: Sequence[str]) -> LabelledSet:
    """The train or test part of a data set, or the validation part of one that has its own, with those labels.

    Raises FileNotFoundError for a folder or file that is not there, ValueError for what cannot be read.
    """
    if isinstance(data, ScenesData):
        return _open_scenes(data, part, labels)
    if isinstance(data, NYUv2Folder | NYUv2Mat | NYUv2Mtan | NYUv2Lists | NYUDMT):
        return _open_indoor(data, part, labels)
    if isinstance(data, PennFudan | VOC | APascal | COCO | BoxCSV | Birds):
        return _open_objects(data, part, labels)
    if isinstance(data, CityscapesMtan | AutoLambda | AdaShareNYUv2 | AdaShareCityscapes):
        return open_republished(data, test=part == "test", labels=labels)
    if isinstance(data, Pets | PetsH5 | PetsSample | UTKFace | IMDBWiki):
        return open_whole_pictures(data, part, labels)
    if isinstance(data, StoreData):
        return open_stored(data, part, labels)
    return _open_streets(data, part, labels)


def _open_scenes(data: ScenesData, part: str, labels: Sequence[str]) -> LabelledSet:
    from taskweave.data.generated.scenes import LABELS, Scenes

    wanted = [label for label in LABELS if label in labels]
    if part == "test":
        return Scenes(data.test, size=data.size, seed=data.seed + _TEST_SEED, labels=wanted)
    return Scenes(data.train, size=data.size, seed=data.seed, labels=wanted)


def _open_indoor(data: Indoor, part: str, labels: Sequence[str]) -> LabelledSet:
    split = "val" if part == "test" else part
    match data:
        case NYUv2Folder():
            from taskweave.data.readers.indoor.nyuv2_folder import open_nyuv2_folder

            return open_nyuv2_folder(data.path, split=split, classes=data.classes, labels=labels)
        case NYUv2Mtan():
            from taskweave.data.readers.indoor.nyuv2_mtan import open_nyuv2_mtan

            return open_nyuv2_mtan(data.path, split=split, classes=data.classes, labels=labels)
        case NYUv2Lists():
            from taskweave.data.readers.indoor.nyuv2_lists import open_nyuv2_lists

            named = "training" if part == "train" else "testing"
            return open_nyuv2_lists(data.path, split=named, classes=data.classes, labels=labels)
        case NYUDMT():
            from taskweave.data.readers.indoor.nyud_mt import open_nyud_mt

            return open_nyud_mt(data.path, split=split, classes=data.classes, labels=labels)
        case NYUv2Mat():
            from taskweave.data.readers.indoor.nyuv2_mat import open_nyuv2_mat

            return open_nyuv2_mat(
                data.path, splits=data.splits, split=part, class_map=data.class_map, classes=data.classes, labels=labels
            )
        case _:
            assert_never(data)


def _open_objects(data: Objects, part: str, labels: Sequence[str]) -> LabelledSet:
    test = part == "test"
    match data:
        case PennFudan():
            from taskweave.data.readers.boxes.penn_fudan import open_penn_fudan

            return open_penn_fudan(
                data.path,
                split="test" if test else "train",
                seed=data.split_seed,
                test_share=data.test_share,
                labels=labels,
            )
        case VOC():
            from taskweave.data.readers.boxes.voc import open_voc

            split = data.test_split if test else data.train_split
            return open_voc(data.path, year=data.year, split=split, classes=data.classes or None)
        case APascal():
            from taskweave.data.readers.boxes.apascal import open_apascal

            return open_apascal(
                data.path,
                split="test" if test else "train",
                images=data.images,
                classes=data.classes or None,
                labels=labels,
            )
        case COCO():
            from taskweave.data.readers.boxes.coco import open_coco

            images, listed = _parts_of(data, test=test)
            return open_coco(data.path / images, data.path / listed, classes=data.classes)
        case BoxCSV():
            from taskweave.data.readers.boxes.box_csv import open_box_csv

            images, listed = _parts_of(data, test=test)
            return open_box_csv(data.path / images, data.path / listed, classes=data.classes)
        case Birds():
            return _open_birds(data, test=test, labels=labels)
        case _:
            assert_never(data)


def _parts_of(data: COCO | BoxCSV, *, test: bool) -> tuple[str, str]:
    if test:
        return str(data.test_images), str(data.test_annotations)
    return str(data.train_images), str(data.train_annotations)


def _open_birds(data: Birds, *, test: bool, labels: Sequence[str]) -> LabelledSet:
    from taskweave.data.readers.boxes.birds import open_birds, tiled

    split = data.test_split if test else data.train_split
    birds = open_birds(data.path, split=split, part=data.part, labels=labels, least_height=data.least_height)
    return birds if test or data.tile is None else tiled(birds, data.tile, overlap=data.overlap)


def _open_streets(data: Streets, part: str, labels: Sequence[str]) -> LabelledSet:
    split: Literal["train", "val"] = "train" if part == "train" else "val"
    match data:
        case Caltech() | CaltechExtracted():
            return _open_caltech(data, test=part == "test")
        case KITTI():
            from taskweave.data.readers.streets.kitti import open_kitti

            if part == "train":
                raise ValueError(
                    f"KITTI's labelled images ({data.path}) are a test here, never trained on: give them as a further test"
                )
            return open_kitti(
                data.path, ignored=data.ignored, most_occluded=data.most_occluded, most_truncated=data.most_truncated
            )
        case Cityscapes():
            from taskweave.data.readers.streets.cityscapes import open_cityscapes

            return open_cityscapes(
                data.path,
                split=split,
                classes=data.classes,
                labels=labels,
                coded=data.coded,
                depth=data.depth,
                farthest=data.farthest,
            )
        case CityPersons():
            from taskweave.data.readers.streets.citypersons import open_citypersons

            return open_citypersons(data.path, split=split, persons=data.persons, labels=labels, classes=data.classes)
        case _:
            assert_never(data)


def _open_caltech(data: Caltech | CaltechExtracted, *, test: bool) -> LabelledSet:
    from taskweave.data.readers.streets.caltech import open_caltech
    from taskweave.data.readers.streets.caltech_extracted import open_caltech_extracted

    step = data.test_step if test else data.train_step
    if isinstance(data, Caltech):
        return open_caltech(
            data.path,
            split="test" if test else "train",
            step=step,
            ignored=data.ignored,
            border=data.border,
            aspect=data.aspect,
        )
    return open_caltech_extracted(
        data.path,
        split="test" if test else "train",
        step=step,
        annotations=data.annotations,
        ignored=data.ignored,
        border=data.border,
        aspect=data.aspect,
    )

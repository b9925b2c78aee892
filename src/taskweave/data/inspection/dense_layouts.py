"""The known layouts with labels for every pixel. A new one is one entry."""

from __future__ import annotations

from pathlib import Path

from taskweave.data.inspection.facts import stored_values
from taskweave.data.inspection.layout import Layout, View, matches, view, views_of
from taskweave.data.readers.files import real
from taskweave.data.readers.indoor.adashare import (
    CITYSCAPES_LIST,
    NYUV2_LIST,
    adashare_cityscapes,
    adashare_nyuv2,
    read_lists,
)
from taskweave.data.readers.indoor.nyuv2 import nyud_mt, nyuv2_folder, nyuv2_lists, nyuv2_mtan
from taskweave.data.readers.indoor.nyuv2_mat import nyuv2_mat
from taskweave.data.readers.streets.cityscapes import cityscapes
from taskweave.data.readers.streets.cityscapes_copies import auto_lambda, cityscapes_mtan

_ALL = ("segmentation", "depth", "normals")
_TWO = ("segmentation", "depth")
_PARTS = ("train1", "train2")
"""Of train, in AdaShare's json."""


def _names(path: Path, pattern: str) -> list[str]:
    return sorted(file.stem for file in path.glob(pattern))


def _folder(path: Path) -> list[View]:
    counts = [count for count in (40, 13) if (path / f"label{count}").is_dir()]
    return [
        view(nyuv2_folder, split, _TWO, classes=count, path=path)  # normals are not stored
        for split in _names(path, "gt_sets/*.txt")
        for count in counts
    ]


def _mtan(path: Path) -> list[View]:
    splits = [split for split in ("train", "val") if (path / split / "image").is_dir()]
    return [view(nyuv2_mtan, split, _ALL, classes=_counted(path / split / "label"), path=path) for split in splits]


def _counted(folder: Path) -> int:
    """13 classes, or 40 where one of the first labels says so."""
    stored = [stored_values(file) for file in sorted(folder.glob("*.npy"))[:8]]
    return 40 if any(real(labels) and labels.max(initial=0) >= 13 for labels in stored if labels is not None) else 13


def _lists(path: Path) -> list[View]:
    splits = [name.removesuffix("_seg") for name in _names(path, "list/*_seg.txt")]
    labels = ("segmentation", "normals")
    return [
        view(nyuv2_lists, split, labels if matches(path, f"list/{split}_normal_mask.txt") else labels[:1], path=path)
        for split in splits
    ]


def _nyud_mt(path: Path) -> list[View]:
    labels = tuple(label for label in _ALL if (path / label).is_dir())
    return [view(nyud_mt, split, labels, path=path) for split in _names(path, "gt_sets/*.txt")]


def _mat(path: Path) -> list[View]:
    files = {"splits": path / "splits.mat", "class_map": path / "classMapping40.mat"}
    file = path / "nyu_depth_v2_labeled.mat"
    return [view(nyuv2_mat, split, _TWO, **files, path=file) for split in ("train", "test")]


def _adashare_nyuv2(path: Path) -> list[View]:
    return [view(adashare_nyuv2, split, _ALL, path=path) for split in read_lists(path / NYUV2_LIST) if split not in _PARTS]


def _adashare_cityscapes(path: Path) -> list[View]:
    splits = [split for split in read_lists(path / CITYSCAPES_LIST) if split not in _PARTS]
    return [view(adashare_cityscapes, split, _TWO, classes=count, path=path) for split in splits for count in (19, 7, 2)]


def _cityscapes(path: Path) -> list[View]:
    views = []
    for split in ("train", "val"):
        if not matches(path, f"leftImg8bit/{split}/*/*_leftImg8bit.png"):
            continue
        ids = matches(path, f"gtFine/{split}/*/*_labelIds.png")
        labels = ["segmentation"] if ids or matches(path, f"gtFine/{split}/*/*_labelTrainIds.png") else []
        if matches(path, f"disparity/{split}/*/*_disparity.png"):
            labels += ["disparity", "depth"]
        form = "metres" if matches(path, f"camera/{split}/*/*_camera.json") else "inverse"
        coded = "labelIds" if ids else "labelTrainIds"
        views.append(view(cityscapes, split, tuple(labels), path=path, coded=coded, depth=form))
    return views


def _cityscapes_mtan(path: Path) -> list[View]:
    views = []
    for split in ("train", "val"):
        counts = [count for count in (19, 7, 2) if (path / split / f"label_{count}").is_dir()]
        if not counts and (path / split / "label").is_dir():
            counts = [7]
        views += [view(cityscapes_mtan, split, _TWO, classes=count, path=path) for count in counts]
    return views


def _numbered(*patterns: str) -> tuple[str, ...]:
    """Needs of a tree with these below train/ or val/."""
    return tuple(f"train/{pattern}|val/{pattern}" for pattern in patterns)


DENSE_LAYOUTS = (
    Layout(
        "NYUv2 as one folder", "nyuv2_folder", ("rgb/*.jpg", "depth/*.png", "gt_sets/*.txt"), _folder,
        uses=("label40", "label13"), indoor=True, listed=True,
    ),
    Layout(
        "NYUv2 as MTAN's npy", "nyuv2_mtan",
        _numbered("image/*.npy", "label/*.npy", "depth/*.npy", "normal/*.npy"), _mtan, indoor=True,
    ),
    Layout(
        "NYUv2 as NDDR's lists", "nyuv2_lists", ("list/*_seg.txt",), _lists, indoor=True, listed=True,
    ),
    Layout(
        "NYUD_MT", "nyud_mt", ("images/*.jpg", "segmentation/*.png", "gt_sets/*.txt"), _nyud_mt,
        uses=("depth", "normals", "edge"), indoor=True, listed=True,
    ),
    Layout(
        "NYUv2's .mat", "nyuv2_mat", ("nyu_depth_v2_labeled.mat", "splits.mat", "classMapping40.mat"),
        _mat, indoor=True, listed=True,
    ),
    Layout(
        "NYUv2 as AdaShare's json", "adashare_nyuv2", (NYUV2_LIST,), _adashare_nyuv2,
        uses=("img", "seg", "normal_mask", "depth"), indoor=True, listed=True,
    ),
    Layout(
        "Cityscapes", "cityscapes", ("leftImg8bit/*/*/*_leftImg8bit.png",), _cityscapes,
        uses=("gtFine", "disparity", "camera"),
    ),
    Layout(
        "Cityscapes as MTAN's npy", "cityscapes_mtan",
        _numbered("image/*.npy", "depth/*.npy", "label*/*.npy"), _cityscapes_mtan,
        lacks=("*/normal/*.npy", CITYSCAPES_LIST),
    ),
    Layout(
        "Cityscapes as Auto-Lambda's PNG", "auto_lambda",
        _numbered("image/*.png", "seg/*.png", "depth/*.png"),
        views_of(auto_lambda, _TWO, {"train": "train/image", "val": "val/image"}),
    ),
    Layout(
        "Cityscapes as AdaShare's json", "adashare_cityscapes", (CITYSCAPES_LIST,),
        _adashare_cityscapes, listed=True,
    ),
)  # fmt: skip

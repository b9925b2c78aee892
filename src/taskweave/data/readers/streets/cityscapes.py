"""Cityscapes: streets of 50 cities with labels for every pixel, and the disparity of a stereo camera."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, final

import numpy as np
import numpy.typing as npt
import torch
from annotated_types import Gt

from taskweave.data.facts import Folder, SetFacts
from taskweave.data.readers.files import IGNORE, LabelCode, ReadLabels, read_picture, read_values, regrouped, require_folder
from taskweave.data.readers.fileset import Field, FileSet, Item, with_files
from taskweave.data.tensors import Depth, Disparity
from taskweave.parts import states

CityscapesCount = Literal[19, 7, 2]

_NINETEEN = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation", "terrain",
    "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
)  # fmt: skip
_SEVEN = ("flat", "construction", "object", "nature", "sky", "human", "vehicle")
_TO_SEVEN = (0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 5, 6, 6, 6, 6, 6, 6)
_TO_PERSON = tuple(int(name in ("person", "rider")) for name in _NINETEEN)

CITYSCAPES_CLASSES: Mapping[CityscapesCount, tuple[str, ...]] = MappingProxyType(
    {19: _NINETEEN, 7: _SEVEN, 2: ("background", "person")}
)
"""Class names by their number: the 19 classes that are evaluated, their categories, and person + rider against the rest."""

_GROUPS: Mapping[CityscapesCount, tuple[int, ...]] = {19: tuple(range(19)), 7: _TO_SEVEN, 2: _TO_PERSON}
_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
"""The labelId of each of the 19; the other ids up to 33 are not evaluated."""

_LABEL_IDS = LabelCode(
    {**dict.fromkeys((*range(34), IGNORE), IGNORE), **{number: k for k, number in enumerate(_IDS)}},
    "labelIds 0..33, or 255 (no class)",
)
_TRAIN_IDS = LabelCode({IGNORE: IGNORE, **{k: k for k in range(19)}}, "trainIds 0..18, or 255 (no class)")


def label_code(coded: Literal["labelIds", "labelTrainIds"], classes: CityscapesCount) -> LabelCode:
    """How the numbers in files of a form name the classes of a set.

    Classes that the benchmark does not evaluate (void, parking, caravan, ...) are 255 in every set, since trainIds cannot
    tell them apart: both forms give the same.
    """
    if coded not in ("labelIds", "labelTrainIds"):
        raise ValueError(f"Cityscapes has no label files {coded!r}: expected 'labelIds' or 'labelTrainIds'")
    if classes not in _GROUPS:
        raise ValueError(f"Cityscapes has no set of {classes} classes: expected one of {list(_GROUPS)}")
    return regrouped(_LABEL_IDS if coded == "labelIds" else _TRAIN_IDS, _GROUPS[classes])


DepthForm = Literal["inverse", "metres"]
Positive = Annotated[float, Gt(0.0)]
Farthest = Annotated[float, Gt(0.0)] | None
Codes = npt.NDArray[np.float32]
"""Numbers p of the release's disparity files: (p - 1) / 256 pixels of the 2,048 wide picture, 0 = not measured."""

FARTHEST = 80.0
"""Metres beyond which a depth is left out: at 80 m a quarter of a pixel of disparity is 4 % of the depth, then more."""
_LAST = 65535


@final
@dataclass(frozen=True)
class StereoCamera:
    """The stereo camera of a recording.

    Args:
        baseline: Distance between the two lenses in metres.
        focal: Focal length in pixels of the 2,048 wide picture.
    """

    baseline: float
    focal: float


CITYSCAPES_CAMERA = StereoCamera(baseline=0.209313, focal=2262.52)
"""For trees that were made without the camera files; some recordings have another baseline (0.22 m)."""


@final
@dataclass(frozen=True)
class ReadInverseDepth:
    """A file of disparities -> `Disparity` (1, H, W) with max(p - offset, 0) / divisor; 0 = invalid.

    The defaults are MTAN's p / 65535, by the largest value of their files (.4922 for p = 32257).
    """

    codes: Callable[[Path], Codes]
    offset: int = 0
    divisor: int = _LAST

    def __call__(self, path: Path) -> Disparity:
        values = (self.codes(path) - np.float32(self.offset)).clip(min=0) / np.float32(self.divisor)
        return Disparity(torch.from_numpy(values.astype(np.float32))[None])


@final
@dataclass(frozen=True)
class ReadStereoDepth:
    """Read a disparity file as `Depth` (1, H, W) in metres: baseline * focal * 256 / (p - 1).

    0 = invalid: not measured (p = 0), infinitely far (p = 1) or beyond `farthest` metres.

    Args:
        codes: Reads the numbers p of the file.
        camera: The camera, or its JSON file.
        farthest: Metres; None keeps every depth.
    """

    codes: Callable[[Path], Codes]
    camera: StereoCamera | Path
    farthest: float | None = FARTHEST

    def __call__(self, path: Path) -> Depth:
        camera = read_camera(self.camera) if isinstance(self.camera, Path) else self.camera
        disparity = (self.codes(path) - 1) / 256
        known = disparity > 1e-6  # a disparity that went through float32 shares has rounding in it
        metres = np.where(known, camera.baseline * camera.focal / np.where(known, disparity, 1), 0)
        if self.farthest is not None:
            metres = np.where(metres <= self.farthest, metres, 0)
        return Depth(torch.from_numpy(metres.astype(np.float32))[None])


def read_codes(path: Path) -> Codes:
    """A disparity picture of the release, or one that was made smaller: uint16 (H, W)."""
    stored = read_values(path, 2)
    if stored.dtype == np.uint8:  # one measured in whole pixels, or a picture for looking at
        raise ValueError(f"{path} has 8 bits a pixel: expected Cityscapes' 16; use the file of the release")
    values = stored.astype(np.float32)
    if values.min() < 0 or values.max() > _LAST:
        raise ValueError(f"{path} has values {values.min():g}..{values.max():g}: expected 0..65535")
    return values


def read_shares(path: Path) -> Codes:
    """MTAN's .npy: p / 65535 as float, (H, W, 1) or (H, W)."""
    stored = read_values(path, 2, 3)
    if stored.ndim == 3 and stored.shape[2] != 1:
        raise ValueError(f"{path} has shape {stored.shape}: expected inverse depth (H, W, 1) or (H, W)")
    values = stored.reshape(stored.shape[:2]).astype(np.float32)
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise ValueError(
            f"{path} has values {values.min():g}..{values.max():g}: expected inverse depth in 0..1 (MTAN's is disparity / "
            "65535, up to .4922, 0 = invalid); depth in metres and raw disparities have other readers, see "
            "`taskweave inspect-data`"
        )
    return values * np.float32(_LAST)


def depth_reader(
    form: DepthForm,
    codes: Callable[[Path], Codes],
    camera: StereoCamera | Path,
    *,
    farthest: float | None,
    inverse: ReadInverseDepth | None = None,
) -> ReadInverseDepth | ReadStereoDepth:
    """How a tree's disparities are read; ValueError for an unknown form or a limit that leaves nothing."""
    if form not in ("inverse", "metres"):
        raise ValueError(f"Cityscapes has no depth {form!r}: expected 'inverse' or 'metres'")
    if farthest is not None and not farthest > 0:
        raise ValueError(f"farthest is a depth in metres above 0, or None for no limit, got {farthest}")
    return ReadStereoDepth(codes, camera, farthest) if form == "metres" else inverse or ReadInverseDepth(codes)


def read_camera(path: Path) -> StereoCamera:
    """``{"extrinsic": {"baseline": ...}, "intrinsic": {"fx": ...}}`` of the release's camera files."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        camera = StereoCamera(float(content["extrinsic"]["baseline"]), float(content["intrinsic"]["fx"]))
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is no camera file of Cityscapes ({type(error).__name__}: {error}): expected json with "
            "extrinsic.baseline and intrinsic.fx; use the release's file"
        ) from error
    if not (camera.baseline > 0 and camera.focal > 0):
        raise ValueError(f"{path} has baseline {camera.baseline:g} and fx {camera.focal:g}: expected both above 0")
    return camera


def far(options: Mapping[str, Any]) -> float:
    """The depth at which pictures reach their last colour, in the unit of these options."""
    return (options["farthest"] or FARTHEST) if options["depth"] == "metres" else 0.25


SEGMENTATION, DISPARITY, DEPTH = "segmentation", "disparity", "depth"
_IMAGE = "_leftImg8bit.png"
read_disparity = ReadInverseDepth(read_codes, offset=1, divisor=256)
"""uint16 numbers p, (H, W) -> disparity (p - 1) / 256 in pixels; 0 where p is 0 (not measured) or 1 (infinitely far)."""


def _facts(options: Mapping[str, Any]) -> SetFacts:
    names = CITYSCAPES_CLASSES[options["classes"]]
    return SetFacts("Cityscapes", (SEGMENTATION, DEPTH), names, size=(1024, 2048), far=far(options))


@states(facts=_facts)
def cityscapes(
    part: str,
    *,
    path: Folder,
    classes: CityscapesCount = 19,
    coded: Literal["labelIds", "labelTrainIds"] = "labelIds",
    depth: DepthForm = "inverse",
    farthest: Farthest = FARTHEST,
) -> FileSet:
    """Cityscapes: ``path/{leftImg8bit,gtFine,disparity}/<part>/<city>/<city>_NNNNNN_NNNNNN_*.png`` (2,975 and 500 images).

    Files end in ``_leftImg8bit.png``, ``_gtFine_labelIds.png`` or ``_gtFine_labelTrainIds.png``, and ``_disparity.png``;
    for depth in metres also ``path/camera/<part>/<city>/<city>_NNNNNN_NNNNNN_camera.json``.
    Keys are ``<city>_NNNNNN_NNNNNN``; the scene is the city, as the benchmark splits by cities. Beside ``segmentation`` and
    ``depth`` there is ``disparity`` (`Disparity`, pixels of the 2,048 wide picture, see `read_disparity`).

    Args:
        part: "train" or "val", which is also the "test".
        path: The folder.
        classes: 19, their 7 categories, or 2: person and rider as one class (the cross-connected paper) against the rest.
            What the benchmark does not evaluate is 255 in all three.
        coded: Which of the label files to read; both give the same targets. ``labelTrainIds`` are not in the download: the
            benchmark's scripts make them.
        depth: The form of ``depth``: "inverse", p / 65535 of the stored p as in MTAN's files (a `Disparity`, as it grows
            where a picture is enlarged), or "metres", baseline * fx / disparity by each picture's camera file (a `Depth`).
        farthest: Metres beyond which there is no depth in "metres"; None for no limit.
    """
    path, split = Path(path), "val" if part == "test" else part
    read_labels = ReadLabels(label_code(coded, classes))
    items = []
    for image, key, city in pictures_of(path, split):
        folder = Path(split) / city
        disparity = path / "disparity" / folder / f"{key}_disparity.png"
        camera = path / "camera" / folder / f"{key}_camera.json"
        fields = {
            "image": Field(image, read_picture),
            SEGMENTATION: Field(path / "gtFine" / folder / f"{key}_gtFine_{coded}.png", read_labels),
            DISPARITY: Field(disparity, read_disparity),
            DEPTH: Field(disparity, depth_reader(depth, read_codes, camera, farthest=farthest)),
        }
        items.append(Item(key, city, fields, str(image)))
    where, names = str(path / "leftImg8bit" / split), CITYSCAPES_CLASSES[classes]
    return FileSet(items, labels=(SEGMENTATION, DISPARITY, DEPTH), classes=names, where=where, complete=_complete)


def _complete(items: Sequence[Item], labels: Sequence[str]) -> Sequence[Item]:
    for item in items if DEPTH in labels else ():
        read = item.fields[DEPTH].read
        if isinstance(read, ReadStereoDepth) and isinstance(read.camera, Path) and not read.camera.is_file():
            raise FileNotFoundError(
                f"{read.camera} does not exist: metres need the camera of {item.fields['image'].path}; unpack the "
                "release's camera_trainvaltest.zip, or open the data set with depth='inverse'"
            )
    return with_files(items, labels)


def pictures_of(path: Path, split: str) -> list[tuple[Path, str, str]]:
    """Each picture of a split with its key and its city, in the order of their names."""
    if split not in ("train", "val"):
        raise ValueError(f"Cityscapes has no split {split!r} with labels: expected 'train' or 'val'")
    folder = path / "leftImg8bit" / split
    require_folder(folder, "<city>/*_leftImg8bit.png")
    return [(file, file.name.removesuffix(_IMAGE), file.parent.name) for file in sorted(folder.glob(f"*/*{_IMAGE}"))]

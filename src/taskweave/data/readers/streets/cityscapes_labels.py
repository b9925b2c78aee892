"""What the files of Cityscapes mean: its class sets (Cordts et al. 2016), and depth from its stereo disparities."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, final

import numpy as np
import numpy.typing as npt
import torch
from annotated_types import Gt

from taskweave.data.readers.files import read_values
from taskweave.data.readers.label_codes import IGNORE, LabelCode, regrouped
from taskweave.data.tensors import Depth, Disparity

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
    """baseline: metres between the two lenses. focal: focal length in pixels of the 2,048 wide picture."""

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
    """A file of disparities -> `Depth` (1, H, W) in metres: baseline * focal * 256 / (p - 1); 0 = invalid.

    Invalid is what was not measured (p = 0), lies infinitely far (p = 1) or beyond `farthest`.

    camera: it, or the camera json of the picture.
    farthest: metres; None leaves nothing out.
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
    codes: Codes = values * np.float32(_LAST)
    return codes


def depth_reader(
    form: DepthForm, codes: Callable[[Path], Codes], camera: StereoCamera | Path, *, farthest: float | None
) -> ReadInverseDepth | ReadStereoDepth:
    """How a tree's disparities are read; ValueError for another form than these two."""
    check_form(form, farthest)
    return ReadInverseDepth(codes) if form == "inverse" else ReadStereoDepth(codes, camera, farthest)


def check_form(form: DepthForm, farthest: float | None) -> None:
    """Raise ValueError for an unknown form or a limit that leaves nothing."""
    if form not in ("inverse", "metres"):
        raise ValueError(f"Cityscapes has no depth {form!r}: expected 'inverse' or 'metres'")
    if farthest is not None and not farthest > 0:
        raise ValueError(f"farthest is a depth in metres above 0, or None for no limit, got {farthest}")


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

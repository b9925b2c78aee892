"""NYUv2 as its authors publish it: nyu_depth_v2_labeled.mat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, final

import numpy as np
import torch
from torchvision import tv_tensors

from taskweave.data.facts import DENSE, Folder
from taskweave.data.normals import DerivedNormals
from taskweave.data.readers.arrays import h5_file
from taskweave.data.readers.files import IGNORE, LabelCode, decode_depth
from taskweave.data.readers.fileset import Field, FileSet, Item
from taskweave.data.readers.indoor.nyuv2 import REACH, ClassCount, class_names, from_forty, with_derived_normals
from taskweave.parts import Where, states

RAW_CLASSES = 894
_SPLITS = {"train": "trainNdxs", "test": "testNdxs"}


@states(facts=with_derived_normals)
def nyuv2_mat(
    part: str,
    *,
    path: Folder,
    splits: Annotated[Path, Where],
    class_map: Annotated[Path, Where],
    classes: ClassCount = 40,
) -> FileSet:
    """The official nyu_depth_v2_labeled.mat (1,449 pictures of 480 x 640; needs taskweave[data]).

    Depth is the in-painted one, in metres. Normals are derived from it and cached (`DerivedNormals`). The file names each
    picture's scene. Keys are the official indices, from 1. (Silberman et al. 2012.)

    Args:
        part: "train" or "test".
        path: The .mat file.
        splits: splits.mat with trainNdxs (795) and testNdxs (654).
        class_map: The class 1..40, 0 = none, of each of the 894 raw classes: classMapping40.mat of Gupta et al. (mapClass),
            or an .npy of 894 numbers.
        classes: The 40 classes, or the 13 that they are grouped into.
    """
    path = Path(path)
    names = class_names(classes)
    for file, what in (
        (path, "nyu_depth_v2_labeled.mat"),
        (Path(splits), "splits.mat"),
        (Path(class_map), "the class map"),
    ):
        if not file.is_file():
            raise FileNotFoundError(f"{file} is not a file: expected {what}; download it and give its path")
    if part not in _SPLITS:
        raise ValueError(f"splits.mat has no split {part!r}; it has {list(_SPLITS)}")
    code = from_forty(_code(Path(class_map)), classes)
    scenes = _scenes(path)
    indices = _indices(Path(splits), _SPLITS[part], count=len(scenes))
    items = [
        Item(f"{index + 1:04d}", scenes[index], _fields(path, index, code), f"{splits}, {_SPLITS[part]}")
        for index in indices
    ]
    return FileSet(items, labels=DENSE, classes=names, where=f"{_SPLITS[part]} of {splits}")


def _fields(path: Path, index: int, code: LabelCode) -> dict[str, Field]:
    depth = _ReadEntry("depths", index)
    return {
        "image": Field(path, _ReadEntry("images", index)),
        "segmentation": Field(path, _ReadEntry("labels", index, code)),
        "depth": Field(path, depth),
        "normals": Field(path, DerivedNormals(depth)),
    }


@final
@dataclass(frozen=True)
class _ReadEntry:
    """One picture's array `name` of the file -> Image, Mask by its code, or Depth."""

    name: Literal["images", "labels", "depths"]
    index: int
    code: LabelCode | None = None

    def __call__(self, path: Path) -> Any:
        where = f"{path}, {self.name} of picture {self.index + 1}"
        file, axes = h5_file(path), 4 if self.name == "images" else 3
        if self.name not in file or file[self.name].ndim != axes:
            found = file[self.name].shape if self.name in file else sorted(file)
            raise ValueError(f"{path} has no {self.name!r} with {axes} axes, found {found}: give nyu_depth_v2_labeled.mat")
        # MATLAB stores columns first, so h5py sees (..., W, H)
        values = np.ascontiguousarray(np.asarray(file[self.name][self.index]).swapaxes(-1, -2))
        if self.name == "images":
            return tv_tensors.Image(torch.from_numpy(values))
        return decode_depth(values, where, reach=REACH) if self.code is None else self.code.decode(values, where)


def _scenes(path: Path) -> list[str]:
    """Each picture's scene: ``scenes`` holds references to strings of character codes."""
    file = h5_file(path)
    if "scenes" not in file:
        raise ValueError(f"{path} has no 'scenes', found {sorted(file)}: give nyu_depth_v2_labeled.mat")
    return [
        "".join(chr(code) for code in np.asarray(file[reference]).flatten()) for reference in file["scenes"][()].flatten()
    ]


def _load_mat(path: Path) -> Mapping[str, Any]:
    from scipy.io import loadmat

    try:
        return dict(loadmat(path))
    except Exception as error:  # scipy raises whatever it stumbles over
        kind = type(error).__name__
        raise ValueError(f"{path} is not a readable .mat file ({kind}: {error}): download it again") from error


def _indices(splits: Path, name: str, *, count: int) -> list[int]:
    """Indices from 0 of a split; MATLAB's count from 1."""
    found = _load_mat(splits)
    if name not in found:
        known = sorted(key for key in found if not key.startswith("__"))
        raise ValueError(f"{splits} has no {name!r}, it has {known}: give the splits.mat of NYUv2")
    indices = [int(index) - 1 for index in np.asarray(found[name]).flatten()]
    outside = [index + 1 for index in indices if not 0 <= index < count]
    if outside:
        raise ValueError(
            f"{splits} names picture {outside[0]}: the .mat file has 1..{count}; the files do not belong together"
        )
    return indices


def _code(class_map: Path) -> LabelCode:
    values = np.load(class_map) if class_map.suffix == ".npy" else _load_mat(class_map).get("mapClass")
    if values is None or np.size(values) != RAW_CLASSES:
        found = "no mapClass" if values is None else f"{np.size(values)} numbers"
        raise ValueError(f"{class_map} has {found}: expected the class 1..40 of each of the {RAW_CLASSES} raw classes")
    mapped = [int(value) for value in np.asarray(values).flatten()]
    if min(mapped) < 0 or max(mapped) > 40:
        raise ValueError(f"{class_map} maps to {min(mapped)}..{max(mapped)}: expected 1..40, 0 = none")
    ids = {0: IGNORE} | {raw: IGNORE if to == 0 else to - 1 for raw, to in enumerate(mapped, start=1)}
    return LabelCode(ids, f"0 (no class) or one of the raw classes 1..{RAW_CLASSES}")

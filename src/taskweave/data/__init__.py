"""Data sets, their samples, joint transforms and orders."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "Batch": "sample",
    "Sample": "sample",
    "collate": "sample",
    "LabelledSet": "dataset",
    "Depth": "tensors",
    "Normals": "tensors",
    "Scenes": "scenes",
    "FileSet": "fileset",
    "open_nyud_mt": "nyud_mt",
    "open_nyuv2_folder": "nyuv2_folder",
    "open_nyuv2_lists": "nyuv2_lists",
    "open_nyuv2_mat": "nyuv2_mat",
    "open_nyuv2_mtan": "nyuv2_mtan",
    "Reduced": "reduced",
    "Part": "splits",
    "split_by_scene": "splits",
    "RandomCropPad": "transforms",
    "RandomDiscreteScale": "transforms",
    "RandomScale": "transforms",
    "Resize": "transforms",
    "ToInput": "transforms",
    "Transformed": "transformed",
    "BatchOrder": "order",
    "EpochOrder": "order",
    "Intrinsics": "normals",
    "NYUV2_CAMERA": "normals",
    "normals_from_depth": "normals",
    "cache_folder": "cache",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in _HOME:
        return getattr(import_module(f"taskweave.data.{_HOME[name]}"), name)
    raise AttributeError(f"module 'taskweave.data' has no attribute {name!r}; it has {sorted(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from taskweave.data.cache import cache_folder as cache_folder
    from taskweave.data.dataset import LabelledSet as LabelledSet
    from taskweave.data.fileset import FileSet as FileSet
    from taskweave.data.normals import NYUV2_CAMERA as NYUV2_CAMERA
    from taskweave.data.normals import Intrinsics as Intrinsics
    from taskweave.data.normals import normals_from_depth as normals_from_depth
    from taskweave.data.nyud_mt import open_nyud_mt as open_nyud_mt
    from taskweave.data.nyuv2_folder import open_nyuv2_folder as open_nyuv2_folder
    from taskweave.data.nyuv2_lists import open_nyuv2_lists as open_nyuv2_lists
    from taskweave.data.nyuv2_mat import open_nyuv2_mat as open_nyuv2_mat
    from taskweave.data.nyuv2_mtan import open_nyuv2_mtan as open_nyuv2_mtan
    from taskweave.data.order import BatchOrder as BatchOrder
    from taskweave.data.order import EpochOrder as EpochOrder
    from taskweave.data.reduced import Reduced as Reduced
    from taskweave.data.sample import Batch as Batch
    from taskweave.data.sample import Sample as Sample
    from taskweave.data.sample import collate as collate
    from taskweave.data.scenes import Scenes as Scenes
    from taskweave.data.splits import Part as Part
    from taskweave.data.splits import split_by_scene as split_by_scene
    from taskweave.data.tensors import Depth as Depth
    from taskweave.data.tensors import Normals as Normals
    from taskweave.data.transformed import Transformed as Transformed
    from taskweave.data.transforms import RandomCropPad as RandomCropPad
    from taskweave.data.transforms import RandomDiscreteScale as RandomDiscreteScale
    from taskweave.data.transforms import RandomScale as RandomScale
    from taskweave.data.transforms import Resize as Resize
    from taskweave.data.transforms import ToInput as ToInput

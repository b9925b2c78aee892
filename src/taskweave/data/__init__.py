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
    "Disparity": "tensors",
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
    "Mixture": "mixture",
    "ConstantInterval": "mixture_schedules",
    "MixtureSchedule": "mixture_schedules",
    "Proportional": "mixture_schedules",
    "RoundRobin": "mixture_schedules",
    "Temperature": "mixture_schedules",
    "BatchOrder": "order",
    "EpochOrder": "order",
    "Intrinsics": "normals",
    "NYUV2_CAMERA": "normals",
    "normals_from_depth": "normals",
    "cache_folder": "cache",
    "open_apascal": "apascal",
    "open_birds": "birds",
    "tiled": "birds",
    "open_box_csv": "box_csv",
    "BoxSet": "boxes_set",
    "open_caltech": "caltech",
    "open_caltech_extracted": "caltech_extracted",
    "CITYSCAPES_CLASSES": "cityscapes_classes",
    "open_cityscapes": "cityscapes",
    "CITYSCAPES_CAMERA": "cityscapes_depth",
    "DepthForm": "cityscapes_depth",
    "StereoCamera": "cityscapes_depth",
    "MTAN_CLASSES": "cityscapes_mtan",
    "open_cityscapes_mtan": "cityscapes_mtan",
    "open_auto_lambda": "auto_lambda",
    "open_adashare_cityscapes": "adashare",
    "open_adashare_nyuv2": "adashare",
    "open_citypersons": "citypersons",
    "open_coco": "coco",
    "Fit": "fit",
    "Inspection": "inspecting",
    "inspect": "inspecting",
    "JointTransform": "joint",
    "KITTI_PEDESTRIANS": "kitti",
    "open_kitti": "kitti",
    "open_penn_fudan": "penn_fudan",
    "BlockOrder": "order",
    "open_pets": "pets",
    "pets_sample": "pets_shipped",
    "open_pets_h5": "pets_h5",
    "open_imdb_wiki": "imdb_wiki",
    "open_utkface": "utkface",
    "WithProposals": "proposals",
    "grid_proposals": "proposals",
    "read_proposals": "proposals",
    "write_proposals": "proposals",
    "AllRois": "rois",
    "ROI_WEIGHTS": "rois",
    "SampleRois": "rois",
    "TargetRois": "rois",
    "Window": "tiling",
    "Windowed": "tiling",
    "merge_windows": "tiling",
    "right_halves": "tiling",
    "tile_windows": "tiling",
    "StoredBatches": "store.stored_set",
    "open_store": "store.stored_set",
    "pack_store": "store.packing",
    "VOC_CLASSES": "voc",
    "open_voc": "voc",
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
    from taskweave.data.adashare import open_adashare_cityscapes as open_adashare_cityscapes
    from taskweave.data.adashare import open_adashare_nyuv2 as open_adashare_nyuv2
    from taskweave.data.apascal import open_apascal as open_apascal
    from taskweave.data.auto_lambda import open_auto_lambda as open_auto_lambda
    from taskweave.data.birds import open_birds as open_birds
    from taskweave.data.birds import tiled as tiled
    from taskweave.data.box_csv import open_box_csv as open_box_csv
    from taskweave.data.boxes_set import BoxSet as BoxSet
    from taskweave.data.cache import cache_folder as cache_folder
    from taskweave.data.caltech import open_caltech as open_caltech
    from taskweave.data.caltech_extracted import open_caltech_extracted as open_caltech_extracted
    from taskweave.data.citypersons import open_citypersons as open_citypersons
    from taskweave.data.cityscapes import open_cityscapes as open_cityscapes
    from taskweave.data.cityscapes_classes import CITYSCAPES_CLASSES as CITYSCAPES_CLASSES
    from taskweave.data.cityscapes_depth import CITYSCAPES_CAMERA as CITYSCAPES_CAMERA
    from taskweave.data.cityscapes_depth import DepthForm as DepthForm
    from taskweave.data.cityscapes_depth import StereoCamera as StereoCamera
    from taskweave.data.cityscapes_mtan import MTAN_CLASSES as MTAN_CLASSES
    from taskweave.data.cityscapes_mtan import open_cityscapes_mtan as open_cityscapes_mtan
    from taskweave.data.coco import open_coco as open_coco
    from taskweave.data.dataset import LabelledSet as LabelledSet
    from taskweave.data.fileset import FileSet as FileSet
    from taskweave.data.fit import Fit as Fit
    from taskweave.data.imdb_wiki import open_imdb_wiki as open_imdb_wiki
    from taskweave.data.inspecting import Inspection as Inspection
    from taskweave.data.inspecting import inspect as inspect
    from taskweave.data.joint import JointTransform as JointTransform
    from taskweave.data.kitti import KITTI_PEDESTRIANS as KITTI_PEDESTRIANS
    from taskweave.data.kitti import open_kitti as open_kitti
    from taskweave.data.mixture import Mixture as Mixture
    from taskweave.data.mixture_schedules import ConstantInterval as ConstantInterval
    from taskweave.data.mixture_schedules import MixtureSchedule as MixtureSchedule
    from taskweave.data.mixture_schedules import Proportional as Proportional
    from taskweave.data.mixture_schedules import RoundRobin as RoundRobin
    from taskweave.data.mixture_schedules import Temperature as Temperature
    from taskweave.data.normals import NYUV2_CAMERA as NYUV2_CAMERA
    from taskweave.data.normals import Intrinsics as Intrinsics
    from taskweave.data.normals import normals_from_depth as normals_from_depth
    from taskweave.data.nyud_mt import open_nyud_mt as open_nyud_mt
    from taskweave.data.nyuv2_folder import open_nyuv2_folder as open_nyuv2_folder
    from taskweave.data.nyuv2_lists import open_nyuv2_lists as open_nyuv2_lists
    from taskweave.data.nyuv2_mat import open_nyuv2_mat as open_nyuv2_mat
    from taskweave.data.nyuv2_mtan import open_nyuv2_mtan as open_nyuv2_mtan
    from taskweave.data.order import BatchOrder as BatchOrder
    from taskweave.data.order import BlockOrder as BlockOrder
    from taskweave.data.order import EpochOrder as EpochOrder
    from taskweave.data.penn_fudan import open_penn_fudan as open_penn_fudan
    from taskweave.data.pets import open_pets as open_pets
    from taskweave.data.pets_h5 import open_pets_h5 as open_pets_h5
    from taskweave.data.pets_shipped import pets_sample as pets_sample
    from taskweave.data.proposals import WithProposals as WithProposals
    from taskweave.data.proposals import grid_proposals as grid_proposals
    from taskweave.data.proposals import read_proposals as read_proposals
    from taskweave.data.proposals import write_proposals as write_proposals
    from taskweave.data.reduced import Reduced as Reduced
    from taskweave.data.rois import ROI_WEIGHTS as ROI_WEIGHTS
    from taskweave.data.rois import AllRois as AllRois
    from taskweave.data.rois import SampleRois as SampleRois
    from taskweave.data.rois import TargetRois as TargetRois
    from taskweave.data.sample import Batch as Batch
    from taskweave.data.sample import Sample as Sample
    from taskweave.data.sample import collate as collate
    from taskweave.data.scenes import Scenes as Scenes
    from taskweave.data.splits import Part as Part
    from taskweave.data.splits import split_by_scene as split_by_scene
    from taskweave.data.store.packing import pack_store as pack_store
    from taskweave.data.store.stored_set import StoredBatches as StoredBatches
    from taskweave.data.store.stored_set import open_store as open_store
    from taskweave.data.tensors import Depth as Depth
    from taskweave.data.tensors import Disparity as Disparity
    from taskweave.data.tensors import Normals as Normals
    from taskweave.data.tiling import Window as Window
    from taskweave.data.tiling import Windowed as Windowed
    from taskweave.data.tiling import merge_windows as merge_windows
    from taskweave.data.tiling import right_halves as right_halves
    from taskweave.data.tiling import tile_windows as tile_windows
    from taskweave.data.transformed import Transformed as Transformed
    from taskweave.data.transforms import RandomCropPad as RandomCropPad
    from taskweave.data.transforms import RandomDiscreteScale as RandomDiscreteScale
    from taskweave.data.transforms import RandomScale as RandomScale
    from taskweave.data.transforms import Resize as Resize
    from taskweave.data.transforms import ToInput as ToInput
    from taskweave.data.utkface import open_utkface as open_utkface
    from taskweave.data.voc import VOC_CLASSES as VOC_CLASSES
    from taskweave.data.voc import open_voc as open_voc

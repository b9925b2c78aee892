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
    "SetFacts": "facts",
    "scenes": "generated.scenes",
    "FileSet": "readers.fileset",
    "nyud_mt": "readers.indoor.nyud_mt",
    "nyuv2_folder": "readers.indoor.nyuv2_folder",
    "nyuv2_lists": "readers.indoor.nyuv2_lists",
    "nyuv2_mat": "readers.indoor.nyuv2_mat",
    "nyuv2_mtan": "readers.indoor.nyuv2_mtan",
    "Reduced": "reduced",
    "Part": "splits",
    "split_by_scene": "splits",
    "colour": "transforms.augmentation",
    "mirror": "transforms.augmentation",
    "RandomCrop": "transforms.augmentation",
    "ZoomCrops": "transforms.augmentation",
    "RandomScale": "transforms.augmentation",
    "Resize": "transforms.augmentation",
    "ToInput": "transforms.augmentation",
    "Transformed": "transformed",
    "Mixture": "mixture",
    "ConstantInterval": "mixture_order",
    "MixtureSchedule": "mixture_order",
    "Proportional": "mixture_order",
    "RoundRobin": "mixture_order",
    "Temperature": "mixture_order",
    "BatchOrder": "order",
    "EpochOrder": "order",
    "Intrinsics": "normals",
    "NYUV2_CAMERA": "normals",
    "normals_from_depth": "normals",
    "cache_folder": "readers.cache",
    "apascal": "readers.boxes.apascal",
    "birds": "readers.boxes.birds",
    "tiled": "readers.boxes.birds",
    "box_csv": "readers.boxes.box_csv",
    "BoxSet": "readers.boxes.boxes_set",
    "caltech": "readers.streets.caltech",
    "caltech_extracted": "readers.streets.caltech_extracted",
    "CITYSCAPES_CLASSES": "readers.streets.cityscapes_labels",
    "cityscapes": "readers.streets.cityscapes",
    "CITYSCAPES_CAMERA": "readers.streets.cityscapes_labels",
    "DepthForm": "readers.streets.cityscapes_labels",
    "StereoCamera": "readers.streets.cityscapes_labels",
    "MTAN_CLASSES": "readers.streets.cityscapes_mtan",
    "cityscapes_mtan": "readers.streets.cityscapes_mtan",
    "auto_lambda": "readers.streets.auto_lambda",
    "adashare_cityscapes": "readers.indoor.adashare",
    "adashare_nyuv2": "readers.indoor.adashare",
    "citypersons": "readers.streets.citypersons",
    "coco": "readers.boxes.coco",
    "Fit": "transforms.augmentation",
    "Inspection": "inspection",
    "inspect": "inspection",
    "JointTransform": "transforms.augmentation",
    "KITTI_PEDESTRIANS": "readers.streets.kitti",
    "kitti": "readers.streets.kitti",
    "penn_fudan": "readers.boxes.penn_fudan",
    "BlockOrder": "order",
    "pets": "readers.whole_images.pets",
    "pets_sample": "readers.whole_images.pets",
    "pets_h5": "readers.whole_images.pets_h5",
    "imdb_wiki": "readers.whole_images.imdb_wiki",
    "utkface": "readers.whole_images.utkface",
    "WithProposals": "transforms.proposals",
    "grid_proposals": "transforms.proposals",
    "read_proposals": "transforms.proposals",
    "write_proposals": "transforms.proposals",
    "AllRois": "transforms.rois",
    "ROI_WEIGHTS": "transforms.rois",
    "SampleRois": "transforms.rois",
    "TargetRois": "transforms.rois",
    "Window": "transforms.tiling",
    "Windowed": "transforms.tiling",
    "merge_windows": "transforms.tiling",
    "right_halves": "transforms.tiling",
    "tile_windows": "transforms.tiling",
    "StoredBatches": "store.stored_set",
    "open_store": "store.stored_set",
    "stored": "store.part",
    "pack_store": "store.packing",
    "VOC_CLASSES": "readers.boxes.voc",
    "voc": "readers.boxes.voc",
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
    from taskweave.data.dataset import LabelledSet as LabelledSet
    from taskweave.data.facts import SetFacts as SetFacts
    from taskweave.data.generated.scenes import scenes as scenes
    from taskweave.data.inspection import Inspection as Inspection
    from taskweave.data.inspection import inspect as inspect
    from taskweave.data.mixture import Mixture as Mixture
    from taskweave.data.mixture_order import ConstantInterval as ConstantInterval
    from taskweave.data.mixture_order import MixtureSchedule as MixtureSchedule
    from taskweave.data.mixture_order import Proportional as Proportional
    from taskweave.data.mixture_order import RoundRobin as RoundRobin
    from taskweave.data.mixture_order import Temperature as Temperature
    from taskweave.data.normals import NYUV2_CAMERA as NYUV2_CAMERA
    from taskweave.data.normals import Intrinsics as Intrinsics
    from taskweave.data.normals import normals_from_depth as normals_from_depth
    from taskweave.data.order import BatchOrder as BatchOrder
    from taskweave.data.order import BlockOrder as BlockOrder
    from taskweave.data.order import EpochOrder as EpochOrder
    from taskweave.data.readers.boxes.apascal import apascal as apascal
    from taskweave.data.readers.boxes.birds import birds as birds
    from taskweave.data.readers.boxes.birds import tiled as tiled
    from taskweave.data.readers.boxes.box_csv import box_csv as box_csv
    from taskweave.data.readers.boxes.boxes_set import BoxSet as BoxSet
    from taskweave.data.readers.boxes.coco import coco as coco
    from taskweave.data.readers.boxes.penn_fudan import penn_fudan as penn_fudan
    from taskweave.data.readers.boxes.voc import VOC_CLASSES as VOC_CLASSES
    from taskweave.data.readers.boxes.voc import voc as voc
    from taskweave.data.readers.cache import cache_folder as cache_folder
    from taskweave.data.readers.fileset import FileSet as FileSet
    from taskweave.data.readers.indoor.adashare import adashare_cityscapes as adashare_cityscapes
    from taskweave.data.readers.indoor.adashare import adashare_nyuv2 as adashare_nyuv2
    from taskweave.data.readers.indoor.nyud_mt import nyud_mt as nyud_mt
    from taskweave.data.readers.indoor.nyuv2_folder import nyuv2_folder as nyuv2_folder
    from taskweave.data.readers.indoor.nyuv2_lists import nyuv2_lists as nyuv2_lists
    from taskweave.data.readers.indoor.nyuv2_mat import nyuv2_mat as nyuv2_mat
    from taskweave.data.readers.indoor.nyuv2_mtan import nyuv2_mtan as nyuv2_mtan
    from taskweave.data.readers.streets.auto_lambda import auto_lambda as auto_lambda
    from taskweave.data.readers.streets.caltech import caltech as caltech
    from taskweave.data.readers.streets.caltech_extracted import caltech_extracted as caltech_extracted
    from taskweave.data.readers.streets.citypersons import citypersons as citypersons
    from taskweave.data.readers.streets.cityscapes import cityscapes as cityscapes
    from taskweave.data.readers.streets.cityscapes_labels import CITYSCAPES_CAMERA as CITYSCAPES_CAMERA
    from taskweave.data.readers.streets.cityscapes_labels import CITYSCAPES_CLASSES as CITYSCAPES_CLASSES
    from taskweave.data.readers.streets.cityscapes_labels import DepthForm as DepthForm
    from taskweave.data.readers.streets.cityscapes_labels import StereoCamera as StereoCamera
    from taskweave.data.readers.streets.cityscapes_mtan import MTAN_CLASSES as MTAN_CLASSES
    from taskweave.data.readers.streets.cityscapes_mtan import cityscapes_mtan as cityscapes_mtan
    from taskweave.data.readers.streets.kitti import KITTI_PEDESTRIANS as KITTI_PEDESTRIANS
    from taskweave.data.readers.streets.kitti import kitti as kitti
    from taskweave.data.readers.whole_images.imdb_wiki import imdb_wiki as imdb_wiki
    from taskweave.data.readers.whole_images.pets import pets as pets
    from taskweave.data.readers.whole_images.pets import pets_sample as pets_sample
    from taskweave.data.readers.whole_images.pets_h5 import pets_h5 as pets_h5
    from taskweave.data.readers.whole_images.utkface import utkface as utkface
    from taskweave.data.reduced import Reduced as Reduced
    from taskweave.data.sample import Batch as Batch
    from taskweave.data.sample import Sample as Sample
    from taskweave.data.sample import collate as collate
    from taskweave.data.splits import Part as Part
    from taskweave.data.splits import split_by_scene as split_by_scene
    from taskweave.data.store.packing import pack_store as pack_store
    from taskweave.data.store.part import stored as stored
    from taskweave.data.store.stored_set import StoredBatches as StoredBatches
    from taskweave.data.store.stored_set import open_store as open_store
    from taskweave.data.tensors import Depth as Depth
    from taskweave.data.tensors import Disparity as Disparity
    from taskweave.data.tensors import Normals as Normals
    from taskweave.data.transformed import Transformed as Transformed
    from taskweave.data.transforms.augmentation import Fit as Fit
    from taskweave.data.transforms.augmentation import JointTransform as JointTransform
    from taskweave.data.transforms.augmentation import RandomCrop as RandomCrop
    from taskweave.data.transforms.augmentation import RandomScale as RandomScale
    from taskweave.data.transforms.augmentation import Resize as Resize
    from taskweave.data.transforms.augmentation import ToInput as ToInput
    from taskweave.data.transforms.augmentation import ZoomCrops as ZoomCrops
    from taskweave.data.transforms.augmentation import colour as colour
    from taskweave.data.transforms.augmentation import mirror as mirror
    from taskweave.data.transforms.proposals import WithProposals as WithProposals
    from taskweave.data.transforms.proposals import grid_proposals as grid_proposals
    from taskweave.data.transforms.proposals import read_proposals as read_proposals
    from taskweave.data.transforms.proposals import write_proposals as write_proposals
    from taskweave.data.transforms.rois import ROI_WEIGHTS as ROI_WEIGHTS
    from taskweave.data.transforms.rois import AllRois as AllRois
    from taskweave.data.transforms.rois import SampleRois as SampleRois
    from taskweave.data.transforms.rois import TargetRois as TargetRois
    from taskweave.data.transforms.tiling import Window as Window
    from taskweave.data.transforms.tiling import Windowed as Windowed
    from taskweave.data.transforms.tiling import merge_windows as merge_windows
    from taskweave.data.transforms.tiling import right_halves as right_halves
    from taskweave.data.transforms.tiling import tile_windows as tile_windows

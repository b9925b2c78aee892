"""Data sets, their samples, joint transforms and orders."""

from taskweave.data.dataset import LabelledSet
from taskweave.data.facts import SetFacts
from taskweave.data.generated.scenes import scenes
from taskweave.data.inspection import Inspection, inspect
from taskweave.data.mixture import Mixture
from taskweave.data.mixture_order import ConstantInterval, MixtureSchedule, Proportional, RoundRobin, Temperature
from taskweave.data.normals import NYUV2_CAMERA, Intrinsics, normals_from_depth
from taskweave.data.order import BatchOrder, BlockOrder, EpochOrder
from taskweave.data.readers.arrays import cache_folder
from taskweave.data.readers.boxes.box_csv import birds, box_csv, tiled
from taskweave.data.readers.boxes.boxes_set import BoxSet
from taskweave.data.readers.boxes.coco import coco
from taskweave.data.readers.boxes.penn_fudan import penn_fudan
from taskweave.data.readers.boxes.voc import VOC_CLASSES, apascal, voc
from taskweave.data.readers.fileset import FileSet
from taskweave.data.readers.indoor.adashare import adashare_cityscapes, adashare_nyuv2
from taskweave.data.readers.indoor.nyuv2 import nyud_mt, nyuv2_folder, nyuv2_lists, nyuv2_mtan
from taskweave.data.readers.indoor.nyuv2_mat import nyuv2_mat
from taskweave.data.readers.streets.caltech import caltech, caltech_extracted
from taskweave.data.readers.streets.citypersons import citypersons
from taskweave.data.readers.streets.cityscapes import (
    CITYSCAPES_CAMERA,
    CITYSCAPES_CLASSES,
    DepthForm,
    StereoCamera,
    cityscapes,
)
from taskweave.data.readers.streets.cityscapes_copies import MTAN_CLASSES, auto_lambda, cityscapes_mtan
from taskweave.data.readers.streets.kitti import KITTI_PEDESTRIANS, kitti
from taskweave.data.readers.whole_images.faces import imdb_wiki, utkface
from taskweave.data.readers.whole_images.pets import pets, pets_sample
from taskweave.data.readers.whole_images.pets_h5 import pets_h5
from taskweave.data.sample import Batch, Sample, collate
from taskweave.data.splits import Subset, split_by_scene
from taskweave.data.store.packing import pack_store
from taskweave.data.store.stored_set import StoredBatches, open_store, stored
from taskweave.data.tensors import Depth, Disparity, Normals
from taskweave.data.transformed import Reduced, Transformed
from taskweave.data.transforms.augmentation import (
    Fit,
    JointTransform,
    RandomCrop,
    RandomScale,
    Resize,
    ToInput,
    ZoomCrops,
    colour,
    mirror,
)
from taskweave.data.transforms.proposals import WithProposals, grid_proposals, read_proposals, write_proposals
from taskweave.data.transforms.rois import ROI_WEIGHTS, AllRois, SampleRois, TargetRois
from taskweave.data.transforms.tiling import Window, Windowed, merge_windows, right_halves, tile_windows

__all__ = [
    "CITYSCAPES_CAMERA", "CITYSCAPES_CLASSES", "KITTI_PEDESTRIANS", "MTAN_CLASSES", "NYUV2_CAMERA", "ROI_WEIGHTS",
    "VOC_CLASSES", "AllRois", "Batch", "BatchOrder", "BlockOrder", "BoxSet", "ConstantInterval", "Depth", "DepthForm",
    "Disparity", "EpochOrder", "FileSet", "Fit", "Inspection", "Intrinsics", "JointTransform", "LabelledSet",
    "Mixture", "MixtureSchedule", "Normals", "Proportional", "RandomCrop", "RandomScale", "Reduced", "Resize",
    "RoundRobin", "Sample", "SampleRois", "SetFacts", "StereoCamera", "StoredBatches", "Subset", "TargetRois",
    "Temperature", "ToInput", "Transformed", "Window", "Windowed", "WithProposals", "ZoomCrops",
    "adashare_cityscapes", "adashare_nyuv2", "apascal", "auto_lambda", "birds", "box_csv", "cache_folder", "caltech",
    "caltech_extracted", "citypersons", "cityscapes", "cityscapes_mtan", "coco", "collate", "colour",
    "grid_proposals", "imdb_wiki", "inspect", "kitti", "merge_windows", "mirror", "normals_from_depth", "nyud_mt",
    "nyuv2_folder", "nyuv2_lists", "nyuv2_mat", "nyuv2_mtan", "open_store", "pack_store", "penn_fudan", "pets",
    "pets_h5", "pets_sample", "read_proposals", "right_halves", "scenes", "split_by_scene", "stored", "tile_windows",
    "tiled", "utkface", "voc", "write_proposals",
]  # fmt: skip

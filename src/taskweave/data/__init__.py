"""Data sets, their samples, joint transforms and orders."""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.data.dataset import LabelledSet as LabelledSet
    from taskweave.data.facts import SetFacts as SetFacts
    from taskweave.data.generated.scenes import scenes as scenes
    from taskweave.data.inspection import Inspection as Inspection, inspect as inspect
    from taskweave.data.mixture import Mixture as Mixture
    from taskweave.data.mixture_order import (
        ConstantInterval as ConstantInterval,
        MixtureSchedule as MixtureSchedule,
        Proportional as Proportional,
        RoundRobin as RoundRobin,
        Temperature as Temperature,
    )
    from taskweave.data.normals import (
        NYUV2_CAMERA as NYUV2_CAMERA,
        Intrinsics as Intrinsics,
        normals_from_depth as normals_from_depth,
    )
    from taskweave.data.order import BatchOrder as BatchOrder, BlockOrder as BlockOrder, EpochOrder as EpochOrder
    from taskweave.data.readers.arrays import cache_folder as cache_folder
    from taskweave.data.readers.boxes.box_csv import birds as birds, box_csv as box_csv, tiled as tiled
    from taskweave.data.readers.boxes.boxes_set import BoxSet as BoxSet
    from taskweave.data.readers.boxes.coco import coco as coco
    from taskweave.data.readers.boxes.penn_fudan import penn_fudan as penn_fudan
    from taskweave.data.readers.boxes.voc import VOC_CLASSES as VOC_CLASSES, apascal as apascal, voc as voc
    from taskweave.data.readers.fileset import FileSet as FileSet
    from taskweave.data.readers.indoor.adashare import (
        adashare_cityscapes as adashare_cityscapes,
        adashare_nyuv2 as adashare_nyuv2,
    )
    from taskweave.data.readers.indoor.nyuv2 import (
        nyud_mt as nyud_mt,
        nyuv2_folder as nyuv2_folder,
        nyuv2_lists as nyuv2_lists,
        nyuv2_mtan as nyuv2_mtan,
    )
    from taskweave.data.readers.indoor.nyuv2_mat import nyuv2_mat as nyuv2_mat
    from taskweave.data.readers.streets.caltech import caltech as caltech, caltech_extracted as caltech_extracted
    from taskweave.data.readers.streets.citypersons import citypersons as citypersons
    from taskweave.data.readers.streets.cityscapes import (
        CITYSCAPES_CAMERA as CITYSCAPES_CAMERA,
        CITYSCAPES_CLASSES as CITYSCAPES_CLASSES,
        DepthForm as DepthForm,
        StereoCamera as StereoCamera,
        cityscapes as cityscapes,
    )
    from taskweave.data.readers.streets.cityscapes_copies import (
        MTAN_CLASSES as MTAN_CLASSES,
        auto_lambda as auto_lambda,
        cityscapes_mtan as cityscapes_mtan,
    )
    from taskweave.data.readers.streets.kitti import KITTI_PEDESTRIANS as KITTI_PEDESTRIANS, kitti as kitti
    from taskweave.data.readers.whole_images.faces import imdb_wiki as imdb_wiki, utkface as utkface
    from taskweave.data.readers.whole_images.pets import pets as pets, pets_sample as pets_sample
    from taskweave.data.readers.whole_images.pets_h5 import pets_h5 as pets_h5
    from taskweave.data.sample import Batch as Batch, Sample as Sample, collate as collate
    from taskweave.data.splits import Subset as Subset, split_by_scene as split_by_scene
    from taskweave.data.store.packing import pack_store as pack_store
    from taskweave.data.store.stored_set import StoredBatches as StoredBatches, open_store as open_store, stored as stored
    from taskweave.data.tensors import Depth as Depth, Disparity as Disparity, Normals as Normals
    from taskweave.data.transformed import Reduced as Reduced, Transformed as Transformed
    from taskweave.data.transforms.augmentation import (
        Fit as Fit,
        JointTransform as JointTransform,
        RandomCrop as RandomCrop,
        RandomScale as RandomScale,
        Resize as Resize,
        ToInput as ToInput,
        ZoomCrops as ZoomCrops,
        colour as colour,
        mirror as mirror,
    )
    from taskweave.data.transforms.proposals import (
        WithProposals as WithProposals,
        grid_proposals as grid_proposals,
        read_proposals as read_proposals,
        write_proposals as write_proposals,
    )
    from taskweave.data.transforms.rois import (
        ROI_WEIGHTS as ROI_WEIGHTS,
        AllRois as AllRois,
        SampleRois as SampleRois,
        TargetRois as TargetRois,
    )
    from taskweave.data.transforms.tiling import (
        Window as Window,
        Windowed as Windowed,
        merge_windows as merge_windows,
        right_halves as right_halves,
        tile_windows as tile_windows,
    )
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)

"""A writer of small files in every layout, and what an inspection finds there."""

import pytest
from data import box_trees, pet_trees, republished_trees, street_trees, trees
from data.store_toys import Kinds

import taskweave as tw


def both(write, *splits):
    """A writer of one split -> of several."""

    def write_all(root):
        for split in splits:
            write(root, split)

    return write_all


def write_mat(root):
    pytest.importorskip("h5py", reason="nyu_depth_v2_labeled.mat needs taskweave[data]")
    trees.write_mat(root)


def write_caltech(root):
    street_trees.write_caltech(root, frames=street_trees.FRAMES * 9)


def write_cityscapes(root):
    both(street_trees.write_cityscapes, "train", "val")(root)
    republished_trees.write_cameras(root)  # of train only


def write_pets_h5(root):
    pytest.importorskip("h5py", reason="the pets' h5 form needs taskweave[data]")
    pet_trees.write_pets_h5(root)


def write_store(root):
    pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")
    parts = {"train": Kinds(3, names=("segmentation", "detection")), "held_out": Kinds(1, names=("detection",))}
    tw.data.pack_store(parts, root)


def write_imdb_wiki(root):
    pet_trees.write_imdb_wiki(root)


DENSE = {"image", "segmentation, 13 classes", "depth", "normals"}
CITY = {"image", "segmentation, 19 classes", "depth"}
OF_BOXES = {"image", "detection"}
OF_PETS = {"image", "segmentation, 2 classes", "species", "box"}
OF_FACES = {"image", "age", "gender"}
# reader: (writer, pictures of each split, targets of the first)
WRITTEN = {
    "nyuv2_folder": (
        both(trees.write_folder, "train", "val"),
        {"train": 5, "val": 5},
        {"image", "segmentation, 40 classes", "depth"},
    ),
    "nyuv2_mtan": (both(trees.write_mtan, "train", "val"), {"train": 5, "val": 5}, DENSE),
    "nyuv2_lists": (
        both(trees.write_lists, "training", "testing"),
        {"training": 5, "testing": 5},
        {"image", "segmentation, 40 classes", "normals"},
    ),
    "nyud_mt": (
        both(trees.write_nyud_mt, "train"),
        {"train": 5},
        {"image", "segmentation, 40 classes", "depth", "normals"},
    ),
    "nyuv2_mat": (write_mat, {"train": 4, "test": 1}, {"image", "segmentation, 40 classes", "depth"}),
    "adashare_nyuv2": (
        republished_trees.write_adashare_nyuv2,
        {"train": 4, "test": 1},
        {"image", "segmentation, 40 classes", "depth", "normals"},
    ),
    "cityscapes": (write_cityscapes, {"train": 3, "val": 3}, CITY | {"disparity"}),
    "cityscapes_mtan": (
        both(republished_trees.write_cityscapes_mtan, "train", "val"),
        {"train": 4, "val": 4},
        CITY | {"segmentation, 7 classes", "segmentation, 2 classes"},
    ),
    "auto_lambda": (both(republished_trees.write_auto_lambda, "train", "val"), {"train": 4, "val": 4}, CITY),
    "adashare_cityscapes": (
        republished_trees.write_adashare_cityscapes,
        {"train": 3, "test": 1},
        CITY | {"segmentation, 7 classes", "segmentation, 2 classes"},
    ),
    "penn_fudan": (
        box_trees.write_penn_fudan,
        {"train": 3, "test": 1},
        OF_BOXES | {"segmentation, 2 classes"},
    ),
    "voc": (lambda root: box_trees.write_voc(root, split="val"), {"2007 val": 4}, OF_BOXES),
    "apascal": (box_trees.write_apascal, {"train": 3}, OF_BOXES | {"attributes"}),
    "coco": (box_trees.write_coco, {"val2017": 4}, OF_BOXES),
    "box_csv": (box_trees.write_box_csv, {"train": 4}, OF_BOXES),
    "birds": (box_trees.write_birds, {"train": 2}, OF_BOXES | {"segmentation, 4 classes"}),
    "caltech": (write_caltech, {"train": 2, "test": 2}, OF_BOXES),
    "caltech_extracted": (street_trees.write_caltech_extracted, {"train": 7, "test": 7}, OF_BOXES),
    "kitti": (street_trees.write_kitti, {"training": 3}, OF_BOXES),
    "citypersons": (street_trees.write_citypersons, {"train": 3}, OF_BOXES | {"segmentation, 2 classes"}),
    "pets": (pet_trees.write_boxed_pets, {"trainval": 2}, OF_PETS | {"breed"}),
    "pets_h5": (write_pets_h5, {"all": 7}, OF_PETS),
    "utkface": (pet_trees.write_utkface, {"all": 5}, OF_FACES),
    "imdb_wiki": (write_imdb_wiki, {"all": 5}, OF_FACES),
    "stored": (write_store, {"train": 3, "held_out": 1}, OF_BOXES | {"segmentation, 2 classes"}),
}

"""Every data set keeps the contract; that its checks can fail is in test_dataset_contract_fails.py."""

import pytest
from contracts import dataset_contract as contract
from data import box_trees, pet_trees, republished_trees, street_trees, trees

from taskweave.data import (
    Part,
    Reduced,
    Scenes,
    WithProposals,
    grid_proposals,
    open_adashare_cityscapes,
    open_adashare_nyuv2,
    open_apascal,
    open_auto_lambda,
    open_birds,
    open_box_csv,
    open_caltech,
    open_caltech_extracted,
    open_citypersons,
    open_cityscapes,
    open_cityscapes_mtan,
    open_coco,
    open_imdb_wiki,
    open_kitti,
    open_nyud_mt,
    open_nyuv2_folder,
    open_nyuv2_lists,
    open_nyuv2_mat,
    open_nyuv2_mtan,
    open_penn_fudan,
    open_pets,
    open_pets_h5,
    open_store,
    open_utkface,
    open_voc,
    pack_store,
    tiled,
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


def folder(root):
    trees.write_folder(root)
    return open_nyuv2_folder(root, split="train")


def folder_of_13(root):
    trees.write_folder(root, classes=13)
    return open_nyuv2_folder(root, split="train", classes=13, labels=("depth", "segmentation"))


def mtan(root):
    trees.write_mtan(root)
    return open_nyuv2_mtan(root, split="train")


def lists(root):
    trees.write_lists(root)
    return open_nyuv2_lists(root, split="training")


def nyud_mt(root):
    trees.write_nyud_mt(root)
    return open_nyud_mt(root, split="train")


def nyud_mt_pictures(root):
    trees.write_nyud_mt(root, pictures=True)
    return open_nyud_mt(root, split="train", classes=13)


def mat(root):
    pytest.importorskip("h5py", reason="nyu_depth_v2_labeled.mat needs taskweave[data]")
    trees.write_mat(root)
    path = root / "nyu_depth_v2_labeled.mat"
    return open_nyuv2_mat(path, splits=root / "splits.mat", split="train", class_map=root / "classMapping40.mat")


def reduced(root):
    return Reduced(mtan(root), size=(12, 17), in_memory=True)


def part(root):
    return Part(mtan(root), [3, 1])


def scenes(root):
    return Scenes(3, size=(32, 48), labels=("segmentation", "depth", "normals", "detection", "attributes"))


def reduced_scenes(root):
    return Reduced(scenes(root), size=(20, 24))


def voc(root):
    box_trees.write_voc(root)
    return open_voc(root, year=2007, split="trainval")


def apascal(root):
    box_trees.write_apascal(root)
    return open_apascal(root, split="train")


def apascal_reduced_with_proposals(root):
    return WithProposals(Reduced(apascal(root), size=(16, 16)), grid_proposals)


def penn_fudan(root):
    box_trees.write_penn_fudan(root)
    return open_penn_fudan(root, split="train")


def coco(root):
    box_trees.write_coco(root)
    return open_coco(root / "val2017", root / "annotations" / "instances_val2017.json")


def box_csv(root):
    box_trees.write_box_csv(root)
    return open_box_csv(root / "images" / "train", root / "annotations" / "train_labels.csv")


def birds(root):
    box_trees.write_birds(root)
    return open_birds(root, split="train", part="right half")


def birds_in_tiles(root):
    return tiled(birds(root), (40, 30), overlap=10)


def caltech(root):
    street_trees.write_caltech(root)
    return open_caltech(root, split="train", step=3)


def caltech_extracted(root):
    street_trees.write_caltech_extracted(root)
    return open_caltech_extracted(root, split="test")


def kitti(root):
    street_trees.write_kitti(root)
    return open_kitti(root)


def citypersons(root):
    street_trees.write_citypersons(root)
    return open_citypersons(root, split="train", labels=("detection", "segmentation"))


def cityscapes(root):
    street_trees.write_cityscapes(root)
    return open_cityscapes(root, split="train", labels=("segmentation", "disparity", "depth"))


def cityscapes_in_metres(root):
    street_trees.write_cityscapes(root)
    republished_trees.write_cameras(root)
    return open_cityscapes(root, split="train", labels=("depth", "segmentation"), depth="metres")


def cityscapes_mtan(root):
    republished_trees.write_cityscapes_mtan(root)
    return open_cityscapes_mtan(root, split="train")


def auto_lambda_in_metres(root):
    republished_trees.write_auto_lambda(root)
    return open_auto_lambda(root, split="train", depth="metres")


def adashare_cityscapes(root):
    republished_trees.write_adashare_cityscapes(root)
    return open_adashare_cityscapes(root, split="train")


def adashare_nyuv2(root):
    republished_trees.write_adashare_nyuv2(root)
    return open_adashare_nyuv2(root, split="train")


def pets(root):
    pet_trees.write_pets(root)
    return open_pets(root, split="trainval", border="class", labels=("species", "breed", "box", "segmentation"))


def pets_reduced(root):
    pet_trees.write_pets(root)
    return Reduced(Part(open_pets(root, split="all"), [3, 1]), size=(16, 20), in_memory=True)


def pets_h5(root):
    pytest.importorskip("h5py", reason="the pets' h5 form needs taskweave[data]")
    pet_trees.write_pets_h5(root)
    return open_pets_h5(root, block=None)


def imdb_wiki(root):
    pet_trees.write_imdb_wiki(root)
    return open_imdb_wiki(root, split="train")


def utkface(root):
    pet_trees.write_utkface(root, names=pet_trees.UTK_NAMES)
    return open_utkface(root, split="train")


OF_WHOLE_PICTURES = [pets, pets_reduced, pets_h5, imdb_wiki, utkface]


def stored(root):
    pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")
    pack_store({"train": apascal_reduced_with_proposals(root), "scenes": scenes(root)}, root / "store", shard_bytes=9_000)
    return open_store(root / "store")


def stored_scenes(root):
    stored(root)
    return open_store(root / "store", part="scenes", labels=("normals", "segmentation", "depth"))


STORED = [stored, stored_scenes]
REPUBLISHED = [cityscapes_mtan, auto_lambda_in_metres, adashare_cityscapes, adashare_nyuv2]
OF_STREETS = [caltech, caltech_extracted, kitti, citypersons, cityscapes, cityscapes_in_metres]
OF_BOXES = [voc, apascal, apascal_reduced_with_proposals, penn_fudan, coco, box_csv, birds, birds_in_tiles]
OF_PIXELS = [folder, folder_of_13, mtan, lists, nyud_mt, nyud_mt_pictures, mat, reduced, part, scenes, reduced_scenes]
EVERY = [*OF_PIXELS, *OF_BOXES, *OF_STREETS, *REPUBLISHED, *OF_WHOLE_PICTURES, *STORED]


@pytest.mark.filterwarnings("ignore:.*head", "ignore:.*heads")
@pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)
def test_contract(make, tmp_path):
    contract.assert_dataset(make(tmp_path))

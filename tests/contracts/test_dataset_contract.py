"""Every data set keeps the contract; that its checks can fail is in test_dataset_contract_fails.py."""

import pytest
from contracts import dataset_contract as contract
from data import box_trees, pet_trees, republished_trees, street_trees, trees

import taskweave as tw
from taskweave.data import Reduced, Subset, WithProposals, grid_proposals, open_store, pack_store, tiled
from taskweave.data.generated.scenes import Scenes


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


def folder(root):
    trees.write_folder(root)
    return tw.data.nyuv2_folder("train", path=root)


def folder_of_13(root):
    trees.write_folder(root, classes=13)
    return tw.data.nyuv2_folder("train", path=root, classes=13).only(("depth", "segmentation"))


def mtan(root):
    trees.write_mtan(root)
    return tw.data.nyuv2_mtan("train", path=root)


def lists(root):
    trees.write_lists(root)
    return tw.data.nyuv2_lists("training", path=root)


def nyud_mt(root):
    trees.write_nyud_mt(root)
    return tw.data.nyud_mt("train", path=root)


def nyud_mt_pictures(root):
    trees.write_nyud_mt(root, pictures=True)
    return tw.data.nyud_mt("train", path=root, classes=13)


def mat(root):
    pytest.importorskip("h5py", reason="nyu_depth_v2_labeled.mat needs taskweave[data]")
    trees.write_mat(root)
    path = root / "nyu_depth_v2_labeled.mat"
    return tw.data.nyuv2_mat("train", path=path, splits=root / "splits.mat", class_map=root / "classMapping40.mat")


def reduced(root):
    return Reduced(mtan(root), size=(12, 17), in_memory=True)


def part(root):
    return Subset(mtan(root), [3, 1])


def scenes(root):
    return Scenes(3, size=(32, 48), labels=("segmentation", "depth", "normals", "detection", "attributes"))


def reduced_scenes(root):
    return Reduced(scenes(root), size=(20, 24))


def voc(root):
    box_trees.write_voc(root)
    return tw.data.voc("trainval", path=root, year=2007)


def apascal(root):
    box_trees.write_apascal(root)
    return tw.data.apascal("train", path=root)


def apascal_reduced_with_proposals(root):
    return WithProposals(Reduced(apascal(root), size=(16, 16)), grid_proposals)


def penn_fudan(root):
    box_trees.write_penn_fudan(root)
    return tw.data.penn_fudan("train", path=root)


def coco(root):
    box_trees.write_coco(root)
    return tw.data.coco("test", path=root)


def box_csv(root):
    box_trees.write_box_csv(root)
    return tw.data.box_csv("train", path=root)


def birds(root):
    box_trees.write_birds(root)
    return tw.data.birds("train", path=root, area="right half")


def birds_in_tiles(root):
    return tiled(birds(root), (40, 30), overlap=10)


def caltech(root):
    street_trees.write_caltech(root)
    return tw.data.caltech("train", path=root, train_step=3)


def caltech_extracted(root):
    street_trees.write_caltech_extracted(root)
    return tw.data.caltech_extracted("test", path=root, test_step=1)


def kitti(root):
    street_trees.write_kitti(root)
    return tw.data.kitti("test", path=root)


def citypersons(root):
    street_trees.write_citypersons(root)
    return tw.data.citypersons("train", path=root).only(("detection", "segmentation"))


def cityscapes(root):
    street_trees.write_cityscapes(root)
    return tw.data.cityscapes("train", path=root).only(("segmentation", "disparity", "depth"))


def cityscapes_in_metres(root):
    street_trees.write_cityscapes(root)
    republished_trees.write_cameras(root)
    return tw.data.cityscapes("train", path=root, depth="metres").only(("depth", "segmentation"))


def cityscapes_mtan(root):
    republished_trees.write_cityscapes_mtan(root)
    return tw.data.cityscapes_mtan("train", path=root)


def auto_lambda_in_metres(root):
    republished_trees.write_auto_lambda(root)
    return tw.data.auto_lambda("train", path=root, depth="metres")


def adashare_cityscapes(root):
    republished_trees.write_adashare_cityscapes(root)
    return tw.data.adashare_cityscapes("train", path=root)


def adashare_nyuv2(root):
    republished_trees.write_adashare_nyuv2(root)
    return tw.data.adashare_nyuv2("train", path=root)


def pets(root):
    pet_trees.write_pets(root)
    return tw.data.pets("trainval", path=root, border="class").only(("species", "breed", "box", "segmentation"))


def pets_reduced(root):
    pet_trees.write_pets(root)
    return Reduced(Subset(tw.data.pets("all", path=root), [3, 1]), size=(16, 20), in_memory=True)


def pets_h5(root):
    pytest.importorskip("h5py", reason="the pets' h5 form needs taskweave[data]")
    pet_trees.write_pets_h5(root)
    return tw.data.pets_h5("all", path=root, block=None)


def imdb_wiki(root):
    pet_trees.write_imdb_wiki(root)
    return tw.data.imdb_wiki("train", path=root)


def utkface(root):
    pet_trees.write_utkface(root, names=pet_trees.UTK_NAMES)
    return tw.data.utkface("train", path=root)


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

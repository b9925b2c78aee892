"""Every data set keeps the contract; every check of the contract can fail."""

import pytest
import torch
from contracts import dataset_contract as contract
from data import trees
from torchvision import tv_tensors

from taskweave.data import (
    Depth,
    LabelledSet,
    Normals,
    Part,
    Reduced,
    Scenes,
    open_nyud_mt,
    open_nyuv2_folder,
    open_nyuv2_lists,
    open_nyuv2_mat,
    open_nyuv2_mtan,
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


EVERY = [folder, folder_of_13, mtan, lists, nyud_mt, nyud_mt_pictures, mat, reduced, part, scenes, reduced_scenes]


@pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)
def test_contract(make, tmp_path):
    contract.assert_dataset(make(tmp_path))


class Broken(LabelledSet):
    """Two good samples; each test spoils one thing."""

    labels = ("segmentation", "depth", "normals")
    classes = ("wall", "floor")

    def __init__(self, **spoiled):
        normals = torch.zeros(3, 4, 6)
        normals[2] = 1
        self.sample = {
            "image": tv_tensors.Image(torch.arange(72, dtype=torch.uint8).reshape(3, 4, 6)),
            "segmentation": tv_tensors.Mask(torch.arange(24).reshape(4, 6) % 2),
            "depth": Depth(torch.ones(1, 4, 6)),
            "normals": Normals(normals),
        } | spoiled

    def __len__(self):
        return 2

    def __getitem__(self, index):
        if index >= 2:
            raise IndexError(index)
        return {**self.sample, "key": self.key(index)}

    def key(self, index):
        return f"s{index}"

    def scene(self, index):
        return "room"


def test_the_sound_one_passes():
    contract.assert_dataset(Broken())


SPOILED = {
    "image is float": {"image": tv_tensors.Image(torch.rand(3, 4, 6))},
    "image has one colour": {"image": tv_tensors.Image(torch.zeros(3, 4, 6, dtype=torch.uint8))},
    "image is grey": {"image": tv_tensors.Image(torch.arange(24, dtype=torch.uint8).reshape(1, 4, 6))},
    "image is plain": {"image": torch.arange(72, dtype=torch.uint8).reshape(3, 4, 6)},
    "undeclared label": {"edges": Depth(torch.ones(1, 4, 6))},
    "class outside": {"segmentation": tv_tensors.Mask(torch.full((4, 6), 2))},
    "class negative": {"segmentation": tv_tensors.Mask(torch.full((4, 6), -1))},
    "no class": {"segmentation": tv_tensors.Mask(torch.full((4, 6), 255))},
    "mask is int32": {"segmentation": tv_tensors.Mask(torch.zeros(4, 6, dtype=torch.int32))},
    "other size": {"segmentation": tv_tensors.Mask(torch.zeros(4, 5, dtype=torch.int64))},
    "depth is NaN": {"depth": Depth(torch.full((1, 4, 6), torch.nan))},
    "depth is negative": {"depth": Depth(torch.full((1, 4, 6), -1.0))},
    "depth is millimetres": {"depth": Depth(torch.full((1, 4, 6), 2000.0))},
    "depth is empty": {"depth": Depth(torch.zeros(1, 4, 6))},
    "depth is plain": {"depth": torch.ones(1, 4, 6)},
    "normals are not unit": {"normals": Normals(torch.full((3, 4, 6), 0.9))},
    "normals look away": {"normals": Normals(torch.tensor([0.0, 0.0, -1.0])[:, None, None].expand(3, 4, 6))},
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED.keys())
def test_the_contract_fails(spoiled):
    with pytest.raises((AssertionError, TypeError)):
        contract.assert_dataset(Broken(**spoiled))


class NoEnd(Broken):
    def __getitem__(self, index):
        return {**self.sample, "key": self.key(index)}


class OneKey(Broken):
    def key(self, index):
        return "s"


class OtherKey(Broken):
    def __getitem__(self, index):
        return {**super().__getitem__(index), "key": "other"}


class Changing(Broken):
    def __getitem__(self, index):
        sample = super().__getitem__(index)
        return {**sample, "depth": Depth(torch.rand(1, 4, 6) + 1)}


class NoClasses(Broken):
    classes = ()


class Unpicklable(Broken):
    def __init__(self):
        super().__init__()
        self.reader = lambda: None


def test_each_check_fails():
    for broken, check in [
        (NoEnd(), contract.assert_countable),
        (OneKey(), contract.assert_keys_unique),
        (Changing(), lambda dataset: contract.assert_same_again(dataset, 0)),
        (OtherKey(), lambda dataset: contract.assert_key(dataset, 0, dataset[0])),
        (NoClasses(), lambda dataset: contract.assert_labels(dataset, dataset[0])),
    ]:
        with pytest.raises(AssertionError):
            check(broken)
    with pytest.raises((AttributeError, TypeError)):  # pickle's own
        contract.assert_pickles(Unpicklable())


def test_flip_check_fails(monkeypatch):
    """A flip whose second use adds something is seen."""
    calls = []

    def flip(value):
        calls.append(value)
        return tv_tensors.wrap(value.flip(-1) if len(calls) % 2 else value.flip(-1) + 1, like=value)

    monkeypatch.setattr(contract.F, "horizontal_flip", flip)
    with pytest.raises(AssertionError, match="not itself"):
        contract.assert_flip_twice_is_identity(Broken()[0])

"""Depth of Cityscapes: inverse and in metres, from the release, from MTAN's, Auto-Lambda's and AdaShare's copies."""

import json

import numpy as np
import pytest
import torch
from data import republished_trees as copies, street_trees, trees
from data.refusing import every_label, refuses

import taskweave as tw
from taskweave.data import CITYSCAPES_CAMERA, CITYSCAPES_CLASSES, MTAN_CLASSES, Depth, Disparity, RandomScale


def metres_of(codes, baseline, focal, farthest=None):
    """One pixel after the other, by the release's description of its files."""
    metres = np.zeros(codes.shape)
    for place in np.ndindex(codes.shape):
        code = int(codes[place])
        if code > 1:
            metres[place] = baseline * focal / ((code - 1) / 256)
            if farthest is not None and metres[place] > farthest:
                metres[place] = 0
    return metres


def first(data):
    return data[0]["depth"]


def release(tmp_path, **options):
    street_trees.write_cityscapes(tmp_path)
    copies.write_cameras(tmp_path)
    return tw.data.cityscapes("train", path=tmp_path, **options).only(("segmentation", "depth"))


CODES = street_trees.city_disparity(street_trees.CITY_KEYS[0])


def test_inverse_depth_is_mtans(tmp_path):
    depth = first(release(tmp_path))
    assert type(depth) is Disparity
    assert np.allclose(depth[0].numpy(), CODES / 65535, rtol=1e-6)
    assert (depth[0].numpy() == 0).tolist() == (CODES == 0).tolist()
    copies.write_cityscapes_mtan(tmp_path / "mtan")
    assert torch.allclose(first(tw.data.cityscapes_mtan("train", path=tmp_path / "mtan")), depth, rtol=1e-6)


@pytest.mark.parametrize("farthest", [80.0, 5.0, None])
def test_metres_are_by_the_pictures_camera(tmp_path, farthest):
    depth = first(release(tmp_path, depth="metres", farthest=farthest))
    assert type(depth) is Depth
    expected = metres_of(CODES, 0.22, 2268.36, farthest)
    assert np.allclose(depth[0].numpy(), expected, rtol=1e-5)
    assert (expected > 0).any()


def test_metres_and_inverse_meet_under_a_change_of_scale(tmp_path):
    """Enlarged by 2, what was at 10 m is at 5 m, and its inverse depth is twice as large."""
    scale = RandomScale(least=2.0, most=2.0)
    inverse, metres = (release(tmp_path, depth=form, farthest=None)[0] for form in ("inverse", "metres"))
    for sample, factor in ((inverse, 2.0), (metres, 0.5)):
        values = sample["depth"].as_subclass(torch.Tensor)
        enlarged = scale(sample)["depth"].as_subclass(torch.Tensor)
        assert torch.allclose(enlarged[:, ::2, ::2], values * factor)


def test_the_cameras_are_needed_for_metres_only(tmp_path):
    street_trees.write_cityscapes(tmp_path)
    tw.data.cityscapes("train", path=tmp_path).only(("depth",))
    tw.data.cityscapes("train", path=tmp_path, depth="metres").only(("segmentation",))  # segmentation alone

    def opened():
        return tw.data.cityscapes("train", path=tmp_path, depth="metres").only(("depth",))

    refuses(opened, FileNotFoundError, "camera.json", "camera_trainvaltest.zip", "depth='inverse'")
    copies.write_cameras(tmp_path, camera={"extrinsic": {}, "intrinsic": {"fx": 2262.5}})
    refuses(lambda: opened()[0], ValueError, "camera.json", "'baseline'", "extrinsic.baseline and intrinsic.fx")
    copies.write_cameras(tmp_path, camera={"extrinsic": {"baseline": 0}, "intrinsic": {"fx": 2262.5}})
    refuses(lambda: opened()[0], ValueError, "camera.json", "baseline 0", "above 0")


@pytest.mark.parametrize(
    "opener", [tw.data.cityscapes_mtan, tw.data.auto_lambda, tw.data.adashare_cityscapes, tw.data.cityscapes]
)
def test_unknown_forms(tmp_path, opener):
    street_trees.write_cityscapes(tmp_path)
    copies.write_cityscapes_mtan(tmp_path, sets=("label_19", "label_7"))
    copies.write_adashare_cityscapes(tmp_path)
    copies.write_auto_lambda(tmp_path)
    refuses(lambda: opener("train", path=tmp_path, depth="feet"), ValueError, "'feet'", "'inverse' or 'metres'")
    refuses(lambda: opener("train", path=tmp_path, farthest=0), ValueError, "farthest", "above 0", "None")


# MTAN's npy


@pytest.mark.parametrize("classes", [19, 7, 2])
def test_mtan(tmp_path, classes):
    truths = copies.write_cityscapes_mtan(tmp_path, "val")
    data = tw.data.cityscapes_mtan("val", path=tmp_path, classes=classes)
    assert [data.key(i) for i in range(4)] == ["0", "1", "2", "3"]
    assert data.classes == MTAN_CLASSES[classes]
    assert len(data.classes) == classes
    for sample, truth in zip(data, truths, strict=True):
        stored = {19: truth.nineteen, 7: truth.seven, 2: truth.two}[classes]
        assert np.array_equal(sample["segmentation"].numpy(), np.where(stored < 0, 255, stored))
        assert np.array_equal(sample["image"].numpy().transpose(1, 2, 0), truth.image)
        assert np.allclose(sample["depth"][0].numpy(), truth.codes / 65535, rtol=1e-6)


def test_mtan_classes():
    assert MTAN_CLASSES[19] == street_trees.NINETEEN
    assert MTAN_CLASSES[7] == tuple(street_trees.CATEGORIES)
    assert MTAN_CLASSES[2] == ("background", "foreground")


def test_mtan_repacked_with_one_set_of_labels(tmp_path):
    truths = copies.write_cityscapes_mtan(tmp_path, sets=("label",))
    stored = truths[1].seven
    found = tw.data.cityscapes_mtan("train", path=tmp_path)[1]["segmentation"].numpy()
    assert np.array_equal(found, np.where(stored < 0, 255, stored))
    refuses(
        lambda: every_label(tw.data.cityscapes_mtan("train", path=tmp_path, classes=19)),
        FileNotFoundError,
        "label_19",
        "19 classes",
        "['label']",
    )
    only_depth = tw.data.cityscapes_mtan("train", path=tmp_path, classes=19).only(("depth",))
    assert set(only_depth[0]) == {"image", "key", "depth"}


def test_mtan_in_metres_by_a_given_camera(tmp_path):
    truths = copies.write_cityscapes_mtan(tmp_path)
    usual = tw.data.cityscapes_mtan("train", path=tmp_path, depth="metres", farthest=None)
    expected = metres_of(truths[0].codes, CITYSCAPES_CAMERA.baseline, CITYSCAPES_CAMERA.focal)
    assert np.allclose(first(usual)[0].numpy(), expected, rtol=1e-3)  # p went through float32: 1 of 32257 is 1e-4 off
    other = tw.data.cityscapes_mtan("train", path=tmp_path, depth="metres", farthest=None, baseline=0.22, focal=2262.52)
    assert torch.allclose(
        first(other) / first(usual).clamp(min=1e-9), (first(usual) > 0) * 0.22 / CITYSCAPES_CAMERA.baseline
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.5, "values 0..1.5"), (-0.1, "values -0.1"), (np.nan, "nan"), (12.0, "metres")],
)
def test_depth_that_is_no_inverse_depth(tmp_path, value, words):
    copies.write_cityscapes_mtan(tmp_path)
    depth = np.zeros((street_trees.HEIGHT, street_trees.WIDTH, 1), np.float32)
    depth[3, 4] = value
    trees.save(tmp_path / "train/depth/0.npy", depth)
    refuses(
        lambda: tw.data.cityscapes_mtan("train", path=tmp_path)[0], ValueError, "depth/0.npy", words, "0..1", "inspect-data"
    )


# Auto-Lambda's png


@pytest.mark.parametrize("classes", [19, 7, 2])
def test_auto_lambda(tmp_path, classes):
    truths = copies.write_auto_lambda(tmp_path, "val")
    data = tw.data.auto_lambda("val", path=tmp_path, classes=classes)
    assert data.classes == CITYSCAPES_CLASSES[classes]
    persons = [street_trees.LABEL_IDS["person"], street_trees.LABEL_IDS["rider"]]
    for sample, truth in zip(data, truths, strict=True):
        two = np.where(truth.nineteen < 0, -1, np.isin(truth.ids, persons))
        stored = {19: truth.nineteen, 7: truth.seven, 2: two}[classes]
        assert np.array_equal(sample["segmentation"].numpy(), np.where(stored < 0, 255, stored))
        assert np.array_equal(sample["image"].numpy().transpose(1, 2, 0), truth.image)
        codes = truth.codes.astype(float)
        assert np.allclose(sample["depth"][0].numpy(), np.where(codes == 0, 0, (codes - 1) / 1024))
        assert type(sample["depth"]) is Disparity


def test_auto_lambda_in_metres(tmp_path):
    truths = copies.write_auto_lambda(tmp_path)
    depth = first(tw.data.auto_lambda("train", path=tmp_path, depth="metres"))
    expected = metres_of(truths[0].codes, CITYSCAPES_CAMERA.baseline, CITYSCAPES_CAMERA.focal, 80)
    assert type(depth) is Depth
    assert np.allclose(depth[0].numpy(), expected, rtol=1e-5)


# AdaShare's json


@pytest.mark.parametrize("classes", [19, 7, 2])
def test_adashare_cityscapes(tmp_path, classes):
    truths = copies.write_adashare_cityscapes(tmp_path)
    train, test = (tw.data.adashare_cityscapes(split, path=tmp_path, classes=classes) for split in ("train", "test"))
    assert [train.key(i) for i in range(len(train))] == [f"train/image/{i}.npy" for i in range(3)]
    assert train.classes == MTAN_CLASSES[classes]
    for sample, truth in zip([*train, *test], truths, strict=True):
        stored = {19: truth.nineteen, 7: truth.seven, 2: truth.two}[classes]
        assert np.array_equal(sample["segmentation"].numpy(), np.where(stored < 0, 255, stored))
        assert np.allclose(sample["depth"][0].numpy(), truth.codes / 65535, rtol=1e-6)


def test_adashare_lists_that_are_wrong(tmp_path):
    def opened(split="train"):
        return tw.data.adashare_cityscapes(split, path=tmp_path)

    refuses(opened, FileNotFoundError, "cityscape.json", "unpacked")
    copies.write_adashare_cityscapes(tmp_path)
    listed = tmp_path / "cityscape.json"
    rows = json.loads(listed.read_text())
    refuses(lambda: opened("val"), ValueError, "'val'", "['train', 'test']")
    listed.write_text(json.dumps({"train": [*rows["train"][:1], ["a.npy", "b.npy"]]}))
    refuses(opened, ValueError, "train[1]", "['a.npy', 'b.npy']", "5 paths", "label_7")
    listed.write_text(json.dumps({"train": [["train/image/9.npy", *rows["train"][0][1:]]]}))
    refuses(opened, FileNotFoundError, "train/image/9.npy", "train[0]")
    listed.write_text(json.dumps([1]))
    refuses(opened, ValueError, "no list of AdaShare's")
    listed.write_text("{")
    refuses(opened, ValueError, "not readable json")
    refuses(lambda: tw.data.adashare_cityscapes("train", path=tmp_path, classes=3), ValueError, "3 classes", "[19, 7, 2]")


# Counts


TREES = {
    "cityscapes_mtan": (copies.write_cityscapes_mtan, tw.data.cityscapes_mtan, "depth", ".npy", "label_7"),
    "auto_lambda": (copies.write_auto_lambda, tw.data.auto_lambda, "depth", ".png", "seg"),
}


@pytest.mark.parametrize("name", TREES)
def test_unequal_counts(tmp_path, name):
    write, opener, kind, suffix, labels = TREES[name]
    write(tmp_path)
    (tmp_path / "train" / kind / f"2{suffix}").unlink()
    refuses(
        lambda: every_label(opener("train", path=tmp_path)),
        ValueError,
        f"{tmp_path / 'train' / 'image'} has 4",
        f"{tmp_path / 'train' / kind} has 3",
        f"train/image/2{suffix} has no counterpart",
        "expected the same numbers in both",
        "unpack the archive again",
    )
    opener("train", path=tmp_path).only(("segmentation",))  # what is not read need not be there
    trees.save(tmp_path / "train" / labels / f"9{suffix}", np.zeros((2, 2), np.uint8))
    refuses(
        lambda: opener("train", path=tmp_path).only(("segmentation",)),
        ValueError,
        "has 5",
        f"train/{labels}/9{suffix} has no",
    )

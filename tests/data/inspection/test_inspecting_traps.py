"""Traps in a folder of data: each is found on a tree that has it, and not on one that has not."""

import warnings

import numpy as np
import pytest
from data import box_trees, room_trees, trees
from data.inspected import facts_of, the_only

from taskweave.data import inspect


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


def warned(root):
    return [(one.kind, one.split) for one in the_only(inspect(root)).warnings]


def swapped(pixels):
    return pixels[..., ::-1]


def grey_holes(normals):
    picture = room_trees.white_holes(normals)
    picture[0, 0] = 127
    return picture


def swapped_white(normals):
    return swapped(room_trees.white_holes(normals))


SOUND = {
    "lists": lambda root: room_trees.write_lists(root, normals=room_trees.white_holes),
    "mtan": room_trees.write_mtan,
    "cityscapes": room_trees.write_cityscapes_mtan,
}
TRAPS = {
    "127-grey normals": ("lists", lambda root: room_trees.write_lists(root, normals=grey_holes)),
    "BGR normals": ("lists", lambda root: room_trees.write_lists(root, normals=swapped_white)),
    "BGR pictures": ("mtan", lambda root: room_trees.write_mtan(root, image=swapped)),
    "disparity taken for depth": ("mtan", lambda root: room_trees.write_mtan(root, depth=room_trees.inverse)),
    "depth taken for disparity": (
        "cityscapes",
        lambda root: room_trees.write_cityscapes_mtan(root, depth=lambda metres: metres),
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_trees_have_no_trap(tmp_path, name):
    SOUND[name](tmp_path)
    assert warned(tmp_path) == []


@pytest.mark.parametrize("kind", TRAPS)
def test_traps_are_found(tmp_path, kind):
    name, write = TRAPS[kind]
    write(tmp_path)
    splits = ("training", "testing") if name == "lists" else ("train", "val")
    assert warned(tmp_path) == [(kind, split) for split in splits]


def test_the_share_of_grey_pixels_is_said(tmp_path):
    TRAPS["127-grey normals"][1](tmp_path)
    (first, _) = the_only(inspect(tmp_path)).warnings
    assert f"{1 / (32 * 48):.1%} of the pixels" in first.text


def test_two_pictures_prove_nothing(tmp_path):
    room_trees.write_mtan(tmp_path, image=swapped)
    assert the_only(inspect(tmp_path, samples=2)).warnings == ()


def test_a_disparity_file_that_the_reader_refuses_is_told(tmp_path):
    room_trees.write_mtan(tmp_path)
    file = tmp_path / "train/depth/0.npy"
    np.save(file, np.load(file) / 100)
    (one,) = the_only(inspect(tmp_path)).warnings
    assert (one.kind, one.split) == ("cannot be read", "train")
    assert "1 of the 4 pictures" in one.text
    assert str(file) in one.text
    assert "disparities" in one.text
    assert facts_of(inspect(tmp_path), "train", "depth").pictures == 3  # the others' facts are there


def test_lists_that_do_not_match(tmp_path):
    SOUND["lists"](tmp_path)
    listed = tmp_path / "list" / "training_normal_mask.txt"
    lines = listed.read_text().splitlines()
    trees.write_list(listed, lines[::-1])
    (one,) = the_only(inspect(tmp_path)).warnings
    assert (one.kind, one.split) == ("list mismatch", "training")
    assert "line 1" in one.text
    assert str(listed) in one.text
    assert {facts.target for facts in the_only(inspect(tmp_path)).splits[0].targets} == {
        "image",
        "segmentation, 40 classes",
        "normals",
    }  # each list is read alone


def test_pictures_that_no_list_names(tmp_path):
    SOUND["lists"](tmp_path)
    trees.save(tmp_path / "img" / "9.png", np.zeros((32, 48, 3), np.uint8))
    (one,) = the_only(inspect(tmp_path)).warnings
    assert one.kind == "list mismatch"
    assert "1 of 8 pictures" in one.text
    assert "img/9.png" in one.text


def test_a_picture_in_two_lists(tmp_path):
    SOUND["lists"](tmp_path)
    for kind in ("seg", "normal_mask"):
        lines = (tmp_path / "list" / f"training_{kind}.txt").read_text().splitlines()
        testing = tmp_path / "list" / f"testing_{kind}.txt"
        trees.write_list(testing, [*testing.read_text().splitlines(), lines[2]])
    (one,) = the_only(inspect(tmp_path)).warnings
    assert one.kind == "train/test overlap"
    assert "1 pictures are in 'training' and in 'testing'" in one.text
    assert "img/1002.png" in one.text


def test_a_picture_with_the_same_content_in_two_splits(tmp_path):
    room_trees.write_mtan(tmp_path)
    (tmp_path / "val/image/1.npy").write_bytes((tmp_path / "train/image/3.npy").read_bytes())
    (one,) = the_only(inspect(tmp_path)).warnings
    assert one.kind == "train/test overlap"
    assert "3 = 1" in one.text


def test_an_index_in_two_splits_of_one_file(tmp_path):
    pytest.importorskip("h5py", reason="nyu_depth_v2_labeled.mat needs taskweave[data]")
    from scipy.io import savemat

    trees.write_mat(tmp_path)
    savemat(tmp_path / "splits.mat", {"trainNdxs": np.array([[1], [3]]), "testNdxs": np.array([[3]])})
    (one,) = [one for one in the_only(inspect(tmp_path / "nyu_depth_v2_labeled.mat")).warnings if "overlap" in one.kind]
    assert "0003 = 0003" in one.text
    savemat(tmp_path / "splits.mat", {"trainNdxs": np.array([[1]]), "testNdxs": np.array([[3]])})
    assert not [one for one in the_only(inspect(tmp_path)).warnings if "overlap" in one.kind]


def test_unequal_counts(tmp_path):
    room_trees.write_mtan(tmp_path)
    (tmp_path / "train/depth/1.npy").unlink()
    layout = the_only(inspect(tmp_path))
    (one,) = layout.warnings
    assert (one.kind, one.split) == ("cannot be opened", "train")
    assert "unpack the archive again" in one.text
    train = layout.splits[0]
    assert train.count == 4
    assert {facts.target for facts in train.targets} == {"image", "segmentation, 13 classes", "normals"}


def test_faults_that_readers_accept_are_notes(tmp_path):
    content = box_trees.coco_content()
    content["annotations"][0]["bbox"] = [0, 0, 41, 24]  # one pixel beyond the image
    box_trees.write_coco(tmp_path, content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layout = the_only(inspect(tmp_path))
    assert layout.warnings == ()
    (note,) = layout.notes
    assert "val2017: 1 boxes reach outside" in note

"""What a user reads when files are missing or do not belong together: the file, what was found, what to do."""

import numpy as np
import pytest
from data import trees
from data.refusing import every_label, refuses

import taskweave as tw
from taskweave.data import FileSet


def test_refuses_can_fail():
    def wrong():
        raise ValueError("depth")

    with pytest.raises(AssertionError):
        refuses(wrong, ValueError, "normals")
    with pytest.raises(pytest.fail.Exception):
        refuses(lambda: None, ValueError)


@pytest.mark.parametrize("opener", [tw.data.nyuv2_folder, tw.data.nyuv2_mtan, tw.data.nyuv2_lists, tw.data.nyud_mt])
def test_missing_folder(tmp_path, opener):
    missing = tmp_path / "nowhere"
    refuses(
        lambda: opener("train", path=missing),
        FileNotFoundError,
        missing,
        "does not exist",
        "expected a folder with",
        "give the path",
    )


def test_a_file_for_a_folder(tmp_path):
    (tmp_path / "data.zip").touch()
    refuses(lambda: tw.data.nyuv2_mtan("train", path=tmp_path / "data.zip"), FileNotFoundError, "data.zip is a file")


def test_missing_mat(tmp_path):
    def action():
        tw.data.nyuv2_mat("train", path=tmp_path / "nyu.mat", splits=tmp_path / "s.mat", class_map=tmp_path / "c.mat")

    refuses(action, FileNotFoundError, tmp_path / "nyu.mat", "nyu_depth_v2_labeled.mat", "download")


def test_unknown_split(tmp_path):
    trees.write_folder(tmp_path)
    refuses(lambda: tw.data.nyuv2_folder("tran", path=tmp_path), FileNotFoundError, "tran.txt", "['train.txt']", "split")


def test_a_folder_of_something_else(tmp_path):
    refuses(
        lambda: tw.data.nyuv2_folder("train", path=tmp_path), FileNotFoundError, "train.txt", "any other list", "folder"
    )


def test_unknown_label_and_class_count(tmp_path):
    trees.write_folder(tmp_path)
    refuses(
        lambda: tw.data.nyuv2_folder("train", path=tmp_path).only(("edges",)),
        ValueError,
        "'edges'",
        "'segmentation', 'depth'",
    )
    refuses(lambda: tw.data.nyuv2_folder("train", path=tmp_path, classes=37), ValueError, "13 or 40", "37")


def test_mtan_with_unequal_counts(tmp_path):
    trees.write_mtan(tmp_path)
    (tmp_path / "train/depth/3.npy").unlink()
    refuses(
        lambda: every_label(tw.data.nyuv2_mtan("train", path=tmp_path)),
        ValueError,
        f"{tmp_path / 'train' / 'image'} has 5",
        f"{tmp_path / 'train' / 'depth'} has 4",
        f"{tmp_path / 'train' / 'image' / '3.npy'} has no counterpart",
        "expected the same numbers",
        "unpack the archive again",
    )
    tw.data.nyuv2_mtan("train", path=tmp_path).only(("segmentation", "normals"))


def test_list_with_a_missing_image(tmp_path):
    trees.write_lists(tmp_path)
    missing = tmp_path / "nyu_train_val" / "nyu_0125.png"
    missing.unlink()
    refuses(
        lambda: every_label(tw.data.nyuv2_lists("training", path=tmp_path)),
        FileNotFoundError,
        f"{missing} does not exist",
        "training_seg.txt, line 3",
        "restore the file or remove the line",
    )


def test_list_with_a_broken_line(tmp_path):
    trees.write_lists(tmp_path)
    file = tmp_path / "list" / "training_seg.txt"
    lines = file.read_text().splitlines()
    trees.write_list(file, [*lines[:1], "/only/one.png", *lines[2:]])
    refuses(
        lambda: every_label(tw.data.nyuv2_lists("training", path=tmp_path)),
        ValueError,
        f"{file}, line 2",
        "'/only/one.png'",
        "<label>",
    )


def test_lists_in_another_order(tmp_path):
    trees.write_lists(tmp_path)
    file = tmp_path / "list" / "training_normal_mask.txt"
    lines = file.read_text().splitlines()
    trees.write_list(file, [lines[0], lines[2], lines[1], *lines[3:]])
    refuses(
        lambda: every_label(tw.data.nyuv2_lists("training", path=tmp_path)),
        ValueError,
        "line 2",
        "nyu_0047.png",
        "nyu_0125.png",
        "same order",
    )
    trees.write_list(file, lines[:3])
    refuses(lambda: every_label(tw.data.nyuv2_lists("training", path=tmp_path)), ValueError, "5 images", "3", "same ones")


def test_missing_target_file(tmp_path):
    trees.write_folder(tmp_path)
    (tmp_path / "depth" / "0127.png").unlink()
    refuses(
        lambda: every_label(tw.data.nyuv2_folder("train", path=tmp_path)),
        FileNotFoundError,
        "depth/0127.png",
        "train.txt, name 5",
    )
    assert len(tw.data.nyuv2_folder("train", path=tmp_path).only(("segmentation",))) == 5, "depth was not asked for"


def test_empty_data_set(tmp_path):
    trees.write_folder(tmp_path)
    (tmp_path / "gt_sets" / "val.txt").write_text("\n")
    refuses(
        lambda: tw.data.nyuv2_folder("val", path=tmp_path), ValueError, "val.txt", "no samples", "empty", "another split"
    )
    (tmp_path / "m" / "train" / "image").mkdir(parents=True)
    refuses(lambda: tw.data.nyuv2_mtan("train", path=tmp_path / "m"), ValueError, "train/image", "no samples")
    refuses(lambda: FileSet([], labels=(), classes=(), where="nothing"), ValueError, "nothing names no samples")


def test_repeated_and_odd_names(tmp_path):
    trees.write_folder(tmp_path)
    trees.write_list(tmp_path / "gt_sets" / "val.txt", ["0046", "0047", "0046"])
    refuses(lambda: tw.data.nyuv2_folder("val", path=tmp_path), ValueError, "'0046' 2 times", "remove")
    trees.write_list(tmp_path / "gt_sets" / "val.txt", ["kitchen"])
    refuses(lambda: tw.data.nyuv2_folder("val", path=tmp_path), ValueError, "'kitchen'", "official indices")


def test_mat_files_that_do_not_belong_together(tmp_path):
    pytest.importorskip("h5py", reason="nyu_depth_v2_labeled.mat needs taskweave[data]")
    from scipy.io import savemat

    trees.write_mat(tmp_path)

    def open_it(split="train"):
        return tw.data.nyuv2_mat(
            split,
            path=tmp_path / "nyu_depth_v2_labeled.mat",
            splits=tmp_path / "splits.mat",
            class_map=tmp_path / "classMapping40.mat",
        )

    refuses(lambda: open_it("val"), ValueError, "'val'", "['train', 'test']")
    savemat(tmp_path / "splits.mat", {"trainNdxs": np.array([[6]])})
    refuses(open_it, ValueError, "splits.mat names picture 6", "1..5")
    refuses(lambda: open_it("test"), ValueError, "no 'testNdxs'", "['trainNdxs']")
    savemat(tmp_path / "splits.mat", {"trainNdxs": np.array([[1]])})
    savemat(tmp_path / "classMapping40.mat", {"mapClass": np.arange(10)})
    refuses(open_it, ValueError, "classMapping40.mat has 10 numbers", "894")
    savemat(tmp_path / "classMapping40.mat", {"mapClass": np.arange(894)})
    refuses(open_it, ValueError, "maps to 0..893", "1..40")

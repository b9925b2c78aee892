"""What a user reads when the data are wrong: the file, what was found, what was expected, what to do."""

import numpy as np
import pytest
from data import trees

from taskweave.data import (
    FileSet,
    open_nyud_mt,
    open_nyuv2_folder,
    open_nyuv2_lists,
    open_nyuv2_mat,
    open_nyuv2_mtan,
)


def refuses(action, error, *words):
    """`action` raises `error`, and its message has each of `words`."""
    with pytest.raises(error) as caught:
        action()
    for word in words:
        assert str(word) in str(caught.value), f"{word!r} is not in: {caught.value}"


def test_refuses_can_fail():
    def wrong():
        raise ValueError("depth")

    with pytest.raises(AssertionError):
        refuses(wrong, ValueError, "normals")
    with pytest.raises(pytest.fail.Exception):
        refuses(lambda: None, ValueError)


@pytest.mark.parametrize("opener", [open_nyuv2_folder, open_nyuv2_mtan, open_nyuv2_lists, open_nyud_mt])
def test_missing_folder(tmp_path, opener):
    missing = tmp_path / "nowhere"
    refuses(
        lambda: opener(missing, split="train"),
        FileNotFoundError,
        missing,
        "does not exist",
        "expected a folder with",
        "give the path",
    )


def test_a_file_for_a_folder(tmp_path):
    (tmp_path / "data.zip").touch()
    refuses(lambda: open_nyuv2_mtan(tmp_path / "data.zip", split="train"), FileNotFoundError, "data.zip is a file")


def test_missing_mat(tmp_path):
    def action():
        open_nyuv2_mat(tmp_path / "nyu.mat", splits=tmp_path / "s.mat", split="train", class_map=tmp_path / "c.mat")

    refuses(action, FileNotFoundError, tmp_path / "nyu.mat", "nyu_depth_v2_labeled.mat", "download")


def test_unknown_split(tmp_path):
    trees.write_folder(tmp_path)
    refuses(lambda: open_nyuv2_folder(tmp_path, split="tran"), FileNotFoundError, "tran.txt", "['train.txt']", "split")


def test_a_folder_of_something_else(tmp_path):
    refuses(lambda: open_nyuv2_folder(tmp_path, split="train"), FileNotFoundError, "train.txt", "any other list", "folder")


def test_unknown_label_and_class_count(tmp_path):
    trees.write_folder(tmp_path)
    refuses(
        lambda: open_nyuv2_folder(tmp_path, split="train", labels=("edges",)),
        ValueError,
        "'edges'",
        "'segmentation', 'depth'",
    )
    refuses(lambda: open_nyuv2_folder(tmp_path, split="train", classes=37), ValueError, "13 or 40", "37")


@pytest.mark.parametrize("label", ["segmentation", "depth"])
def test_image_and_label_of_different_size(tmp_path, label):
    trees.write_nyud_mt(tmp_path)
    files = {"segmentation": ("segmentation/0046.png", np.uint8), "depth": ("depth/0046.npy", np.float32)}
    name, dtype = files[label]
    trees.save(tmp_path / name, np.ones((12, 16), dtype))
    refuses(
        lambda: open_nyud_mt(tmp_path, split="train")[0],
        ValueError,
        "images/0046.jpg is 24 x 32",
        f"{name} is 12 x 16",
        "resize",
    )


def test_label_outside_the_classes(tmp_path):
    trees.write_folder(tmp_path)
    label = np.ones((24, 32), np.uint8)
    label[3, 4] = 41
    trees.save(tmp_path / "label40" / "0046.png", label)
    data = open_nyuv2_folder(tmp_path, split="train")
    refuses(
        lambda: data[0],
        ValueError,
        "label40/0046.png",
        "label 41 at row 3, column 4",
        "0 (no class) or 1..40",
        "check that",
    )


@pytest.mark.parametrize("value", [13, -2, 0.5, np.nan, np.inf, 1e30])
def test_label_outside_the_classes_in_npy(tmp_path, value):
    trees.write_mtan(tmp_path)
    label = np.zeros((24, 32), np.float32)
    label[0, 1] = value
    trees.save(tmp_path / "train/label/0.npy", label)
    data = open_nyuv2_mtan(tmp_path, split="train", labels=("segmentation",))
    refuses(lambda: data[0], ValueError, "label/0.npy", f"label {value} at row 0, column 1", "-1 (no class) or 0..12")


@pytest.mark.parametrize(("value", "shown"), [(np.nan, "nan"), (np.inf, "inf")])
def test_depth_that_is_no_number(tmp_path, value, shown):
    trees.write_nyud_mt(tmp_path)
    depth = np.ones((24, 32), np.float32)
    depth[5, 6:8] = value
    trees.save(tmp_path / "depth/0046.npy", depth)
    refuses(
        lambda: open_nyud_mt(tmp_path, split="train")[0],
        ValueError,
        "depth/0046.npy has 2 values that are not finite",
        shown,
        "row 5, column 6",
        "metres, 0 where it is unknown",
        "numpy.nan_to_num",
    )


def test_negative_depth(tmp_path):
    trees.write_nyud_mt(tmp_path)
    trees.save(tmp_path / "depth/0046.npy", np.full((24, 32), -1, np.float32))
    refuses(lambda: open_nyud_mt(tmp_path, split="train")[0], ValueError, "depth/0046.npy", "-1", "0 where it is unknown")


@pytest.mark.parametrize("farthest", [32.0, 0.49])
def test_disparities_for_depth(tmp_path, farthest):
    """As Cityscapes codes them in PNG (read as millimetres, 32 m), and as MTAN's Cityscapes stores them (.49)."""
    row = np.linspace(0.1, farthest, 32, dtype=np.float32)
    trees.write_folder(tmp_path / "folder")
    trees.save(tmp_path / "folder/depth/0046.png", np.round(row * 1000).astype(np.uint16)[None].repeat(24, 0))
    trees.write_mtan(tmp_path / "mtan")
    trees.save(tmp_path / "mtan/train/depth/0.npy", row[None].repeat(24, 0)[..., None])
    trees.write_nyud_mt(tmp_path / "mt")
    trees.save(tmp_path / "mt/depth/0046.npy", row[None].repeat(24, 0))
    for opener, name in ((open_nyuv2_folder, "folder"), (open_nyuv2_mtan, "mtan"), (open_nyud_mt, "mt")):
        data = opener(tmp_path / name, split="train")
        refuses(lambda data=data: data[0], ValueError, "/depth/", f"{farthest:g} m", "0.5..20 m", "disparities", "convert")
        assert data[1]["depth"].max() > 1  # the others are what they should be


def test_a_picture_without_any_depth_is_read(tmp_path):
    trees.write_mtan(tmp_path)
    trees.save(tmp_path / "train/depth/0.npy", np.zeros((24, 32, 1), np.float32))
    assert not open_nyuv2_mtan(tmp_path, split="train")[0]["depth"].any()


def test_mtan_with_unequal_counts(tmp_path):
    trees.write_mtan(tmp_path)
    (tmp_path / "train/depth/3.npy").unlink()
    refuses(
        lambda: open_nyuv2_mtan(tmp_path, split="train"),
        ValueError,
        f"{tmp_path / 'train' / 'image'} has 5",
        f"{tmp_path / 'train' / 'depth'} has 4",
        f"{tmp_path / 'train' / 'image' / '3.npy'} has no counterpart",
        "expected the same numbers",
        "unpack the archive again",
    )
    open_nyuv2_mtan(tmp_path, split="train", labels=("segmentation", "normals"))


@pytest.mark.parametrize(
    ("file", "shape", "expected"),
    [
        ("label/0.npy", (24, 32, 1, 1), "expected rank 2"),
        ("depth/0.npy", (1, 24, 32, 1), "expected rank 2 or 3"),
        ("image/0.npy", (24, 32), "expected rank 3"),
        ("normal/0.npy", (24, 32), "expected rank 3"),
        ("depth/0.npy", (24, 32, 3), "expected depth (H, W) or (H, W, 1)"),
        ("normal/0.npy", (3, 24, 32), "expected normals (H, W, 3)"),
    ],
)
def test_npy_of_wrong_rank(tmp_path, file, shape, expected):
    trees.write_mtan(tmp_path)
    trees.save(tmp_path / "train" / file, np.zeros(shape, np.float32))
    refuses(lambda: open_nyuv2_mtan(tmp_path, split="train")[0], ValueError, file, str(shape), expected)


def test_npy_that_is_cut_short(tmp_path):
    trees.write_mtan(tmp_path)
    file = tmp_path / "train/depth/0.npy"
    file.write_bytes(file.read_bytes()[:200])
    refuses(lambda: open_nyuv2_mtan(tmp_path, split="train")[0], ValueError, file, "not a readable .npy")


@pytest.mark.parametrize("keep", [0, 200])
def test_picture_that_is_cut_short(tmp_path, keep):
    trees.write_folder(tmp_path)
    file = tmp_path / "rgb" / "0046.jpg"
    file.write_bytes(file.read_bytes()[:keep])
    data = open_nyuv2_folder(tmp_path, split="train", labels=())
    refuses(lambda: data[0], ValueError, file, "not a readable picture", "write it again")


def test_values_in_another_coding(tmp_path):
    trees.write_mtan(tmp_path)
    trees.save(tmp_path / "train/image/0.npy", np.full((24, 32, 3), 200.0))
    refuses(lambda: open_nyuv2_mtan(tmp_path, split="train")[0], ValueError, "image/0.npy", "200", "0..1", "divide by 255")
    trees.save(tmp_path / "train/normal/1.npy", np.full((24, 32, 3), 200.0))
    refuses(lambda: open_nyuv2_mtan(tmp_path, split="train")[1], ValueError, "normal/1.npy", "200", "-1..1", "uint8")


def test_list_with_a_missing_image(tmp_path):
    trees.write_lists(tmp_path)
    missing = tmp_path / "nyu_train_val" / "nyu_0125.png"
    missing.unlink()
    refuses(
        lambda: open_nyuv2_lists(tmp_path, split="training"),
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
        lambda: open_nyuv2_lists(tmp_path, split="training"), ValueError, f"{file}, line 2", "'/only/one.png'", "<label>"
    )


def test_lists_in_another_order(tmp_path):
    trees.write_lists(tmp_path)
    file = tmp_path / "list" / "training_normal_mask.txt"
    lines = file.read_text().splitlines()
    trees.write_list(file, [lines[0], lines[2], lines[1], *lines[3:]])
    refuses(
        lambda: open_nyuv2_lists(tmp_path, split="training"),
        ValueError,
        "line 2",
        "nyu_0047.png",
        "nyu_0125.png",
        "same order",
    )
    trees.write_list(file, lines[:3])
    refuses(lambda: open_nyuv2_lists(tmp_path, split="training"), ValueError, "5 images", "3", "same ones")


def test_missing_target_file(tmp_path):
    trees.write_folder(tmp_path)
    (tmp_path / "depth" / "0127.png").unlink()
    refuses(lambda: open_nyuv2_folder(tmp_path, split="train"), FileNotFoundError, "depth/0127.png", "train.txt, name 5")
    assert len(open_nyuv2_folder(tmp_path, split="train", labels=("segmentation",))) == 5, "depth was not asked for"


def test_empty_data_set(tmp_path):
    trees.write_folder(tmp_path)
    (tmp_path / "gt_sets" / "val.txt").write_text("\n")
    refuses(lambda: open_nyuv2_folder(tmp_path, split="val"), ValueError, "val.txt", "no samples", "empty", "another split")
    (tmp_path / "m" / "train" / "image").mkdir(parents=True)
    refuses(lambda: open_nyuv2_mtan(tmp_path / "m", split="train"), ValueError, "train/image", "no samples")
    refuses(lambda: FileSet([], labels=(), classes=(), where="nothing"), ValueError, "nothing names no samples")


def test_repeated_and_odd_names(tmp_path):
    trees.write_folder(tmp_path)
    trees.write_list(tmp_path / "gt_sets" / "val.txt", ["0046", "0047", "0046"])
    refuses(lambda: open_nyuv2_folder(tmp_path, split="val"), ValueError, "'0046' 2 times", "remove")
    trees.write_list(tmp_path / "gt_sets" / "val.txt", ["kitchen"])
    refuses(lambda: open_nyuv2_folder(tmp_path, split="val"), ValueError, "'kitchen'", "official indices")


def test_mat_files_that_do_not_belong_together(tmp_path):
    pytest.importorskip("h5py", reason="nyu_depth_v2_labeled.mat needs taskweave[data]")
    from scipy.io import savemat

    trees.write_mat(tmp_path)

    def open_it(split="train"):
        return open_nyuv2_mat(
            tmp_path / "nyu_depth_v2_labeled.mat",
            splits=tmp_path / "splits.mat",
            split=split,
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

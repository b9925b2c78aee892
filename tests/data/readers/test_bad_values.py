"""What a user reads when a file holds what it should not: sizes, classes, depths, codings, files cut short."""

import numpy as np
import pytest
from data import trees
from data.refusing import refuses

import taskweave as tw


@pytest.mark.parametrize("label", ["segmentation", "depth"])
def test_image_and_label_of_different_size(tmp_path, label):
    trees.write_nyud_mt(tmp_path)
    files = {"segmentation": ("segmentation/0046.png", np.uint8), "depth": ("depth/0046.npy", np.float32)}
    name, dtype = files[label]
    trees.save(tmp_path / name, np.ones((12, 16), dtype))
    refuses(
        lambda: tw.data.nyud_mt("train", path=tmp_path)[0],
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
    data = tw.data.nyuv2_folder("train", path=tmp_path)
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
    data = tw.data.nyuv2_mtan("train", path=tmp_path).only(("segmentation",))
    refuses(lambda: data[0], ValueError, "label/0.npy", f"label {value} at row 0, column 1", "-1 (no class) or 0..12")


@pytest.mark.parametrize(("value", "shown"), [(np.nan, "nan"), (np.inf, "inf")])
def test_depth_that_is_no_number(tmp_path, value, shown):
    trees.write_nyud_mt(tmp_path)
    depth = np.ones((24, 32), np.float32)
    depth[5, 6:8] = value
    trees.save(tmp_path / "depth/0046.npy", depth)
    refuses(
        lambda: tw.data.nyud_mt("train", path=tmp_path)[0],
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
    refuses(lambda: tw.data.nyud_mt("train", path=tmp_path)[0], ValueError, "depth/0046.npy", "-1", "0 where it is unknown")


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
    for opener, name in ((tw.data.nyuv2_folder, "folder"), (tw.data.nyuv2_mtan, "mtan"), (tw.data.nyud_mt, "mt")):
        data = opener("train", path=tmp_path / name)
        refuses(lambda data=data: data[0], ValueError, "/depth/", f"{farthest:g} m", "0.5..20 m", "disparities", "convert")
        assert data[1]["depth"].max() > 1  # the others are what they should be


def test_a_picture_without_any_depth_is_read(tmp_path):
    trees.write_mtan(tmp_path)
    trees.save(tmp_path / "train/depth/0.npy", np.zeros((24, 32, 1), np.float32))
    assert not tw.data.nyuv2_mtan("train", path=tmp_path)[0]["depth"].any()


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
    refuses(lambda: tw.data.nyuv2_mtan("train", path=tmp_path)[0], ValueError, file, str(shape), expected)


def test_npy_that_is_cut_short(tmp_path):
    trees.write_mtan(tmp_path)
    file = tmp_path / "train/depth/0.npy"
    file.write_bytes(file.read_bytes()[:200])
    refuses(lambda: tw.data.nyuv2_mtan("train", path=tmp_path)[0], ValueError, file, "not a readable .npy")


@pytest.mark.parametrize("keep", [0, 200])
def test_picture_that_is_cut_short(tmp_path, keep):
    trees.write_folder(tmp_path)
    file = tmp_path / "rgb" / "0046.jpg"
    file.write_bytes(file.read_bytes()[:keep])
    data = tw.data.nyuv2_folder("train", path=tmp_path).only(())
    refuses(lambda: data[0], ValueError, file, "not a readable picture", "write it again")


def test_values_in_another_coding(tmp_path):
    trees.write_mtan(tmp_path)
    trees.save(tmp_path / "train/image/0.npy", np.full((24, 32, 3), 200.0))
    refuses(
        lambda: tw.data.nyuv2_mtan("train", path=tmp_path)[0], ValueError, "image/0.npy", "200", "0..1", "divide by 255"
    )
    trees.save(tmp_path / "train/normal/1.npy", np.full((24, 32, 3), 200.0))
    refuses(lambda: tw.data.nyuv2_mtan("train", path=tmp_path)[1], ValueError, "normal/1.npy", "200", "-1..1", "uint8")

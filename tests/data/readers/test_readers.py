"""Each published layout is read back as it was written."""

import pickle

import numpy as np
import pytest
import torch
from data import republished_trees, trees

import taskweave as tw
from taskweave.data import Depth
from taskweave.data.readers.indoor.nyuv2 import FORTY, FORTY_TO_THIRTEEN, THIRTEEN


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def assert_shows(sample, truth, *, image_off=0.0, normals_off=1e-6):
    """`sample` holds what was written; targets that the layout has not are not compared."""
    off = np.abs(sample["image"].numpy().transpose(1, 2, 0).astype(int) - truth.image)
    assert off.mean() <= image_off
    if "segmentation" in sample:
        assert np.array_equal(sample["segmentation"].numpy(), truth.segmentation)
    if "depth" in sample:
        assert np.allclose(sample["depth"].numpy()[0], truth.depth, atol=1e-6)
    if normals_off is not None and "normals" in sample:
        found = sample["normals"].numpy().transpose(1, 2, 0)
        assert np.array_equal((found == 0).all(-1), (truth.normals == 0).all(-1)), "holes moved"
        assert np.abs(found - truth.normals).max() < normals_off


def test_folder(tmp_path, cache):
    truths = trees.write_folder(tmp_path)
    data = tw.data.nyuv2_folder("train", path=tmp_path)
    assert data.labels == ("segmentation", "depth", "normals")
    assert data.classes == FORTY
    assert [data.key(i) for i in range(len(data))] == ["0046", "0047", "0125", "0126", "0127"]
    assert [data.scene(i) for i in range(len(data))] == ["from 0046"] * 2 + ["from 0125"] * 3
    for sample, truth in zip(data, truths, strict=True):
        assert_shows(sample, truth, image_off=3, normals_off=None)
    assert len(list((cache / "normals").glob("*.npz"))) == 5


def test_derived_normals_are_computed_once(tmp_path, cache, monkeypatch):
    trees.write_folder(tmp_path)
    first = tw.data.nyuv2_folder("train", path=tmp_path).only(("normals",))[0]["normals"]
    monkeypatch.setattr("taskweave.data.normals.normals_from_depth", None)  # any call would now raise
    again = tw.data.nyuv2_folder("train", path=tmp_path).only(("normals",))[0]["normals"]
    assert torch.equal(first, again)
    assert first.norm(dim=0).amax() == pytest.approx(1, abs=1e-5)


def test_cached_normals_are_those_of_the_depth(tmp_path):
    from taskweave.data import NYUV2_CAMERA, normals_from_depth

    trees.write_folder(tmp_path)
    sample = tw.data.nyuv2_folder("train", path=tmp_path)[1]
    assert torch.allclose(sample["normals"], normals_from_depth(sample["depth"], NYUV2_CAMERA), atol=1e-3)


def test_a_changed_depth_file_gets_new_normals(tmp_path):
    trees.write_folder(tmp_path)
    before = tw.data.nyuv2_folder("train", path=tmp_path)[0]["normals"]
    tilted = np.linspace(1000, 1200, trees.WIDTH)[None].repeat(trees.HEIGHT, 0)
    trees.save(tmp_path / "depth" / "0046.png", tilted.astype(np.uint16))
    assert not torch.equal(tw.data.nyuv2_folder("train", path=tmp_path)[0]["normals"], before)


def test_folder_of_13(tmp_path):
    truths = trees.write_folder(tmp_path, "val", classes=13)
    data = tw.data.nyuv2_folder("val", path=tmp_path, classes=13).only(("segmentation",))
    assert data.classes == THIRTEEN
    assert set(data[0]) == {"image", "key", "segmentation"}
    for sample, truth in zip(data, truths, strict=True):
        assert_shows(sample, truth, image_off=3)


def test_mtan(tmp_path):
    truths = trees.write_mtan(tmp_path)
    data = tw.data.nyuv2_mtan("train", path=tmp_path)
    assert [data.key(i) for i in range(len(data))] == ["0", "1", "2", "3", "4"]
    assert data.classes == THIRTEEN
    for sample, truth in zip(data, truths, strict=True):
        assert_shows(sample, truth)


def test_mtan_is_ordered_by_number(tmp_path):
    trees.write_mtan(tmp_path)
    for folder in ("image", "label", "depth", "normal"):
        (tmp_path / "train" / folder / "0.npy").rename(tmp_path / "train" / folder / "10.npy")
    data = tw.data.nyuv2_mtan("train", path=tmp_path)
    assert [data.key(i) for i in range(len(data))] == ["1", "2", "3", "4", "10"]


def test_lists(tmp_path):
    truths = trees.write_lists(tmp_path)
    data = tw.data.nyuv2_lists("training", path=tmp_path)
    assert data.labels == ("segmentation", "normals")
    assert data.key(0) == "nyu_train_val/nyu_0046.png"
    assert data.scene(1) == data.scene(0) != data.scene(2)
    for sample, truth in zip(data, truths, strict=True):
        assert_shows(sample, truth, normals_off=0.02)


def test_lists_with_another_data_dir(tmp_path):
    trees.write_lists(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "list").rename(tmp_path / "elsewhere" / "list")
    data = tw.data.nyuv2_lists("training", path=tmp_path / "elsewhere", data_dir=tmp_path, classes=13).only(
        ("segmentation",)
    )
    truth = trees.truths()[0].segmentation
    expected = np.array([*FORTY_TO_THIRTEEN, *[255] * 216])[truth]
    assert np.array_equal(data[0]["segmentation"].numpy(), expected)


@pytest.mark.parametrize("pictures", [False, True], ids=["npy", "png"])
def test_nyud_mt(tmp_path, pictures):
    truths = trees.write_nyud_mt(tmp_path, pictures=pictures)
    for sample, truth in zip(tw.data.nyud_mt("train", path=tmp_path), truths, strict=True):
        assert_shows(sample, truth, image_off=3, normals_off=0.02 if pictures else 1e-6)


def test_adashare(tmp_path):
    truths = republished_trees.write_adashare_nyuv2(tmp_path)
    train, test = (tw.data.adashare_nyuv2(split, path=tmp_path) for split in ("train", "test"))
    assert [train.key(i) for i in range(len(train))] == [f"img/{name}.png" for name in ("0046", "0047", "0125", "0126")]
    assert [train.scene(i) for i in range(len(train))] == ["from 0046"] * 2 + ["from 0125"] * 2
    assert train.classes == FORTY
    for sample, truth in zip([*train, *test], truths, strict=True):
        assert_shows(sample, truth, normals_off=0.02)
    thirteen = tw.data.adashare_nyuv2("test", path=tmp_path, classes=13).only(("segmentation",))
    expected = np.array([*FORTY_TO_THIRTEEN, *[255] * 216])[truths[-1].segmentation]
    assert np.array_equal(thirteen[0]["segmentation"].numpy(), expected)


def open_mat(root, part):
    path = root / "nyu_depth_v2_labeled.mat"
    return tw.data.nyuv2_mat(part, path=path, splits=root / "splits.mat", class_map=root / "classMapping40.mat")


def test_mat(tmp_path):
    pytest.importorskip("h5py", reason="nyu_depth_v2_labeled.mat needs taskweave[data]")
    truths, scenes = trees.write_mat(tmp_path)
    train, test = open_mat(tmp_path, "train"), open_mat(tmp_path, "test")
    assert [train.key(i) for i in range(len(train))] == ["0001", "0003", "0004", "0005"]
    assert [train.scene(i) for i in range(len(train))] == [scenes[i] for i in (0, 2, 3, 4)]
    for sample, index in zip(train, (0, 2, 3, 4), strict=True):
        assert_shows(sample, truths[index], normals_off=None)
    assert_shows(test[0], truths[1], normals_off=None)
    assert type(test[0]["depth"]) is Depth
    assert torch.equal(pickle.loads(pickle.dumps(train))[1]["image"], train[1]["image"])


def test_mat_with_a_class_map_of_numbers_and_13_classes(tmp_path):
    pytest.importorskip("h5py", reason="nyu_depth_v2_labeled.mat needs taskweave[data]")
    truths, _ = trees.write_mat(tmp_path)
    np.save(tmp_path / "map.npy", np.arange(894) % 41)
    data = tw.data.nyuv2_mat(
        "test",
        path=tmp_path / "nyu_depth_v2_labeled.mat",
        splits=tmp_path / "splits.mat",
        class_map=tmp_path / "map.npy",
        classes=13,
    ).only(("segmentation",))
    expected = np.array([*FORTY_TO_THIRTEEN, *[255] * 216])[truths[1].segmentation]
    assert np.array_equal(data[0]["segmentation"].numpy(), expected)


def test_mat_needs_its_libraries(tmp_path, monkeypatch):
    import sys

    pytest.importorskip("h5py", reason="writing the file needs it")
    trees.write_mat(tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"pip install taskweave\[data\]"):
        open_mat(tmp_path, "test")


def test_class_names_agree():
    """Classes that both sets name are grouped into themselves; names are unique."""
    assert len(set(FORTY)) == len(FORTY) == len(FORTY_TO_THIRTEEN) == 40
    assert len(set(THIRTEEN)) == 13
    assert set(FORTY_TO_THIRTEEN) == set(range(13))
    for name in set(FORTY) & set(THIRTEEN):
        assert THIRTEEN[FORTY_TO_THIRTEEN[FORTY.index(name)]] == name

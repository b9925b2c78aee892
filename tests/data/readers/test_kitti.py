"""KITTI's object labels: what was written is read back; what is wrong is named."""

import pytest
import torch
from data import street_trees as trees
from data.refusing import refuses

import taskweave as tw
from taskweave.data import KITTI_PEDESTRIANS


def test_pedestrians_as_persons(tmp_path):
    trees.write_kitti(tmp_path)
    data = tw.data.kitti("test", path=tmp_path)
    assert data.objects == ("person",)
    assert [data.key(i) for i in range(len(data))] == ["000000", "000001", "000002"]
    assert torch.equal(data[2]["image"], torch.from_numpy(trees.picture(2)).permute(2, 0, 1))
    first = data[0]["detection"]
    assert first["boxes"].tolist() == [[10.25, 5.5, 20.75, 45.5], [60, 2, 70, 12]]
    assert first["labels"].tolist() == [1, 1]
    assert first["ignore"].tolist() == [False, True]
    assert "visible" not in first
    assert data[1]["detection"]["boxes"].shape == (0, 4)
    # partly occluded; largely occluded; truncated by more than 0.30; sitting. The cyclist is none of it
    assert data[2]["detection"]["ignore"].tolist() == [False, True, True, True]


def test_levels(tmp_path):
    trees.write_kitti(tmp_path)
    easy = tw.data.kitti("test", path=tmp_path, most_occluded=0, most_truncated=0.15)
    assert easy[2]["detection"]["ignore"].tolist() == [True, True, True, True]
    hard = tw.data.kitti("test", path=tmp_path, most_occluded=2, most_truncated=0.5)
    assert hard[2]["detection"]["ignore"].tolist() == [False, False, False, True]


def test_other_classes(tmp_path):
    trees.write_kitti(tmp_path)
    classes = {"Car": "car", "Van": "car", "Pedestrian": "person", "Cyclist": "cyclist"}
    data = tw.data.kitti("test", path=tmp_path, classes=classes, ignored=("DontCare",))
    assert data.objects == ("car", "person", "cyclist")
    first, last = data[0]["detection"], data[2]["detection"]
    # DontCare is ignored for each class
    assert first["labels"].tolist() == [2, 1, 1, 2, 3]
    assert first["ignore"].tolist() == [False, False, True, True, True]
    assert last["labels"].tolist() == [2, 2, 2, 3]


def test_wrong_choices(tmp_path):
    trees.write_kitti(tmp_path)
    refuses(lambda: tw.data.kitti("test", path=tmp_path, classes={"Dog": "dog"}), ValueError, "'Dog'", "Pedestrian")
    refuses(lambda: tw.data.kitti("test", path=tmp_path, classes={}), ValueError, "no class")
    refuses(lambda: tw.data.kitti("test", path=tmp_path, ignored=("Bus",)), ValueError, "'Bus'")
    refuses(lambda: tw.data.kitti("test", path=tmp_path, ignored=("Pedestrian",)), ValueError, "'Pedestrian'", "both")
    with pytest.raises(TypeError):
        KITTI_PEDESTRIANS["Car"] = "person"


def test_wrong_lines(tmp_path):
    text = tmp_path / "training" / "label_2" / "000000.txt"
    pedestrian = trees.KITTI["000000"][0].text
    for old, new, *words in (
        ("Pedestrian", "Unicorn", "line 1", "unknown class 'Unicorn'"),
        (" 0.01", "", "line 1", "14 cells", "expected 15"),
        ("20.75", "wide", "line 1", "'wide'"),
        ("20.75", "10.25", "line 1", "(10.25, 5.5, 10.25, 45.5)", "no area"),
        ("20.75", "90.00", "line 1", "(10.25, 5.5, 90, 45.5)", "reaches outside", "80 wide and 60 high"),
    ):
        trees.write_kitti(tmp_path)
        assert old in pedestrian
        text.write_text(text.read_text().replace(pedestrian, pedestrian.replace(old, new)))
        refuses(lambda: tw.data.kitti("test", path=tmp_path), ValueError, text, *words)


def test_accepted_and_counted(tmp_path):
    trees.write_kitti(tmp_path, {"000000": (trees.Line("Pedestrian", (70, 5, 90, 45)), trees.Line("Dog", (1, 1, 9, 9)))})
    with pytest.warns(UserWarning) as caught:
        data = tw.data.kitti("test", path=tmp_path, accept=("outside", "unknown class"))
    assert {str(warning.message).split(";")[0] for warning in caught} == {
        "1 boxes reach outside their image and were clipped to it",
        "1 objects have an unknown class and were left out",
    }
    assert data[0]["detection"]["boxes"].tolist() == [[70, 5, 80, 45]]


def test_missing_files(tmp_path):
    refuses(lambda: tw.data.kitti("test", path=tmp_path), FileNotFoundError, "image_2", "does not exist")
    trees.write_kitti(tmp_path)
    image = tmp_path / "training" / "image_2" / "000001.png"
    image.unlink()
    refuses(lambda: tw.data.kitti("test", path=tmp_path), FileNotFoundError, image, "000001.txt")

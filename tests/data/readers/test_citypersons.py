"""CityPersons: what was written is read back; what is wrong is named."""

import json

import pytest
import torch
from data import street_trees as trees
from data.refusing import refuses

import taskweave as tw

PATH_OF_FIRST = "aachen/aachen_000000_000019_gtBboxCityPersons.json"


def test_pedestrians(tmp_path):
    trees.write_citypersons(tmp_path)
    data = tw.data.citypersons("train", path=tmp_path).only(("detection",))
    assert data.objects == ("person",)
    assert data.labels == ("detection",)
    assert data.classes == ()
    assert [data.key(i) for i in range(3)] == list(trees.CITY_KEYS)
    assert [data.scene(i) for i in range(3)] == ["aachen", "aachen", "zurich"]
    first, empty, last = (data[i]["detection"] for i in range(3))
    assert first["boxes"].tolist() == [[10, 5, 22, 35], [40, 10, 50, 34]]
    assert first["labels"].tolist() == [1, 1]
    assert first["ignore"].tolist() == [False, True]
    assert first["visible"].tolist() == [0.5, 1.0]
    assert empty["boxes"].shape == (0, 4)
    assert empty["visible"].shape == (0,)
    assert last["ignore"].tolist() == [True, False, True]


def test_riders_too(tmp_path):
    trees.write_citypersons(tmp_path)
    data = tw.data.citypersons("train", path=tmp_path, persons=("pedestrian", "rider")).only(("detection",))
    assert data[0]["detection"]["ignore"].tolist() == [False, False]
    refuses(
        lambda: tw.data.citypersons("train", path=tmp_path, persons=("dog",)).only(("detection",)),
        ValueError,
        "'dog'",
        "pedestrian",
    )


def test_with_the_masks_of_cityscapes(tmp_path):
    trees.write_citypersons(tmp_path, "val")
    data = tw.data.citypersons("val", path=tmp_path).only(("detection", "segmentation"))
    assert data.classes == ("background", "person")
    assert torch.equal(
        data[1]["segmentation"],
        tw.data.cityscapes("val", path=tmp_path, classes=2).only(("segmentation",))[1]["segmentation"],
    )
    mask = next(tmp_path.glob("gtFine/val/zurich/*labelIds.png"))
    mask.unlink()
    refuses(lambda: tw.data.citypersons("val", path=tmp_path).only(("segmentation",)), FileNotFoundError, mask)


def spoiled(root, **values):
    """The first json with some of its values replaced; None removes one."""
    trees.write_citypersons(root)
    path = root / "gtBboxCityPersons" / "train" / PATH_OF_FIRST
    content = json.loads(path.read_text()) | values
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))
    return path


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"imgHeight": None}, ["imgHeight None", "size in pixels"]),
        ({"imgWidth": 0}, ["imgWidth 0", "size in pixels"]),
        ({"objects": None}, ["no list 'objects'"]),
        ({"objects": [trees.citizen("unicorn", (1, 1, 9, 9))]}, ["objects[0]", "unknown class 'unicorn'"]),
        ({"objects": ["pedestrian"]}, ["objects[0]", "'pedestrian'"]),
        (
            {"objects": [*trees.CITIZENS[0], trees.citizen("rider", (1, 2, 0, 9))]},
            ["objects[2]", "(1, 2, 1, 11)", "no area"],
        ),
        ({"objects": [trees.citizen("rider", (1, 2, 9))]}, ["objects[0]", "bbox is [1, 2, 9]"]),
        ({"objects": [trees.citizen("rider", (1, 2, 9, 9), (1, 2, "9", 9))]}, ["objects[0]", "bboxVis is [1, 2, '9', 9]"]),
        ({"objects": [trees.citizen("rider", (75, 2, 9, 9))]}, ["objects[0]", "(75, 2, 84, 11)", "outside", "80 wide"]),
    ],
)
def test_wrong_json(tmp_path, values, words):
    path = spoiled(tmp_path, **values)
    refuses(lambda: tw.data.citypersons("train", path=tmp_path, accept=()).only(("detection",)), ValueError, path, *words)


def test_outside_is_clipped_and_counted(tmp_path):
    """The release draws persons whole, also beyond the edge; the visible share is that of the whole person."""
    spoiled(tmp_path, objects=[trees.citizen("pedestrian", (70, 40, 10, 40), (70, 40, 10, 20))])
    with pytest.warns(UserWarning, match="1 boxes reach outside their image and were clipped to it"):
        data = tw.data.citypersons("train", path=tmp_path).only(("detection",))
    assert data[0]["detection"]["boxes"].tolist() == [[70, 40, 80, 60]]
    assert data[0]["detection"]["visible"].tolist() == [0.5]


def test_json_of_another_size(tmp_path):
    spoiled(tmp_path, imgWidth=100)
    data = tw.data.citypersons("train", path=tmp_path).only(("detection",))
    refuses(lambda: data[0], ValueError, "60 x 80", "60 x 100", PATH_OF_FIRST)


def test_unreadable_or_missing(tmp_path):
    path = spoiled(tmp_path)
    path.write_text(path.read_text()[:40])
    refuses(
        lambda: tw.data.citypersons("train", path=tmp_path).only(("detection",)),
        ValueError,
        path,
        "not readable json",
        "column",
    )
    path.write_text("[]")
    refuses(lambda: tw.data.citypersons("train", path=tmp_path).only(("detection",)), ValueError, path, "holds a list")
    path.unlink()
    refuses(lambda: tw.data.citypersons("train", path=tmp_path).only(("detection",)), FileNotFoundError, path, "restore")
    refuses(
        lambda: tw.data.citypersons("val", path=tmp_path).only(("detection",)), FileNotFoundError, "val", "does not exist"
    )

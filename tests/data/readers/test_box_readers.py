"""What was written in each layout is read back: boxes, labels, ignore flags, attributes, masks."""

import numpy as np
import pytest
import torch
from data import box_trees as trees
from torchvision import tv_tensors

import taskweave as tw
from taskweave.data import VOC_CLASSES, tiled


def assert_things(dataset, index, things):
    """The sample's boxes are those of `things`, edges in pixels from 0, with their names and ignore flags."""
    target = dataset[index]["detection"]
    assert target["boxes"].tolist() == [list(thing.box) for thing in things]
    assert [dataset.objects[label - 1] for label in target["labels"].tolist()] == [thing.name for thing in things]
    assert target["ignore"].tolist() == [thing.ignore for thing in things]
    assert target["boxes"].shape == (len(things), 4)


def without_flags(things):
    return [trees.Thing(thing.name, thing.box) for thing in things]


@pytest.mark.parametrize("year", [2007, 2012])
def test_voc(tmp_path, year):
    shots = trees.write_voc(tmp_path, year=year)
    data = tw.data.voc("trainval", path=tmp_path, year=year)
    assert data.objects == VOC_CLASSES == tuple(trees.voc_classes())
    assert [data.key(i) for i in range(len(data))] == [shot.key for shot in shots]
    for index, shot in enumerate(shots):
        assert_things(data, index, shot.things)
        assert data[index]["detection"]["boxes"].canvas_size == shot.size
        assert (data[index]["image"].numpy().transpose(1, 2, 0).astype(int) - trees.picture(shot)).std() < 6


def test_voc_of_one_class_keeps_every_image(tmp_path):
    shots = trees.write_voc(tmp_path)
    data = tw.data.voc("dog_trainval", path=tmp_path, year=2007, classes=("person",))
    assert data.objects == ("person",)
    for index, shot in enumerate(shots):
        assert_things(data, index, [thing for thing in shot.things if thing.name == "person"])


def test_voc_in_fractions_of_a_pixel(tmp_path):
    trees.write_voc(tmp_path)
    file = tmp_path / "VOC2007" / "Annotations" / "000002.xml"
    file.write_text(file.read_text().replace("<xmin>3</xmin>", "<xmin>3.25</xmin>"))
    data = tw.data.voc("trainval", path=tmp_path, year=2007)
    assert data[1]["detection"]["boxes"].tolist() == [[2.25, 1, 19, 30]]


def test_apascal(tmp_path):
    shots, values = trees.write_apascal(tmp_path)
    data = tw.data.apascal("train", path=tmp_path)
    assert [data.key(i) for i in range(len(data))] == [shot.key for shot in shots]
    assert data.attributes == tuple(f"Attribute {k}" for k in range(64))
    rest = list(values)
    for index, shot in enumerate(shots):
        assert_things(data, index, without_flags(shot.things))
        target = data[index]["attributes"]
        expected = [rest.pop(0) for _ in shot.things]
        assert target["values"].tolist() == expected
        assert target["values"].dtype == torch.float32
        assert torch.equal(target["labels"], data[index]["detection"]["labels"])
    assert data[0]["attributes"]["values"][0].sum() == 0, "an object without attributes is kept"


def test_apascal_of_one_class(tmp_path):
    shots, values = trees.write_apascal(tmp_path)
    data = tw.data.apascal("train", path=tmp_path, classes=("person",)).only(("attributes",))
    assert data.labels == ("attributes",)
    assert len(data) == len(shots)
    assert data[0]["attributes"]["values"].tolist() == [values[0]]
    assert data[2]["attributes"]["values"].tolist() == values[3:]
    assert data[2]["attributes"]["labels"].tolist() == [1, 1]


def test_penn_fudan(tmp_path):
    shots = trees.write_penn_fudan(tmp_path)
    data = tw.data.penn_fudan("all", path=tmp_path)
    assert data.classes == ("background", "person")
    for index, shot in enumerate(shots):
        assert_things(data, index, shot.things)
        inside = np.zeros(shot.size, dtype=int)
        for thing in shot.things:
            x1, y1, x2, y2 = thing.box
            inside[y1:y2, x1:x2] = 1
        assert (data[index]["segmentation"].numpy() == inside).all()


def keys(dataset):
    return {dataset.key(index) for index in range(len(dataset))}


def test_penn_fudan_splits(tmp_path):
    trees.write_penn_fudan(tmp_path, count=20)
    train, test = (tw.data.penn_fudan(split, path=tmp_path, split_seed=3) for split in ("train", "test"))
    assert (len(train), len(test)) == (14, 6)
    assert not keys(train) & keys(test)
    assert keys(train) | keys(test) == keys(tw.data.penn_fudan("all", path=tmp_path))
    assert keys(tw.data.penn_fudan("test", path=tmp_path, split_seed=3)) == keys(test)
    assert keys(tw.data.penn_fudan("test", path=tmp_path, split_seed=4)) != keys(test)
    assert len(tw.data.penn_fudan("test", path=tmp_path, test_share=0.1)) == 2


def test_coco(tmp_path):
    shots = trees.write_coco(tmp_path)
    data = tw.data.coco("test", path=tmp_path)
    assert data.objects == ("person", "cat", "dog"), "in the order of the category ids 1, 7, 18"
    for index, shot in enumerate(shots):
        assert_things(data, index, shot.things)
    chosen = tw.data.coco("test", path=tmp_path, classes=("dog", "person"))
    assert chosen.objects == ("dog", "person")
    assert chosen[0]["detection"]["labels"].tolist() == [2, 1]
    assert len(chosen[1]["detection"]["labels"]) == 0


def test_coco_accepts_what_the_release_has(tmp_path):
    """A box 0 high, and one that ends beyond the image by rounding: counted, the first named."""
    content = trees.coco_content()
    content["annotations"][0]["bbox"] = [1.5, 3, 5.5, 0.0]
    content["annotations"][1]["bbox"] = [30.25, 3, 9.76, 2]
    trees.write_coco(tmp_path, content)
    with pytest.warns(UserWarning) as caught:
        data = tw.data.coco("test", path=tmp_path)
    said = sorted(str(warning.message) for warning in caught)
    assert len(said) == 2
    assert said[0].startswith("1 boxes have no area")
    assert "annotation 500" in said[0]
    assert said[1].startswith("1 boxes reach outside")
    assert "annotation 501" in said[1]
    assert data[0]["detection"]["boxes"].tolist() == [[30.25, 3, 40, 5]]


def test_box_csv(tmp_path):
    shots = trees.write_box_csv(tmp_path)
    data = tw.data.box_csv("train", path=tmp_path)
    assert data.objects == ("cat", "dog", "person")
    assert [data.key(i) for i in range(len(data))] == [f"{shot.key}.jpg" for shot in shots], "also the one without rows"
    for index, shot in enumerate(shots):
        assert_things(data, index, without_flags(shot.things))


def test_box_csv_counted_from_one(tmp_path):
    trees.write_box_csv(tmp_path)
    file = tmp_path / "annotations" / "train_labels.csv"
    rows = [trees.csv_row(shot, trees.Thing(t.name, trees.inclusive(t.box))) for shot in trees.SHOTS for t in shot.things]
    trees.write_csv(file, rows)
    data = tw.data.box_csv("train", path=tmp_path, classes=("person", "cat", "dog"), counted_from_one=True)
    assert data.objects == ("person", "cat", "dog")
    for index, shot in enumerate(trees.SHOTS):
        assert_things(data, index, without_flags(shot.things))


def test_birds_whole(tmp_path):
    trees.write_birds(tmp_path)
    data = tw.data.birds("train", path=tmp_path, area="whole")
    assert data.classes == ("bird", "forest", "sky", "wind turbine")
    assert data[0]["detection"]["boxes"].tolist() == [list(thing.box) for thing in trees.BIRDS[0].things]
    assert data[0]["detection"]["ignore"].tolist() == [False, False, False, True], "the last is 10 pixels high"
    assert len(data[1]["detection"]["boxes"]) == 0
    mask = data[0]["segmentation"]
    assert (mask[:4] == 255).all()
    assert (mask[50:, 50:] == 3).all()
    assert (mask[4:50] == 2).all()
    assert tw.data.birds("train", path=tmp_path, area="whole", least_height=0)[0]["detection"]["ignore"].sum() == 0


def test_birds_right_half(tmp_path):
    """x counts from the middle: the first bird moves by 50; of the second 16 of 20 columns remain; the third is gone."""
    trees.write_birds(tmp_path)
    data = tw.data.birds("train", path=tmp_path, area="right half")
    sample = data[0]
    assert sample["image"].shape == (3, 80, 50)
    assert sample["segmentation"].shape == (80, 50)
    assert (sample["segmentation"][50:] == 3).all()
    assert sample["detection"]["boxes"].tolist() == [[10, 10, 30, 30], [0, 40, 16, 60], [20, 60, 40, 70]]
    assert sample["detection"]["ignore"].tolist() == [False, False, True]
    assert isinstance(sample["detection"]["boxes"], tv_tensors.BoundingBoxes)
    assert (data.key(0), data.scene(0)) == ("000011@50,0", "000011")
    assert len(data[1]["detection"]["boxes"]) == 0


def test_birds_without_masks(tmp_path):
    trees.write_birds(tmp_path)
    for mask in (tmp_path / "masks").iterdir():
        mask.unlink()
    data = tiled(tw.data.birds("train", path=tmp_path, area="whole").only(("detection",)), (40, 60), overlap=20)
    assert data.classes == ()
    assert set(data[0]) == {"image", "key", "detection"}

"""The real samples of Penn-Fudan, aPascal and NAIP in ../shared/data. Nothing of them is stored in this repository."""

import warnings

import numpy as np
import pytest
import torch
from contracts.dataset_contract import assert_dataset
from PIL import Image
from torchvision.transforms import v2

import taskweave as tw
from taskweave.data import AllRois, Fit, SampleRois, ToInput, Transformed, WithProposals, collate, grid_proposals
from taskweave.data.boxes import iou
from taskweave.images import IMAGENET

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def data(shared):
    return shared / "data"


@pytest.fixture(autouse=True)
def no_faults():
    """These files have none: nothing is accepted, and nothing is warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def targets(dataset):
    """Without reading the images."""
    return [picture.objects for picture in dataset.pictures]


def test_penn_fudan(data):
    every = tw.data.penn_fudan("all", path=data / "PennFudanPed")
    assert_dataset(every, at=(0, 60, -1))
    assert len(every) == 122
    assert sum(len(objects.labels) for objects in targets(every)) == 310
    parts = [tw.data.penn_fudan(split, path=data / "PennFudanPed") for split in ("train", "test")]
    assert [len(part) for part in parts] == [85, 37]
    assert every[0]["detection"]["boxes"].tolist() == [[159, 181, 302, 431], [419, 170, 535, 486]]


def test_penn_fudans_boxes_bound_its_masks(data):
    """Within a pixel, except where the release itself differs: three of 310 boxes, by at most 6 pixels."""
    every = tw.data.penn_fudan("all", path=data / "PennFudanPed")
    off = []
    for index, objects in enumerate(targets(every)):
        numbers = np.asarray(Image.open(data / "PennFudanPed/PedMasks" / f"{every.key(index)}_mask.png"))
        for number, box in enumerate(objects.boxes, start=1):
            rows, columns = np.nonzero(numbers == number)
            extent = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            off.append(np.abs(extent - box).max())
    assert sum(o > 1 for o in off) == 3
    assert max(off) <= 6


def test_penn_fudans_persons_are_in_their_boxes(data):
    every = tw.data.penn_fudan("all", path=data / "PennFudanPed")
    for index in range(0, len(every), 20):
        sample = every[index]
        inside = torch.zeros(sample["segmentation"].shape, dtype=torch.bool)
        for x1, y1, x2, y2 in sample["detection"]["boxes"].int().tolist():
            inside[y1:y2, x1:x2] = True
        assert not (sample["segmentation"] == 1)[~inside].any()
        assert (sample["segmentation"] == 1)[inside].float().mean() > 0.2


def test_apascal(data):
    train, test = (tw.data.apascal(split, path=data / "apascal") for split in ("train", "test"))
    assert_dataset(train, at=(0, 45, -1))
    assert (len(train), len(test)) == (90, 50)
    counts = [sum(len(objects.labels) for objects in targets(part)) for part in (train, test)]
    assert counts == [437, 231]
    assert len(train.attributes) == 64
    assert train.attributes[-1] == "Leather"
    without = [sum(int((objects.values.sum(axis=1) == 0).sum()) for objects in targets(part)) for part in (train, test)]
    assert without == [2, 13], "objects without any attribute are kept"
    assert not {train.key(i) for i in range(90)} & {test.key(i) for i in range(50)}


def test_apascal_agrees_with_the_xml_of_its_images(data):
    """VOC2008's files of the same images hold the same boxes and classes."""
    voc = tw.data.voc("train", path=data / "apascal" / "VOCdevkit", year=2008)
    apascal = tw.data.apascal("train", path=data / "apascal")
    assert_dataset(voc)
    by_key = {picture.key: picture for picture in voc.pictures}
    assert len(by_key) == len(apascal)
    for picture in apascal.pictures:
        other = by_key[picture.key]
        assert other.size == picture.size
        assert np.array_equal(np.sort(other.objects.boxes, axis=0), np.sort(picture.objects.boxes, axis=0))
        assert sorted(other.objects.labels) == sorted(picture.objects.labels)


def test_persons_of_apascal(data):
    """A further test set of a detector trained on Penn-Fudan: same class names."""
    persons = tw.data.apascal("test", path=data / "apascal", classes=("person",)).only(("detection",))
    assert persons.objects == tw.data.penn_fudan("all", path=data / "PennFudanPed").objects
    assert sum(len(objects.labels) for objects in targets(persons)) == 58
    assert len(persons) == 50


def test_naip(data):
    root = data / "naip-wind-turbine"
    parts = [tw.data.box_csv(s, path=root) for s in ("train", "test")]
    assert_dataset(parts[0], at=(0, 80, -1))
    assert [len(part) for part in parts] == [169, 34]
    assert [sum(len(objects.labels) for objects in targets(part)) for part in parts] == [170, 34]
    assert parts[0].objects == parts[1].objects == ("wind turbine",)
    widths = np.concatenate([objects.boxes[:, 2] - objects.boxes[:, 0] for objects in targets(parts[0])])
    assert 60 < np.median(widths) < 72


def test_a_training_batch_of_regions(data):
    """Fitted, mirrored, regions drawn once per image, in one batch with everything the tasks need."""
    grid = WithProposals(tw.data.apascal("train", path=data / "apascal"), grid_proposals)
    steps = [Fit(IMAGENET, size=(160, 160)), v2.RandomHorizontalFlip(), ToInput(IMAGENET), SampleRois(64)]
    seen = Transformed(grid, v2.Compose(steps), seed=0)
    batch = collate([seen[index, 0] for index in range(6)])
    assert batch.image.shape == (6, 3, 160, 160)
    assert [len(rois) for rois in batch.rois] == [len(target["labels"]) for target in batch.targets["detection"]]
    assert all(target["values"].shape[1] == 64 for target in batch.targets["attributes"])
    labels = torch.cat([target["labels"] for target in batch.targets["detection"]])
    assert 0 < (labels > 0).float().mean() <= 0.25
    again = collate([seen[index, 0] for index in range(6)])
    assert all(torch.equal(a, b) for a, b in zip(batch.rois, again.rois, strict=True))


def test_a_grid_finds_most_objects(data):
    """Label-free boxes of five scales overlap most objects by half."""
    grid = WithProposals(
        tw.data.apascal("test", path=data / "apascal"),
        lambda size: grid_proposals(size, scales=(0.12, 0.2, 0.35, 0.6, 1.0), ratios=(0.5, 1, 2), overlap=0.7),
    )
    found = []
    for index in range(0, len(grid), 5):
        sample = AllRois()(grid[index])
        found.append(iou(sample["detection"]["boxes"], sample["rois"]).amax(dim=1))
    assert (torch.cat(found) >= 0.5).float().mean() > 0.7

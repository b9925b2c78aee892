"""Every check of the contract of data sets catches a data set that does not keep it."""

import pytest
import torch
from contracts import dataset_contract as contract
from torchvision import tv_tensors

from taskweave.data import Depth, Disparity, LabelledSet, Normals, collate
from taskweave.data.boxes import bounding_boxes


class Broken(LabelledSet):
    """Two good samples; each test spoils one thing."""

    labels = ("segmentation", "depth", "disparity", "normals")
    classes = ("wall", "floor")

    def __init__(self, **spoiled):
        normals = torch.zeros(3, 4, 6)
        normals[2] = 1
        self.sample = {
            "image": tv_tensors.Image(torch.arange(72, dtype=torch.uint8).reshape(3, 4, 6)),
            "segmentation": tv_tensors.Mask(torch.arange(24).reshape(4, 6) % 2),
            "depth": Depth(torch.ones(1, 4, 6)),
            "disparity": Disparity(torch.ones(1, 4, 6)),
            "normals": Normals(normals),
        } | spoiled

    def __len__(self):
        return 2

    def __getitem__(self, index):
        if index >= 2:
            raise IndexError(index)
        return {**self.sample, "key": self.key(index)}

    def key(self, index):
        return f"s{index}"

    def scene(self, index):
        return "room"


def test_the_sound_one_passes():
    contract.assert_dataset(Broken())


def boxes(*rows, size=(4, 6), **changed):
    """A sound detection target of `rows`, changed."""
    n = len(rows)
    sound = {"boxes": bounding_boxes(rows, size), "labels": torch.ones(n, dtype=torch.int64), "ignore": torch.zeros(n) > 0}
    return {"detection": sound | changed}


def attributes(*values, **changed):
    target = boxes((0, 0, 2, 2))["detection"] | {"values": torch.tensor([values])}
    del target["ignore"]
    return {"attributes": target | changed}


class BrokenBoxes(Broken):
    """Sound but for what a test spoils: two classes of objects, three attributes."""

    labels = (*Broken.labels, "detection", "attributes")
    objects = ("dog", "cat")
    attributes = ("round", "shiny", "furry")


def test_the_sound_boxes_pass():
    contract.assert_dataset(BrokenBoxes(**boxes((0, 0, 2, 2)), **attributes(0.0, 1.0, float("nan"))))
    contract.assert_dataset(BrokenBoxes(**boxes()))
    contract.assert_dataset(BrokenBoxes(**boxes((0, 0, 2, 2), visible=torch.tensor([0.5]))))


SPOILED_BOXES = {
    "box outside": boxes((0, 0, 7, 2)),
    "box before the edge": boxes((-1, 0, 2, 2)),
    "box empty": boxes((2, 0, 2, 2)),
    "box inverted": boxes((2, 0, 1, 2)),
    "boxes plain": boxes((0, 0, 2, 2), boxes=torch.tensor([[0.0, 0, 2, 2]])),
    "boxes of another image": boxes((0, 0, 2, 2), size=(4, 7)),
    "boxes as x, y, w, h": boxes(
        (0, 0, 2, 2),
        boxes=tv_tensors.BoundingBoxes([[0.0, 0, 2, 2]], format="XYWH", canvas_size=(4, 6)),
    ),
    "label of the background": boxes((0, 0, 2, 2), labels=torch.tensor([0])),
    "label outside": boxes((0, 0, 2, 2), labels=torch.tensor([3])),
    "labels too many": boxes((0, 0, 2, 2), labels=torch.tensor([1, 1])),
    "labels are int32": boxes((0, 0, 2, 2), labels=torch.tensor([1], dtype=torch.int32)),
    "ignore is a number": boxes((0, 0, 2, 2), ignore=torch.tensor([0])),
    "visible in percent": boxes((0, 0, 2, 2), visible=torch.tensor([65.0])),
    "visible too many": boxes((0, 0, 2, 2), visible=torch.ones(2)),
    "visible is a flag": boxes((0, 0, 2, 2), visible=torch.tensor([True])),
    "more is said": boxes((0, 0, 2, 2), scores=torch.tensor([0.5])),
    "attribute 2": attributes(0.0, 1.0, 2.0),
    "attribute missing": attributes(0.0, 1.0),
    "attributes of other objects": boxes((0, 0, 2, 3)) | attributes(0.0, 1.0, 1.0),
    "attributes of other classes": boxes((0, 0, 2, 2)) | attributes(0.0, 1.0, 1.0, labels=torch.tensor([2])),
    "proposals outside": {"proposals": bounding_boxes([(0, 0, 7, 2)], (4, 6))},
}


@pytest.mark.parametrize("spoiled", SPOILED_BOXES.values(), ids=SPOILED_BOXES.keys())
def test_the_contract_fails_on_boxes(spoiled):
    with pytest.raises(AssertionError):
        contract.assert_dataset(BrokenBoxes(**spoiled))


SPOILED = {
    "image is float": {"image": tv_tensors.Image(torch.rand(3, 4, 6))},
    "image has one colour": {"image": tv_tensors.Image(torch.zeros(3, 4, 6, dtype=torch.uint8))},
    "image is grey": {"image": tv_tensors.Image(torch.arange(24, dtype=torch.uint8).reshape(1, 4, 6))},
    "image is plain": {"image": torch.arange(72, dtype=torch.uint8).reshape(3, 4, 6)},
    "undeclared label": {"edges": Depth(torch.ones(1, 4, 6))},
    "class outside": {"segmentation": tv_tensors.Mask(torch.full((4, 6), 2))},
    "class negative": {"segmentation": tv_tensors.Mask(torch.full((4, 6), -1))},
    "no class": {"segmentation": tv_tensors.Mask(torch.full((4, 6), 255))},
    "mask is int32": {"segmentation": tv_tensors.Mask(torch.zeros(4, 6, dtype=torch.int32))},
    "other size": {"segmentation": tv_tensors.Mask(torch.zeros(4, 5, dtype=torch.int64))},
    "depth is NaN": {"depth": Depth(torch.full((1, 4, 6), torch.nan))},
    "depth is negative": {"depth": Depth(torch.full((1, 4, 6), -1.0))},
    "depth is millimetres": {"depth": Depth(torch.full((1, 4, 6), 2000.0))},
    "depth is empty": {"depth": Depth(torch.zeros(1, 4, 6))},
    "depth is plain": {"depth": torch.ones(1, 4, 6)},
    "inverse depth is empty": {"depth": Disparity(torch.zeros(1, 4, 6))},
    "disparity is NaN": {"disparity": Disparity(torch.full((1, 4, 6), torch.nan))},
    "disparity is negative": {"disparity": Disparity(torch.full((1, 4, 6), -1.0))},
    "disparity is empty": {"disparity": Disparity(torch.zeros(1, 4, 6))},
    "disparity is depth": {"disparity": Depth(torch.ones(1, 4, 6))},
    "normals are not unit": {"normals": Normals(torch.full((3, 4, 6), 0.9))},
    "normals look away": {"normals": Normals(torch.tensor([0.0, 0.0, -1.0])[:, None, None].expand(3, 4, 6))},
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED.keys())
def test_the_contract_fails(spoiled):
    with pytest.raises((AssertionError, TypeError)):
        contract.assert_dataset(Broken(**spoiled))


class BrokenAnswers(Broken):
    """Sound but for what a test spoils: a class of the picture, an age, one box."""

    labels = (*Broken.labels, "species", "age", "box")
    categories = {"species": ("cat", "dog")}  # noqa: RUF012


ANSWERS = {"species": torch.tensor(1), "age": torch.tensor(99), "box": bounding_boxes([(0, 0, 2, 2)], (4, 6))}
SPOILED_ANSWERS = {
    "class outside": {"species": torch.tensor(2)},
    "class negative": {"species": torch.tensor(-1)},
    "class as a number": {"species": 1},
    "class as int32": {"species": torch.tensor(1, dtype=torch.int32)},
    "class with an axis": {"species": torch.tensor([1])},
    "age too high": {"age": torch.tensor(100)},
    "age in fractions": {"age": torch.tensor(5.5)},
    "two boxes": {"box": bounding_boxes([(0, 0, 2, 2), (1, 1, 2, 2)], (4, 6))},
    "no box": {"box": bounding_boxes([], (4, 6))},
    "box outside": {"box": bounding_boxes([(0, 0, 7, 2)], (4, 6))},
    "box plain": {"box": torch.tensor([[0.0, 0, 2, 2]])},
}


def test_the_sound_answers_pass():
    contract.assert_dataset(BrokenAnswers(**ANSWERS))


@pytest.mark.parametrize("spoiled", SPOILED_ANSWERS.values(), ids=SPOILED_ANSWERS.keys())
def test_the_contract_fails_on_answers(spoiled):
    with pytest.raises(AssertionError):
        contract.assert_dataset(BrokenAnswers(**ANSWERS | spoiled))


class NoEnd(Broken):
    def __getitem__(self, index):
        return {**self.sample, "key": self.key(index)}


class OneKey(Broken):
    def key(self, index):
        return "s"


class OtherKey(Broken):
    def __getitem__(self, index):
        return {**super().__getitem__(index), "key": "other"}


class Changing(Broken):
    def __getitem__(self, index):
        sample = super().__getitem__(index)
        return {**sample, "depth": Depth(torch.rand(1, 4, 6) + 1)}


class NoClasses(Broken):
    classes = ()


class Unpicklable(Broken):
    def __init__(self):
        super().__init__()
        self.reader = lambda: None


class HalfInBlocks(Broken):
    blocks = (range(1),)


class OtherBatch(Broken):
    def batch_of(self, indices, *, size=None):
        return collate([self[index] for index in reversed(indices)])


def test_each_check_fails():
    for broken, check in [
        (NoEnd(), contract.assert_countable),
        (OneKey(), contract.assert_keys_unique),
        (Changing(), lambda dataset: contract.assert_same_again(dataset, 0)),
        (OtherKey(), lambda dataset: contract.assert_key(dataset, 0, dataset[0])),
        (HalfInBlocks(), contract.assert_blocks),
        (OtherBatch(), contract.assert_batch),
        (NoClasses(), lambda dataset: contract.assert_labels(dataset, dataset[0])),
    ]:
        with pytest.raises(AssertionError):
            check(broken)
    with pytest.raises((AttributeError, TypeError)):  # pickle's own
        contract.assert_pickles(Unpicklable())


def test_flip_check_fails(monkeypatch):
    """A flip whose second use adds something is seen."""
    calls = []

    def flip(value):
        calls.append(value)
        return tv_tensors.wrap(value.flip(-1) if len(calls) % 2 else value.flip(-1) + 1, like=value)

    monkeypatch.setattr(contract.F, "horizontal_flip", flip)
    with pytest.raises(AssertionError, match="not itself"):
        contract.assert_flip_twice_is_identity(Broken()[0])

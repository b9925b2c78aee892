"""What every data set must keep. A new one joins by one line in test_dataset_contract.py."""

import pickle
from collections.abc import Mapping

import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from taskweave.data import Depth, Disparity, LabelledSet, Normals, collate
from taskweave.data.boxes import tidy

IGNORE = 255


def assert_dataset(dataset: LabelledSet, *, at=(0, -1)):
    """The whole contract on the samples `at` (negative positions count from the end)."""
    assert_countable(dataset)
    assert_keys_unique(dataset)
    for position in at:
        index = position % len(dataset)
        sample = dataset[index]
        assert_key(dataset, index, sample)
        assert_image(sample)
        assert_labels(dataset, sample)
        assert_targets(dataset, sample)
        assert_same_again(dataset, index)
        assert_flip_twice_is_identity(sample)
    assert_blocks(dataset)
    assert_batch(dataset)
    assert_pickles(dataset)


def assert_countable(dataset):
    assert isinstance(dataset, LabelledSet)
    assert len(dataset) > 0
    try:
        dataset[len(dataset)]
    except IndexError:
        return
    raise AssertionError("index len(dataset) must raise IndexError")


def assert_keys_unique(dataset):
    keys = [dataset.key(index) for index in range(len(dataset))]
    assert all(isinstance(key, str) and key for key in keys)
    assert len(set(keys)) == len(keys)
    assert all(isinstance(dataset.scene(index), str) and dataset.scene(index) for index in range(len(dataset)))


def assert_blocks(dataset):
    """Each index once, or no blocks."""
    indices = sorted(index for block in dataset.blocks for index in block)
    assert indices in ([], list(range(len(dataset))))


def assert_batch(dataset):
    """A batch that is read at once is made of the same samples, or there is none."""
    batch = dataset.batch_of([0, len(dataset) - 1])
    if batch is not None:
        expected = collate([tidy(dataset[index]) for index in (0, len(dataset) - 1)])
        assert batch.keys == expected.keys
        assert batch.image.dtype == torch.uint8
        assert torch.equal(batch.image, expected.image)
        assert list(batch.targets) == list(expected.targets)
        assert all(torch.equal(batch.rows[name], expected.rows[name]) for name in expected.rows)


def assert_key(dataset, index, sample):
    assert sample["key"] == dataset.key(index)


def assert_image(sample):
    image = sample["image"]
    assert type(image) is tv_tensors.Image
    assert image.dtype == torch.uint8
    assert image.ndim == 3
    assert image.shape[0] == 3
    assert image.float().std() > 0, "the picture has one colour only"


def assert_labels(dataset, sample):
    """Nothing undeclared; what is declared once and missing here is a missing label."""
    assert set(sample) - {"image", "key", "proposals"} <= set(dataset.labels)
    assert len(set(dataset.labels)) == len(dataset.labels)
    assert bool(dataset.classes) == ("segmentation" in dataset.labels)


def assert_targets(dataset, sample):
    checks = {
        "segmentation": _assert_segmentation,
        "depth": _assert_depth,
        "disparity": _assert_disparity,
        "normals": _assert_normals,
    }
    for name, check in checks.items():
        if name in sample:
            assert sample[name].shape[-2:] == sample["image"].shape[-2:]
            check(dataset, sample[name])
    for name in ("detection", "attributes"):
        if name in sample:
            _assert_boxes(sample[name]["boxes"], sample["image"])
            _assert_labels_of_boxes(dataset, sample[name])
    if "detection" in sample:
        _assert_ignore(sample["detection"])
    if "attributes" in sample:
        _assert_attributes(dataset, sample)
    if "proposals" in sample:
        _assert_boxes(sample["proposals"], sample["image"])
    _assert_answers(dataset, sample)


def _assert_answers(dataset, sample):
    """Labels of the whole picture: a class, an age, one box."""
    assert set(dataset.categories) <= set(dataset.labels)
    for name, classes in dataset.categories.items():
        assert len(set(classes)) == len(classes) > 1
        if name in sample:
            _assert_whole_number(sample[name], len(classes))
    if "age" in sample:
        _assert_whole_number(sample["age"], 100)
    if "box" in sample:
        _assert_boxes(sample["box"], sample["image"])
        assert len(sample["box"]) == 1


def _assert_whole_number(value, end):
    assert type(value) is torch.Tensor
    assert value.dtype == torch.int64
    assert value.shape == ()
    assert 0 <= value < end


def _assert_boxes(boxes, image):
    assert type(boxes) is tv_tensors.BoundingBoxes
    assert boxes.format is tv_tensors.BoundingBoxFormat.XYXY
    assert boxes.dtype == torch.float32
    assert boxes.shape == (len(boxes), 4)
    assert tuple(boxes.canvas_size) == tuple(image.shape[-2:])
    x1, y1, x2, y2 = boxes.as_subclass(torch.Tensor).unbind(1)
    assert ((x1 >= 0) & (y1 >= 0) & (x2 <= image.shape[-1]) & (y2 <= image.shape[-2])).all(), "a box is outside"
    assert ((x2 > x1) & (y2 > y1)).all(), "a box is empty"


def _assert_labels_of_boxes(dataset, target):
    assert target["labels"].dtype == torch.int64
    assert target["labels"].shape == (len(target["boxes"]),)
    assert ((target["labels"] >= 1) & (target["labels"] <= len(dataset.objects))).all(), (
        "labels count from 1, 0 is background"
    )


def _assert_ignore(target):
    assert target.keys() - {"visible"} == {"boxes", "labels", "ignore"}
    assert target["ignore"].dtype == torch.bool
    assert target["ignore"].shape == target["labels"].shape
    if "visible" in target:
        visible = target["visible"]
        assert visible.dtype == torch.float32
        assert visible.shape == target["labels"].shape
        assert ((visible >= 0) & (visible <= 1)).all(), "what is visible is a share"


def _assert_attributes(dataset, sample):
    target = sample["attributes"]
    assert target.keys() == {"boxes", "labels", "values"}
    assert target["values"].dtype == torch.float32
    assert target["values"].shape == (len(target["labels"]), len(dataset.attributes))
    values = target["values"]
    assert ((values == 0) | (values == 1) | values.isnan()).all(), "attributes are 0, 1 or NaN"
    if "detection" in sample:
        same = all(torch.equal(target[name], sample["detection"][name]) for name in ("boxes", "labels"))
        assert same, "attributes are those of the detection's objects, in their order"


def _assert_segmentation(dataset, mask):
    assert type(mask) is tv_tensors.Mask
    assert mask.dtype == torch.int64
    assert mask.ndim == 2
    ids = set(mask.unique().tolist()) - {IGNORE}
    assert ids, "no pixel has a class"
    assert min(ids) >= 0
    assert max(ids) < len(dataset.classes)


def _assert_depth(dataset, depth):
    if type(depth) is Disparity:  # inverse depth
        _assert_disparity(dataset, depth)
        return
    assert type(depth) is Depth
    assert depth.dtype == torch.float32
    assert depth.shape[0] == 1
    assert depth.isfinite().all()
    assert (depth >= 0).all()
    assert (depth > 0).any(), "no pixel has a depth"
    assert depth.max() < 1000, "depth is in metres"


def _assert_disparity(dataset, disparity):
    assert type(disparity) is Disparity
    assert disparity.dtype == torch.float32
    assert disparity.shape[0] == 1
    assert disparity.isfinite().all()
    assert (disparity >= 0).all()
    assert (disparity > 0).any(), "no pixel has a disparity"


def _assert_normals(dataset, normals):
    assert type(normals) is Normals
    assert normals.dtype == torch.float32
    assert normals.shape[0] == 3
    length = normals.as_subclass(torch.Tensor).norm(dim=0)
    known = length > 0
    assert known.any(), "no pixel has a normal"
    assert ((length[known] - 1).abs() < 1e-3).all(), "normals are unit vectors or zeros"
    assert (normals[2][known] > -0.5).float().mean() > 0.9, "visible surfaces look at the camera (z towards it)"


def assert_same_again(dataset, index):
    first, second = dataset[index], dataset[index]
    assert first.keys() == second.keys()
    for name in first:
        assert _equal(first[name], second[name]), f"{name} differs between two readings"


def assert_flip_twice_is_identity(sample):
    moved = {name: value for name, value in _leaves(sample) if isinstance(value, tv_tensors.TVTensor)}
    assert "image" in moved
    for name, value in moved.items():
        once = F.horizontal_flip(value)
        assert type(once) is type(value)
        # W - (W - x) is x up to rounding; pixels come back exactly
        tolerance = 1e-4 if isinstance(value, tv_tensors.BoundingBoxes) else 0.0
        assert _equal(F.horizontal_flip(once), value, tolerance=tolerance), f"{name} is not itself after two flips"


def assert_pickles(dataset):
    copy = pickle.loads(pickle.dumps(dataset))
    assert len(copy) == len(dataset)
    assert copy.labels == dataset.labels
    assert copy.classes == dataset.classes
    assert copy.categories == dataset.categories
    first, second = dataset[0], copy[0]
    assert all(_equal(first[name], second[name]) for name in first)


def _leaves(sample, above=""):
    """(name, value) of everything in the sample; a target may be a mapping, such as boxes with their labels."""
    for name, value in sample.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name, value


def _equal(a, b, *, tolerance=0.0):
    """NaN, an unknown attribute, equals NaN."""
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(_equal(a[name], b[name], tolerance=tolerance) for name in a)
    if not isinstance(a, torch.Tensor):
        return a == b
    a, b = (torch.as_tensor(value).as_subclass(torch.Tensor) for value in (a, b))
    same_form = a.shape == b.shape and a.dtype == b.dtype
    return same_form and torch.allclose(a, b, rtol=0, atol=tolerance, equal_nan=a.is_floating_point())

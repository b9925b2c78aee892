"""Boxes through every transform: clipped, empty ones dropped with what is said of them, empty images kept."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torchvision import tv_tensors
from torchvision.transforms import v2

import taskweave as tw
from taskweave.data import (
    Fit,
    RandomCrop,
    RandomScale,
    Reduced,
    Resize,
    ToInput,
    Transformed,
    Window,
    Windowed,
    WithProposals,
    ZoomCrops,
    grid_proposals,
    right_halves,
    tile_windows,
)
from taskweave.data.boxes import bounding_boxes, tidy
from taskweave.data.transforms.tiling import cut
from taskweave.images import IMAGENET

fast = settings(max_examples=40, deadline=None)
SIZE = (20, 30)
sides = st.integers(0, 20)
# integer boxes of at least 2 x 2 in a picture of 20 x 30
corners = st.tuples(st.integers(0, 28), st.integers(0, 18), st.integers(2, 30), st.integers(2, 20))
box = corners.map(lambda row: (row[0], row[1], min(30, row[0] + row[2]), min(20, row[1] + row[3])))
boxes = st.lists(box, max_size=5)
seeds = st.integers(0, 2**31)


def a_sample(rows, size=SIZE):
    """Box k has label k + 1, is ignored where k is odd, has values (k, -k); pixel (y, x) of the mask is 30 y + x."""
    n = len(rows)
    labels = torch.arange(1, n + 1)
    values = torch.stack([torch.arange(n), -torch.arange(n)], dim=1).float()
    return {
        "image": tv_tensors.Image(torch.randint(0, 256, (3, *size), dtype=torch.uint8)),
        "key": "a",
        "detection": {"boxes": bounding_boxes(rows, size), "labels": labels, "ignore": labels % 2 == 0},
        "attributes": {"boxes": bounding_boxes(rows, size), "labels": labels, "values": values},
        "place": tv_tensors.Mask(torch.arange(size[0] * size[1]).reshape(size)),
    }


def assert_sound(sample):
    """Every box is in the image and at least a pixel long; rows belong together; both targets have the same objects."""
    height, width = sample["image"].shape[-2:]
    detection, attributes = sample["detection"], sample["attributes"]
    plain = detection["boxes"].as_subclass(torch.Tensor)
    assert isinstance(detection["boxes"], tv_tensors.BoundingBoxes)
    assert plain.dtype == torch.float32
    assert plain.shape == (len(detection["labels"]), 4)
    assert tuple(detection["boxes"].canvas_size) == (height, width)
    assert (plain[:, :2] >= 0).all()
    assert (plain[:, 2] <= width).all()
    assert (plain[:, 3] <= height).all()
    assert (plain[:, 2:] - plain[:, :2] >= 0.999).all()
    assert torch.equal(detection["ignore"], detection["labels"] % 2 == 0)
    assert torch.equal(attributes["boxes"].as_subclass(torch.Tensor), plain)
    assert torch.equal(attributes["labels"], detection["labels"])
    assert torch.equal(attributes["values"][:, 0], detection["labels"].float() - 1)


def expected(rows, moved):
    """{label: box} of those that are still at least a pixel long in both directions after `moved`."""
    found = {label: moved(*row) for label, row in enumerate(rows, start=1)}
    return {label: row for label, row in found.items() if min(row[2] - row[0], row[3] - row[1]) >= 0.999}


def found(sample):
    return dict(zip(sample["detection"]["labels"].tolist(), map(tuple, sample["detection"]["boxes"].tolist()), strict=True))


def assert_boxes(sample, wanted):
    assert_sound(sample)
    got = found(sample)
    assert got.keys() == wanted.keys()
    for label, row in wanted.items():
        assert got[label] == pytest.approx(row, abs=1e-3)


def test_soundness_can_fail():
    sample = a_sample([(0, 0, 5, 5), (3, 3, 9, 9)])
    assert_sound(sample)
    broken = [
        {"detection": {**sample["detection"], "labels": sample["detection"]["labels"].flip(0)}},
        {"detection": {**sample["detection"], "boxes": bounding_boxes([(0, 0, 5, 5), (3, 3, 31, 9)], SIZE)}},
        {"detection": {**sample["detection"], "boxes": bounding_boxes([(0, 0, 5, 5), (3, 3, 3, 9)], SIZE)}},
        {"attributes": {**sample["attributes"], "values": sample["attributes"]["values"].flip(0)}},
        {"image": tv_tensors.Image(torch.zeros(3, 9, 9, dtype=torch.uint8))},
    ]
    for change in broken:
        with pytest.raises(AssertionError):
            assert_sound({**sample, **change})


@fast
@given(boxes)
def test_flip(rows):
    sample = a_sample(rows)
    once = v2.RandomHorizontalFlip(p=1)(sample)
    assert_boxes(once, expected(rows, lambda x1, y1, x2, y2: (30 - x2, y1, 30 - x1, y2)))
    assert found(v2.RandomHorizontalFlip(p=1)(once)) == found(sample)
    up = v2.RandomVerticalFlip(p=1)(sample)
    assert_boxes(up, expected(rows, lambda x1, y1, x2, y2: (x1, 20 - y2, x2, 20 - y1)))


@fast
@given(boxes, st.tuples(st.integers(2, 50), st.integers(2, 50)))
def test_resize(rows, size):
    sy, sx = size[0] / 20, size[1] / 30
    small = Resize(size=size)(a_sample(rows))
    assert_boxes(small, expected(rows, lambda x1, y1, x2, y2: (x1 * sx, y1 * sy, x2 * sx, y2 * sy)))


@fast
@given(boxes, seeds)
def test_random_scale(rows, seed):
    torch.manual_seed(seed)
    after = RandomScale(least=0.2, most=2)(a_sample(rows))
    sy, sx = after["image"].shape[-2] / 20, after["image"].shape[-1] / 30
    assert_boxes(after, expected(rows, lambda x1, y1, x2, y2: (x1 * sx, y1 * sy, x2 * sx, y2 * sy)))


@fast
@given(boxes, st.tuples(st.integers(1, 40), st.integers(1, 40)), seeds)
def test_crop_and_pad(rows, size, seed):
    """Where the crop began is read off the mask, which the crop moves too."""
    torch.manual_seed(seed)
    after = RandomCrop(IMAGENET, size=size, ignore=999)(a_sample(rows))
    top, left = divmod(int(after["place"][0, 0]), 30)
    height, width = min(20, size[0]), min(30, size[1])

    def moved(x1, y1, x2, y2):
        x1, x2 = (min(max(x - left, 0), width) for x in (x1, x2))
        y1, y2 = (min(max(y - top, 0), height) for y in (y1, y2))
        return x1, y1, x2, y2

    assert after["image"].shape[-2:] == size
    assert_boxes(after, expected(rows, moved))


@fast
@given(boxes, seeds)
def test_discrete_scale(rows, seed):
    torch.manual_seed(seed)
    sample = a_sample(rows)
    after = ZoomCrops(factors=(1.0, 1.2, 1.5, 2.0))(sample)
    assert_sound(after)
    assert after["image"].shape == sample["image"].shape
    for label, (x1, y1, x2, y2) in found(after).items():
        bx1, _, bx2, _ = found(sample)[label]
        if x1 > 0 and x2 < 30:  # nothing was cut off: the enlargement is one of the scales, up to whole pixels
            assert any((x2 - x1) / (bx2 - bx1) == pytest.approx(s, rel=0.06) for s in (1, 1.2, 1.5, 2))
        assert y2 > y1


@fast
@given(boxes, st.tuples(st.integers(2, 50), st.integers(2, 50)))
def test_fit(rows, size):
    """One scale for both directions; the rest is padding at the right and at the bottom."""
    after = Fit(IMAGENET, size=size, ignore=999)(a_sample(rows))
    assert after["image"].shape[-2:] == size
    scale = min(size[0] / 20, size[1] / 30)
    inner = (min(size[0], max(1, round(20 * scale))), min(size[1], max(1, round(30 * scale))))
    sy, sx = inner[0] / 20, inner[1] / 30
    assert_boxes(after, expected(rows, lambda x1, y1, x2, y2: (x1 * sx, y1 * sy, x2 * sx, y2 * sy)))
    assert (after["place"][inner[0] :] == 999).all()
    assert (after["place"][:, inner[1] :] == 999).all()
    assert (after["place"][: inner[0], : inner[1]] != 999).all()
    shown = ToInput(IMAGENET)(after)["image"]
    assert shown[:, inner[0] :].abs().max() < 1e-5 if inner[0] < size[0] else True


@fast
@given(boxes, st.integers(0, 15), st.integers(0, 25), st.integers(1, 5), st.integers(1, 5), st.floats(0, 1))
def test_tile(rows, top, left, height, width, kept):
    """Clipped, moved, dropped without extent; what is mostly outside is ignored and its attributes are unknown."""
    part = cut(a_sample(rows), Window(0, top, left, height, width), kept=kept)

    def moved(x1, y1, x2, y2):
        x1, x2 = (min(max(x - left, 0), width) for x in (x1, x2))
        y1, y2 = (min(max(y - top, 0), height) for y in (y1, y2))
        return x1, y1, x2, y2

    wanted = expected(rows, moved)
    assert found(part) == wanted
    assert part["image"].shape == (3, height, width)
    assert torch.equal(part["place"][0, :1], torch.tensor([30 * top + left]))
    for row, (label, (x1, y1, x2, y2)) in enumerate(wanted.items()):
        bx1, by1, bx2, by2 = rows[label - 1]
        share = (x2 - x1) * (y2 - y1) / ((bx2 - bx1) * (by2 - by1))
        if abs(share - kept) > 1e-6:
            assert bool(part["detection"]["ignore"][row]) == (label % 2 == 0 or share < kept)
            assert bool(part["attributes"]["values"][row].isnan().all()) == (share < kept)


def test_torchvisions_own_are_made_sound_by_the_last_transform():
    """A crop of theirs leaves lines where boxes were; ToInput, which comes last, drops them."""
    sample = a_sample([(0, 0, 4, 4), (20, 10, 30, 20), (8, 8, 14, 14)])
    cropped = v2.CenterCrop((8, 8))(sample)  # columns 11..19, rows 6..14
    assert len(cropped["detection"]["boxes"]) == 3
    after = ToInput(IMAGENET)(cropped)
    after["image"] = tv_tensors.Image(after["image"])
    assert_boxes(after, {3: (0, 2, 3, 8)})


def test_proposals_are_moved_too():
    sample = {**a_sample([]), "proposals": bounding_boxes([(0, 0, 10, 10), (25, 15, 30, 20)], SIZE)}
    assert cut(sample, Window(0, 0, 0, 10, 12), kept=0.5)["proposals"].tolist() == [[0, 0, 10, 10]]
    assert Resize(size=(10, 15))(sample)["proposals"].tolist() == [[0, 0, 5, 5], [12.5, 7.5, 15, 10]]


def test_tidy_leaves_what_is_no_box():
    sample = {**a_sample([]), "rois": torch.zeros(3, 4), "species": torch.tensor(1)}
    after = tidy(sample)
    assert after["rois"].shape == (3, 4)
    assert torch.equal(after["place"], sample["place"])
    assert after["species"] == 1


def test_tiles_cover_and_overlap():
    windows = tile_windows([(100, 250), (30, 40)], (50, 60), overlap=10)
    first = [w for w in windows if w.image == 0]
    covered = torch.zeros(100, 250, dtype=torch.int64)
    for _, top, left, height, width in first:
        assert (height, width) == (50, 60)
        covered[top : top + height, left : left + width] += 1
    assert (covered >= 1).all()
    lefts = sorted({w.left for w in first})
    assert lefts[0] == 0
    assert lefts[-1] == 190
    assert all(b - a <= 50 for a, b in pairwise(lefts)), "neighbours share at least 10 columns"
    assert len(lefts) == 5, "ceil((250 - 60) / 50) + 1"
    assert [tuple(w) for w in windows if w.image == 1] == [(1, 0, 0, 30, 40)]


def test_right_halves_and_tiles_of_kinkis_images():
    """5616 x 3744 pixels: halves of 2808 x 3744 in 3 x 4 tiles of 1024, 100 of which neighbours share at least."""
    (half,) = right_halves([(3744, 5616)])
    assert half == Window(0, 0, 2808, 3744, 2808)
    tiles = tile_windows([(half.height, half.width)], (1024, 1024), overlap=100)
    assert len(tiles) == 3 * 4
    assert {tile.left for tile in tiles} == {0, 892, 1784} and max(tile.top for tile in tiles) == 3744 - 1024


@pytest.mark.parametrize("tile, overlap", [((0, 5), 0), ((5, 5), 5), ((5, 5), -1)])
def test_tiles_that_cannot_be(tile, overlap):
    with pytest.raises(ValueError, match="overlap"):
        tile_windows([(10, 10)], tile, overlap=overlap)


def test_windows_outside_are_refused(tmp_path):
    from data import box_trees

    box_trees.write_apascal(tmp_path)
    data = tw.data.apascal("train", path=tmp_path)
    for window in (Window(9, 0, 0, 4, 4), Window(0, 0, 38, 4, 4), Window(0, -1, 0, 4, 4), Window(0, 0, 0, 0, 4)):
        with pytest.raises(ValueError, match="Window"):
            Windowed(data, [window])


def test_a_data_set_through_wrappers(tmp_path):
    """Reduced, with proposals, transformed: names of classes and attributes come through, rows stay together."""
    from data import box_trees

    box_trees.write_apascal(tmp_path)
    data = tw.data.apascal("train", path=tmp_path)
    wrapped = WithProposals(Reduced(data, size=(24, 24)), grid_proposals)
    assert wrapped.objects == data.objects
    assert wrapped.attributes == data.attributes
    steps = v2.Compose([v2.RandomHorizontalFlip(), RandomCrop(IMAGENET, size=16), ToInput(IMAGENET)])
    seen = Transformed(wrapped, steps, seed=1)
    for index in range(len(seen)):
        for draw in range(5):
            sample = seen[index, draw]
            assert sample["image"].shape == (3, 16, 16)
            assert len(sample["detection"]["labels"]) == len(sample["attributes"]["values"])
            assert torch.equal(sample["detection"]["boxes"], sample["attributes"]["boxes"])
            assert (sample["proposals"] <= 16).all()
            assert torch.equal(seen[index, draw]["detection"]["boxes"], sample["detection"]["boxes"])

"""Regions to train on and to measure on."""

import math

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torchvision import tv_tensors
from torchvision.models.detection._utils import BoxCoder
from torchvision.ops import box_iou

from taskweave.data import AllRois, SampleRois, TargetRois, grid_proposals
from taskweave.data.boxes import area, bounding_boxes, deltas, iou, overlap

SIZE = (60, 80)
fast = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**31)


def jittered(rows, count, seed):
    """Proposals around ground truth, as only unit tests may use."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.tensor(rows).repeat(count, 1)
    moved = centres + torch.randn(centres.shape, generator=generator) * 2
    limits = torch.tensor([SIZE[1], SIZE[0], SIZE[1], SIZE[0]])
    moved = torch.minimum(moved.clamp(min=0), limits)
    return moved[(moved[:, 2:] - moved[:, :2] >= 2).all(dim=1)]


ROWS = [[5.0, 5, 25, 30], [40, 10, 70, 50], [30, 40, 45, 58]]


def a_sample(rows=ROWS, *, ignore=None, proposals=None, seed=0):
    n = len(rows)
    if proposals is None:
        around = jittered(rows, 20, seed) if n else torch.zeros(0, 4)
        proposals = torch.cat([around, grid_proposals(SIZE).as_subclass(torch.Tensor)])
    boxes = bounding_boxes(rows, SIZE)
    labels = torch.arange(1, n + 1)
    values = torch.arange(3 * n).reshape(n, 3) % 2
    return {
        "image": tv_tensors.Image(torch.zeros(3, *SIZE, dtype=torch.uint8)),
        "key": "a",
        "detection": {"boxes": boxes, "labels": labels, "ignore": torch.tensor(ignore or [False] * n, dtype=torch.bool)},
        "attributes": {"boxes": boxes, "labels": labels, "values": values.float()},
        "proposals": bounding_boxes(proposals, SIZE),
    }


@fast
@given(seeds, st.integers(1, 80), st.floats(0.05, 0.6))
def test_drawn_regions(seed, count, share):
    """By definition: IoU with the nearest box, label and delta of it; the share of foreground; all are proposals."""
    torch.manual_seed(seed)
    sample = a_sample(seed=seed % 7)
    after = SampleRois(count, foreground=share)(sample)
    rois, target = after["rois"], after["detection"]
    assert "proposals" not in after
    assert type(rois) is torch.Tensor
    assert len(rois) == len(target["labels"]) == len(target["deltas"]) == len(after["attributes"]["values"]) <= count
    assert {tuple(row) for row in rois.tolist()} <= {tuple(row) for row in sample["proposals"].tolist()}
    positive = target["labels"] > 0
    assert positive.sum() <= share * len(rois) + 1e-6
    truth = sample["detection"]["boxes"].as_subclass(torch.Tensor)
    overlaps = box_iou(rois, truth)
    best, nearest = overlaps.max(dim=1)
    assert (best[positive] >= 0.5).all()
    assert (best[~positive] < 0.5).all()
    assert torch.equal(target["labels"][positive], sample["detection"]["labels"][nearest[positive]])
    assert torch.equal(after["attributes"]["values"][positive], sample["attributes"]["values"][nearest[positive]])
    assert after["attributes"]["values"][~positive].isnan().all()
    assert (target["deltas"][~positive] == 0).all()
    if positive.any():
        coded = BoxCoder((10.0, 10.0, 5.0, 5.0)).encode_single(truth[nearest[positive]], rois[positive])
        assert torch.allclose(target["deltas"][positive], coded, atol=1e-5)


def test_a_quarter_is_foreground_where_there_is_enough():
    after = SampleRois(64)(a_sample())
    assert len(after["rois"]) == 64
    assert (after["detection"]["labels"] > 0).sum() == 16


def test_hard_background_comes_first():
    """Of 8: two foreground; background of IoU in [0.1, 0.5) is used up before any below is taken."""
    gt = [[0.0, 0, 20, 20]]
    near = [[0.0, 0, 20, 18], [0, 0, 18, 20]]  # IoU 0.9
    hard = [[10.0, 0, 30, 20], [0, 10, 20, 30], [12, 0, 32, 20]]  # 200/600, 200/600, 160/640
    far = [[50.0 + k, 30, 60 + k, 50] for k in range(10)]
    sample = a_sample(gt, proposals=torch.tensor(near + hard + far))
    rows = SampleRois(8)(sample)["rois"].tolist()
    assert sorted(rows[:2]) == sorted(near)
    assert sorted(rows[2:5]) == sorted(hard)
    assert all(row in far for row in rows[5:])
    assert len(rows) == 8
    few = SampleRois(4)(sample)["rois"].tolist()
    assert few[0] in near
    assert sorted(few[1:]) == sorted(hard)


def test_foreground_is_cut_where_background_is_scarce():
    """Three candidates are background, so one may be foreground, not four."""
    near = [[0.0, 0, 20, 18], [0, 0, 18, 20], [0, 0, 19, 20], [0, 0, 20, 19]]
    far = [[50.0, 30, 60, 50], [30, 30, 40, 50], [40, 30, 50, 50]]
    after = SampleRois(16)(a_sample([[0.0, 0, 20, 20]], proposals=torch.tensor(near + far)))
    assert after["detection"]["labels"].tolist() == [1, 0, 0, 0]
    none = SampleRois(16)(a_sample([[0.0, 0, 20, 20]], proposals=torch.tensor(near)))
    assert none["rois"].shape == (0, 4)
    assert none["detection"]["deltas"].shape == (0, 4)


def test_ignored_boxes_are_neither():
    gt = [[0.0, 0, 20, 20], [40.0, 0, 80, 60]]
    match = [[40.0, 0, 80, 58]]  # matches the ignored box
    inside = [[45.0, 5, 55, 15]]  # a member of the crowd: IoU 100 / 2400, wholly inside
    half = [[35.0, 0, 44, 60]]  # 4 of 9 columns inside: less than half
    good = [[0.0, 0, 20, 19]]
    far = [[0.0, 40, 10, 50], [10, 40, 20, 50], [20, 40, 30, 50]]
    sample = a_sample(gt, ignore=[False, True], proposals=torch.tensor(match + inside + half + good + far))
    for seed in range(10):
        torch.manual_seed(seed)
        after = SampleRois(16)(sample)
        rows = after["rois"].tolist()
        assert sorted(rows) == sorted(half + good + far)
        assert after["detection"]["labels"].tolist() == [1, 0, 0, 0, 0]


def test_ground_truth_is_a_candidate_only_when_asked_for():
    gt = [[0.0, 0, 20, 20], [40.0, 30, 60, 50]]
    far = [[k, 30.0, k + 5, 36] for k in range(30)]
    sample = a_sample(gt, ignore=[False, True], proposals=torch.tensor(far))
    assert (SampleRois(8)(sample)["detection"]["labels"] == 0).all()
    after = SampleRois(8, with_ground_truth=True)(sample)
    assert after["rois"][0].tolist() == gt[0]
    assert after["detection"]["labels"].tolist() == [1] + [0] * 7
    assert (after["detection"]["deltas"][0] == 0).all()


def test_image_without_objects():
    after = SampleRois(16)(a_sample([]))
    assert after["rois"].shape == (16, 4)
    assert (after["detection"]["labels"] == 0).all()
    assert after["attributes"]["values"].shape == (16, 3)
    assert after["attributes"]["values"].isnan().all()


def test_image_of_another_data_set():
    sample = {name: value for name, value in a_sample().items() if name not in ("detection", "attributes")}
    after = SampleRois(16)(sample)
    assert after["rois"].shape == (16, 4)
    assert set(after) == {"image", "key", "rois"}


def test_attributes_alone():
    sample = {name: value for name, value in a_sample().items() if name != "detection"}
    after = SampleRois(64)(sample)
    known = ~after["attributes"]["values"].isnan().any(dim=1)
    assert known.sum() == 16
    assert "detection" not in after


def test_same_seed_same_regions():
    def drawn(seed):
        torch.manual_seed(seed)
        return SampleRois(32)(a_sample())["rois"]

    assert torch.equal(drawn(3), drawn(3))
    assert not torch.equal(drawn(3), drawn(4))


def test_targets_left_outside_by_a_crop_are_no_truth():
    """Even where no transform of ours was between."""
    sample = a_sample([[0.0, 0, 20, 20]])
    sample["detection"]["boxes"] = bounding_boxes([[20.0, 0, 20, 20]], SIZE)
    sample["attributes"]["boxes"] = sample["detection"]["boxes"]
    after = SampleRois(16, with_ground_truth=True)(sample)
    assert (after["detection"]["labels"] == 0).all()
    assert after["detection"]["deltas"].isfinite().all()


def test_all_and_target_rois():
    sample = a_sample()
    after = AllRois()(sample)
    assert torch.equal(after["rois"], sample["proposals"].as_subclass(torch.Tensor))
    assert after["detection"]["boxes"].tolist() == ROWS
    assert "proposals" not in after
    boxes = TargetRois()(sample)
    assert boxes["rois"].tolist() == ROWS
    assert "proposals" not in boxes
    assert TargetRois()({"image": sample["image"], "key": "a"})["rois"].shape == (0, 4)


@pytest.mark.parametrize("transform", [SampleRois(), AllRois()])
def test_without_proposals(transform):
    sample = {name: value for name, value in a_sample().items() if name != "proposals"}
    with pytest.raises(ValueError, match=r"'a' has no proposals.*WithProposals"):
        transform(sample)


@pytest.mark.parametrize(
    "options", [{"count": 0}, {"foreground": 0.0}, {"foreground": 1.0}, {"background": (0.5, 0.1)}, {"iou": 0.4}]
)
def test_bad_options(options):
    with pytest.raises(ValueError, match="count >= 1"):
        SampleRois(**options)


def test_boxes_by_hand():
    a, b = torch.tensor([[0.0, 0, 4, 2]]), torch.tensor([[2.0, 1, 6, 5], [4, 0, 5, 2]])
    assert overlap(a, b).tolist() == [[2, 0]]
    assert iou(a, b)[0].tolist() == pytest.approx([2 / (8 + 16 - 2), 0])
    assert area(torch.tensor([[0.0, 0, 4, 2], [3, 3, 1, 9]])).tolist() == [8, 0]
    coded = deltas(torch.tensor([[0.0, 0, 4, 8]]), torch.tensor([[2.0, 0, 4, 4]]), (10, 10, 5, 5))
    # centres (2, 4) and (3, 2); sizes (4, 8) and (2, 4)
    assert coded[0].tolist() == pytest.approx([10 * -1 / 2, 10 * 2 / 4, 5 * math.log(2), 5 * math.log(2)])

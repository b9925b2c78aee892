"""Which anchors answer for which objects, and the loss by hand."""

import math

import pytest
import torch
from torch import Tensor
from torchvision.models.detection._utils import Matcher
from torchvision.ops import box_iou

from taskweave.heads.layers import AnchorOutputs
from taskweave.tasks import AnchorLoss, Matching, Sampling


def strip(*widths: float) -> Tensor:
    """Boxes from the origin of that width and height 10: the IoU of two is the quotient of their widths."""
    return torch.tensor([[0.0, 0, width, 10] for width in widths])


def target(boxes: Tensor, labels: list[int] | None = None, ignore: list[bool] | None = None) -> dict[str, Tensor]:
    return {
        "boxes": boxes,
        "labels": torch.tensor([1] * len(boxes) if labels is None else labels, dtype=torch.int64),
        "ignore": torch.tensor([False] * len(boxes) if ignore is None else ignore, dtype=torch.bool),
    }


def test_positive_negative_and_neither() -> None:
    """Anchors of IoU 1, .7, .69, .3 and .29 with one object of class 2."""
    labels, objects = Matching().assign(strip(100, 70, 69, 30, 29), target(strip(100), labels=[2]))
    assert labels.tolist() == [2, 2, -1, -1, 0]
    assert objects[0].tolist() == [0, 0, 100, 10]


def test_the_best_anchor_of_an_object_is_positive_however_low() -> None:
    anchors = strip(20, 20, 19)
    found = target(strip(100))
    assert Matching().assign(anchors, found)[0].tolist() == [1, 1, 0]  # a tie: both
    assert Matching(keep_best=False).assign(anchors, found)[0].tolist() == [0, 0, 0]
    far = target(torch.tensor([[500.0, 500, 510, 510]]))
    assert Matching().assign(anchors, far)[0].tolist() == [0, 0, 0]  # none overlaps it at all


@pytest.mark.parametrize("keep_best", [True, False])
def test_equals_torchvisions_matcher(keep_best: bool) -> None:
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        low = 50 * torch.rand(60, 2, generator=generator)
        boxes = torch.cat([low, low + 10 + 30 * torch.rand(60, 2, generator=generator)], 1)
        objects, anchors = boxes[:5], boxes[5:]
        matches = Matcher(0.5, 0.3, allow_low_quality_matches=keep_best)(box_iou(objects, anchors))
        labels, theirs = Matching(positive=0.5, keep_best=keep_best).assign(anchors, target(objects, [1, 2, 3, 4, 5]))
        expected = torch.where(matches >= 0, matches + 1, torch.where(matches == Matcher.BELOW_LOW_THRESHOLD, 0, -1))
        assert torch.equal(labels, expected)
        assert torch.equal(theirs[labels > 0], objects[matches[matches >= 0]])


def test_ignored_regions_are_neither_positive_nor_negative() -> None:
    regions = target(torch.tensor([[0.0, 0, 100, 100], [200.0, 0, 210, 10]]), ignore=[True, False])
    anchors = torch.tensor(
        [
            [0.0, 0, 20, 20],  # inside the region, but of a small IoU with it
            [90.0, 0, 110, 20],  # half inside
            [91.0, 0, 111, 20],  # less
            [0.0, 0, 95, 100],  # nearly the region itself: not positive
            [200.0, 0, 210, 10],  # the object
            [300.0, 300, 310, 310],
            [-100.0, -50, 150, 110],  # 40000 pixels, a quarter inside; IoU .25 with the region
            [-60.0, -60, 100, 110],  # 27200 pixels, .37 inside; IoU .37
        ]
    )
    assert Matching().assign(anchors, regions)[0].tolist() == [-1, -1, 0, -1, 1, 0, 0, -1]
    inside_both = target(torch.tensor([[0.0, 0, 100, 100], [10.0, 10, 30, 30]]), ignore=[True, False])
    assert Matching().assign(torch.tensor([[10.0, 10, 30, 30]]), inside_both)[0].tolist() == [1]


def test_an_image_without_objects_is_background() -> None:
    assert Matching().assign(strip(10, 20), target(torch.empty(0, 4)))[0].tolist() == [0, 0]


def test_targets_need_not_speak_of_ignoring() -> None:
    plain = {"boxes": strip(100), "labels": torch.tensor([1])}
    assert Matching().assign(strip(100, 10), plain)[0].tolist() == [1, 0]


def test_drawing_is_balanced_and_seeded() -> None:
    labels = torch.tensor([1] * 50 + [0] * 500 + [-1] * 50)
    rule = Sampling(sample=64, foreground=0.25)
    torch.manual_seed(5)
    drawn = rule.draw(labels)
    assert ((drawn > 0).sum(), (drawn == 0).sum()) == (16, 48)
    assert (drawn[labels == -1] == -1).all() and (labels[drawn > 0] == 1).all() and (labels[drawn == 0] == 0).all()
    other = rule.draw(labels)
    torch.manual_seed(5)
    assert torch.equal(rule.draw(labels), drawn) and not torch.equal(other, drawn)
    few = rule.draw(torch.tensor([1] * 3 + [0] * 500))
    assert ((few > 0).sum(), (few == 0).sum()) == (3, 61)  # what positives leave, negatives fill
    assert torch.equal(Sampling(sample=None).draw(labels), labels)


def test_the_loss_by_hand() -> None:
    """Two anchors that count, one of neither; beta 1 and weight 2."""
    anchors = strip(100, 50, 10)
    logits = torch.tensor([[[0.0, 1.0], [5.0, 5.0], [2.0, 0.0]]])
    deltas = torch.tensor([[[0.5, 0.0, 0.0, -2.0], [9.0, 9.0, 9.0, 9.0], [9.0, 9.0, 9.0, 9.0]]])
    loss = AnchorLoss(sampling=Sampling(sample=None), beta=1.0, box_weight=2.0)(
        AnchorOutputs(logits, deltas, anchors), [target(strip(100))]
    )
    classified = -math.log(math.e / (1 + math.e)) - math.log(math.exp(2) / (1 + math.exp(2)))
    placed = 0.5 * 0.5**2 + (2 - 0.5)  # the codes are 0
    assert float(loss) == pytest.approx((classified + 2 * placed) / 2, rel=1e-6)
    sharp = AnchorLoss(sampling=Sampling(sample=None))(AnchorOutputs(logits, deltas, anchors), [target(strip(100))])
    beta = 1 / 9
    assert float(sharp) == pytest.approx((classified + (0.5 - beta / 2) + (2 - beta / 2)) / 2, rel=1e-6)


def test_codes_are_of_the_matched_object() -> None:
    """An anchor moved by a quarter of its width costs what its code says, whatever else is in the image."""
    anchors = torch.tensor([[0.0, 0, 40, 40], [200.0, 0, 240, 40]])
    objects = target(torch.tensor([[200.0, 0, 240, 40], [2.0, 0, 42, 40]]), labels=[2, 1])
    logits = torch.full((1, 2, 3), -50.0)
    logits[0, 0, 1] = logits[0, 1, 2] = 50.0
    output = AnchorOutputs(logits, torch.tensor([[[0.05, 0, 0, 0], [0.0, 0, 0, 0]]]), anchors)
    assert float(AnchorLoss(sampling=Sampling(sample=None))(output, [objects])) == pytest.approx(0.0, abs=1e-6)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"0 <= negative <= positive <= 1 and ignored .*got 0\.8, 0\.7 and 0\.5"):
        Matching(negative=0.8)
    with pytest.raises(ValueError, match="sample of at least 1"):
        Sampling(sample=0)
    with pytest.raises(ValueError, match="foreground above 0"):
        Sampling(foreground=0.0)
    with pytest.raises(ValueError, match="beta and box_weight of at least 0"):
        AnchorLoss(box_weight=-1.0)

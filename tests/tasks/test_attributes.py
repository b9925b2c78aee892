"""Attributes: the loss said exactly, unknown values, what they are measured on."""

import math

import pytest
import torch
from tasks.ensembles import mean_prediction
from torch import Tensor
from torchvision import tv_tensors

from taskweave.heads.layers import RoiAttributes
from taskweave.tasks import Attributes

ROIS = (torch.tensor([[0.0, 0, 10, 10], [1.0, 0, 11, 10]]), torch.tensor([[20.0, 20, 40, 40]]))
NAN = math.nan


def bce(logit: float, value: float) -> float:
    p = 1 / (1 + math.exp(-logit))
    return -(value * math.log(p) + (1 - value) * math.log(1 - p))


def values(*rows: list[float]) -> dict[str, Tensor]:
    return {"values": torch.tensor(rows)}


def test_the_loss_by_hand() -> None:
    """Two foreground regions, one with an unknown value, and one of background: the sum over attributes / 2 / 2 regions."""
    logits = torch.tensor([[1.0, -2.0], [7.0, 7.0], [0.5, 3.0]])
    targets = [values([1.0, 0.0], [NAN, NAN]), values([0.0, NAN])]
    total = bce(1, 1) + bce(-2, 0) + bce(0.5, 0)
    assert float(Attributes(2).loss(RoiAttributes(logits, ROIS), targets)) == pytest.approx(total / 2 / 2, rel=1e-6)
    unscaled = Attributes(2, scale=1.0).loss(RoiAttributes(logits, ROIS), targets)
    assert float(unscaled) == pytest.approx(total / 2, rel=1e-6)


def test_64_attributes_are_scaled_by_a_64th() -> None:
    """As in the cross-stitch paper: 1/64 of the sum, averaged over foreground regions."""
    task = Attributes(64)
    logits, truth = torch.randn(5, 64), (torch.rand(5, 64) < 0.5).float()
    each = torch.tensor(
        [[bce(float(x), float(y)) for x, y in zip(*rows, strict=True)] for rows in zip(logits, truth, strict=True)]
    )
    loss = task.loss(RoiAttributes(logits, (torch.rand(5, 4),)), [{"values": truth}])
    assert task.channels == 64 and task.scale == 1 / 64
    assert float(loss) == pytest.approx(float(each.sum(1).mean()) / 64, rel=1e-5)


def test_background_and_unknown_have_no_gradient() -> None:
    logits = torch.randn(3, 2, requires_grad=True)
    Attributes(2).loss(RoiAttributes(logits, ROIS), [values([1.0, NAN], [NAN, NAN]), values([NAN, 0.0])]).backward()
    assert (logits.grad != 0).tolist() == [[True, False], [False, False], [False, True]]


def test_on_boxes_every_region_is_a_prediction() -> None:
    first, second = Attributes(2).decode(RoiAttributes(torch.tensor([[0.0, 2.0], [1.0, -1], [0, 0]]), ROIS), (50, 50))
    assert first["boxes"].tolist() == ROIS[0].tolist() and second["boxes"].tolist() == ROIS[1].tolist()
    assert first["scores"].flatten().tolist() == pytest.approx(
        [0.5, 1 / (1 + math.exp(-2)), 1 / (1 + math.exp(-1)), 1 / (1 + math.e)]
    )
    metric = Attributes(2).metric()
    metric.update([first, second], [{"boxes": ROIS[0][1:], **values([1.0, 0.0])}, {"boxes": ROIS[1], **values([0.0, 1.0])}])
    assert float(metric.compute()["mAP"]) == 100.0


def test_on_detections_regions_are_suppressed_attribute_by_attribute() -> None:
    task = Attributes(["wheel", "wing"], measured_on="detections", nms=0.3, score=0.4)
    logits = torch.tensor([[3.0, -5.0], [2.0, 4.0], [1.0, -5.0]])
    first, second = task.decode(RoiAttributes(logits, ROIS), (50, 50))
    # The first two overlap: of "wheel" the first stays, of "wing" only the second is above .4.
    assert sorted(zip(first["labels"].tolist(), first["boxes"].tolist(), strict=True)) == [
        (1, ROIS[0][0].tolist()), (2, ROIS[0][1].tolist()),
    ]  # fmt: skip
    assert second["labels"].tolist() == [1]
    metric = task.metric()
    targets = [{"boxes": ROIS[0][:1], **values([1.0, 1.0])}, {"boxes": ROIS[1], **values([0.0, 1.0])}]
    metric.update([first, second], targets)
    # wheel: right (.95), wrong (.73): 1. wing: the second region has an IoU of 9/11 with the object: right; one of two.
    assert metric.class_scores()["mAP on detections"].tolist() == pytest.approx([100.0, 50.0])
    assert dict(task.directions) == {"mAP on detections": "higher"} == dict.fromkeys(metric.compute(), "higher")
    assert dict(Attributes(2).directions) == {"mAP": "higher"}


def test_ensembles_average_probabilities() -> None:
    one, two = (RoiAttributes(torch.full((3, 1), x), ROIS) for x in (0.0, 50.0))
    found = mean_prediction(Attributes(1), [one, two], (50, 50))
    assert found[0]["scores"].flatten().tolist() == pytest.approx([0.75, 0.75])
    assert found[0]["boxes"].tolist() == ROIS[0].tolist()


def test_pictures() -> None:
    task = Attributes(["wheel", "wing"])
    target = {
        "boxes": tv_tensors.BoundingBoxes(ROIS[1], format="XYXY", canvas_size=(50, 60)),
        **values([NAN, 1.0]),
        "labels": torch.tensor([7]),
    }
    picture = task.picture(target)
    assert tuple(picture.shape) == (3, 50, 60) and picture[:, 20, 20].any() and not picture[:, 30, 30].any()
    same = {"boxes": target["boxes"], "scores": torch.tensor([[0.1, 0.3]])}
    assert torch.equal(task.picture(same), picture)
    assert not torch.equal(task.picture({**same, "scores": torch.tensor([[0.9, 0.3]])}), picture)


def test_the_network_reads_images_and_regions() -> None:
    image = torch.zeros(2, 3, 8, 8)
    assert Attributes(1).network_input(image, None, ROIS)[0] is image
    with pytest.raises(ValueError, match="Attributes expects regions of interest for each of 2 images, got none"):
        Attributes(1).network_input(image, None, None)


def test_bad_input() -> None:
    task, output = Attributes(2), RoiAttributes(torch.zeros(3, 2), ROIS)
    with pytest.raises(ValueError, match=r"values \(3, 2\), got \(3, 5\); build the task with the data set's attributes"):
        task.loss(output, [{"values": torch.zeros(2, 5)}, {"values": torch.zeros(1, 5)}])
    with pytest.raises(ValueError, match=r"values of sampled regions as target, got \['boxes'\]"):
        task.loss(output, [{"boxes": ROIS[0]}, {"boxes": ROIS[1]}])
    with pytest.raises(ValueError, match='measured on "boxes" or "detections", got \'rois\''):
        Attributes(2, measured_on="rois")
    with pytest.raises(ValueError, match="scale multiplies the sum over attributes and is above 0, got 0"):
        Attributes(2, scale=0)
    with pytest.raises(ValueError, match="interpolation is"):
        Attributes(2, interpolation="mean")

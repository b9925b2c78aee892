"""Detection of regions: the loss by hand, decoding per class, ensembles on the same proposals."""

import math

import pytest
import torch
from tasks.ensembles import mean_prediction

from taskweave.heads.layers import RoiOutputs
from taskweave.tasks import RoiDetection

ROIS = (torch.tensor([[0.0, 0, 10, 10], [20.0, 20, 40, 40]]), torch.tensor([[5.0, 5, 25, 15]]))


def test_the_loss_by_hand() -> None:
    """Three regions of two images: class 2, background, and one of neither; deltas are the class's own."""
    logits = torch.tensor([[0.0, 0.0, 1.0], [2.0, 0.0, 0.0], [9.0, -9.0, 4.0]])
    deltas = torch.full((3, 12), 50.0)
    deltas[0, 8:] = torch.tensor([0.5, 0.0, 3.0, 1.0])
    targets = [
        {"labels": torch.tensor([2, 0]), "deltas": torch.tensor([[0.0, 0, 0, 1], [7.0, 7, 7, 7]])},
        {"labels": torch.tensor([-1]), "deltas": torch.zeros(1, 4)},
    ]
    classified = -math.log(math.e / (2 + math.e)) - math.log(math.exp(2) / (2 + math.exp(2)))
    placed = 0.5 * 0.5**2 + (3 - 0.5)
    loss = RoiDetection(2).loss(RoiOutputs(logits, deltas, ROIS), targets)
    assert float(loss) == pytest.approx((classified + placed) / 2, rel=1e-6)
    weighted = RoiDetection(2, box_weight=3.0).loss(RoiOutputs(logits, deltas, ROIS), targets)
    assert float(weighted) == pytest.approx((classified + 3 * placed) / 2, rel=1e-6)


def test_targets_of_sampled_regions_fit() -> None:
    """What `SampleRois` makes of proposals, decoded by a network that predicts just it, gives the objects back."""
    from torchvision import tv_tensors

    from taskweave.data import SampleRois

    objects = tv_tensors.BoundingBoxes([[10.0, 10, 50, 50], [60.0, 5, 90, 45]], format="XYXY", canvas_size=(80, 100))
    proposals = torch.cat([objects.as_subclass(torch.Tensor) + 3, torch.tensor([[70.0, 60, 95, 78]] * 8)])
    sample = {
        "image": torch.zeros(3, 80, 100),
        "key": "a",
        "detection": {"boxes": objects, "labels": torch.tensor([1, 2]), "ignore": torch.zeros(2, dtype=torch.bool)},
        "proposals": tv_tensors.BoundingBoxes(proposals, format="XYXY", canvas_size=(80, 100)),
    }
    drawn = SampleRois(count=8)(sample)
    target, rois = drawn["detection"], drawn["rois"]
    deltas = torch.zeros(len(rois), 3, 4)
    deltas[torch.arange(len(rois)), target["labels"]] = target["deltas"]
    logits = torch.full((len(rois), 3), -20.0)
    logits[torch.arange(len(rois)), target["labels"]] = 20.0
    output, task = RoiOutputs(logits, deltas.flatten(1), (rois,)), RoiDetection(2)
    assert float(task.loss(output, [target])) == pytest.approx(0.0, abs=1e-6)
    (found,) = task.decode(output, (80, 100))
    assert sorted(found["labels"].tolist()) == [1, 2]
    expected = objects.as_subclass(torch.Tensor)[found["labels"] - 1]
    assert torch.allclose(found["boxes"].as_subclass(torch.Tensor), expected, atol=1e-3)


def test_every_class_has_its_own_box() -> None:
    logits = torch.tensor([[0.2, 0.5, 0.3], [0.98, 0.01, 0.01], [0.4, 0.0, 0.6]]).log()
    deltas = torch.zeros(3, 12)
    deltas[0, 8] = 10.0 * 0.5  # of class 2: half a width to the right
    first, second = RoiDetection(2).decode(RoiOutputs(logits, deltas, ROIS), (50, 50))
    assert first["labels"].tolist() == [1, 2] and first["boxes"].tolist() == [[0, 0, 10, 10], [5, 0, 15, 10]]
    assert first["scores"].tolist() == pytest.approx([0.5, 0.3])
    assert second["labels"].tolist() == [2] and second["boxes"].tolist() == [[5, 5, 25, 15]]
    assert RoiDetection(2).suppression.nms == 0.3


def test_ensembles_average_scores_and_boxes_on_the_same_proposals() -> None:
    rois = ROIS[:1]
    one = RoiOutputs(torch.tensor([[0.5, 0.5], [0.9, 0.1]]).log(), torch.zeros(2, 8), rois)
    moved = torch.zeros(2, 8)
    moved[0, 4] = 10.0 * 0.2
    two = RoiOutputs(torch.tensor([[0.1, 0.9], [0.9, 0.1]]).log(), moved, rois)
    (found,) = mean_prediction(RoiDetection(1, score=0.2), [one, two], (50, 50))
    assert found["scores"].tolist() == pytest.approx([0.7])
    assert found["boxes"].tolist() == [pytest.approx([1.0, 0, 11, 10])]
    with pytest.raises(ValueError, match=r"the same regions.*\(\[2\] and \[1\] per image\)"):
        mean_prediction(RoiDetection(1), [one, RoiOutputs(two.logits[:1], two.deltas[:1], (rois[0][:1],))], (50, 50))


def test_images_without_regions() -> None:
    output = RoiOutputs(torch.zeros(1, 2), torch.zeros(1, 8), (torch.empty(0, 4), ROIS[1]))
    task = RoiDetection(1)
    empty, found = task.decode(output, (50, 50))
    assert len(empty["boxes"]) == 0 and len(found["boxes"]) == 1
    nothing = {"labels": torch.empty(0, dtype=torch.int64), "deltas": torch.empty(0, 4)}
    loss = task.loss(output, [nothing, {"labels": torch.tensor([0]), "deltas": torch.zeros(1, 4)}])
    assert float(loss) == pytest.approx(math.log(2))


def test_the_network_reads_images_and_regions() -> None:
    image = torch.zeros(2, 3, 8, 8)
    images, rois = RoiDetection(1).network_input(image, None, ROIS)
    assert images is image and isinstance(rois, list) and rois[0] is ROIS[0]
    for wrong, got in ((None, "none"), (ROIS[:1], "those of 1")):
        with pytest.raises(ValueError, match=f"regions of interest for each of 2 images, got {got}; put SampleRois"):
            RoiDetection(1).network_input(image, None, wrong)


def test_bad_input() -> None:
    task = RoiDetection(1)
    output = RoiOutputs(torch.zeros(3, 2), torch.zeros(3, 8), ROIS)
    good = [
        {"labels": torch.tensor([1, 0]), "deltas": torch.zeros(2, 4)},
        {"labels": torch.tensor([0]), "deltas": torch.zeros(1, 4)},
    ]
    with pytest.raises(
        ValueError, match=r"labels of sampled regions as target, got \['boxes'\] for image 0; put taskweave"
    ):
        task.loss(output, [{"boxes": torch.zeros(2, 4)}, good[1]])
    with pytest.raises(ValueError, match=r"labels of 1 regions, got \(2,\) for image 1"):
        task.loss(output, [good[0], good[0]])
    with pytest.raises(ValueError, match=r"label 2 is outside -1\.\.1"):
        task.loss(output, [{**good[0], "labels": torch.tensor([2, 0])}, good[1]])
    with pytest.raises(
        ValueError, match=r"logits \(3, 2\) and deltas \(3, 8\) for its 3 regions, got \(3, 2\) and \(3, 4\)"
    ):
        task.loss(output._replace(deltas=torch.zeros(3, 4)), good)
    with pytest.raises(ValueError, match="beta and box_weight of at least 0"):
        RoiDetection(1, beta=-1.0)

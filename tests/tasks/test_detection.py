"""Detection with anchors: decoding, suppression, ensembles, pictures and messages. The loss is in test_anchor_loss.py."""

import pytest
import torch
from tasks.ensembles import mean_prediction
from torch import Tensor
from torchvision import tv_tensors

from taskweave.heads.layers import AnchorOutputs
from taskweave.metrics import BIRDS_9, PEDESTRIANS, AveragePrecision, LogAverageMissRate
from taskweave.parts import part
from taskweave.tasks import Detection, Suppression
from taskweave.tasks.detection import suppressed

ANCHORS = torch.tensor([[0.0, 0, 10, 10], [1.0, 0, 11, 10], [30.0, 30, 50, 50]])


def output(probabilities: list[list[float]], deltas: Tensor | None = None) -> AnchorOutputs:
    """One image; rows are the probabilities of background and the classes."""
    logits = torch.tensor([probabilities]).log()
    return AnchorOutputs(logits, torch.zeros(1, len(ANCHORS), 4) if deltas is None else deltas, ANCHORS)


def test_suppression_is_within_classes_and_by_score() -> None:
    """Anchors 0 and 1 have an IoU of 9 / 11 = .82."""
    task = Detection(2, nms=0.5, score=0.2)
    (found,) = task.decode(output([[0.1, 0.6, 0.3], [0.1, 0.7, 0.2], [0.1, 0.8, 0.1]]), (60, 60))
    # Of class 1 anchor 2 (.8), anchor 1 (.7), which suppresses anchor 0; of class 2 anchor 0 (.3); .2 is not above .2.
    assert found["scores"].tolist() == pytest.approx([0.8, 0.7, 0.3])
    assert found["labels"].tolist() == [1, 1, 2]
    assert found["boxes"].tolist() == ANCHORS[[2, 1, 0]].tolist()
    (loose,) = Detection(2, nms=0.82, score=0.2).decode(
        output([[0.1, 0.6, 0.3], [0.1, 0.7, 0.2], [0.1, 0.8, 0.1]]), (60, 60)
    )
    assert loose["scores"].tolist() == pytest.approx([0.8, 0.7, 0.6, 0.3])


def test_candidates_and_detections_are_limited() -> None:
    rows = [[0.1, 0.6, 0.3], [0.1, 0.7, 0.2], [0.1, 0.8, 0.1]]
    soft = Detection(2).soft(output(rows), (60, 60))
    (few,) = suppressed(soft, Suppression(nms=1.0, candidates=2))
    assert few["scores"].tolist() == pytest.approx([0.8, 0.7])
    # The second of two candidates is suppressed: nobody takes its place.
    (one,) = suppressed(soft, Suppression(nms=0.1, candidates=3))
    assert one["scores"].tolist() == pytest.approx([0.8, 0.7])
    (single,) = Detection(2, nms=1.0, detections=1).decode(output(rows), (60, 60))
    assert single["scores"].tolist() == pytest.approx([0.8])


def test_boxes_are_decoded_clipped_and_dropped_outside() -> None:
    deltas = torch.zeros(1, 3, 4)
    deltas[0, 0, 0] = 0.5  # half a width to the right
    deltas[0, 1, 1] = -3.0  # out of the image
    (found,) = Detection(1).decode(output([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]], deltas), (40, 45))
    assert found["boxes"].tolist() == [[5, 0, 15, 10], [30, 30, 45, 40]]
    assert isinstance(found["boxes"], tv_tensors.BoundingBoxes) and found["boxes"].canvas_size == (40, 45)


def test_nothing_above_the_score_is_an_empty_prediction() -> None:
    (found,) = Detection(1, score=0.9).decode(output([[0.5, 0.5]] * 3), (60, 60))
    assert [tuple(found[name].shape) for name in ("boxes", "scores", "labels")] == [(0, 4), (0,), (0,)]
    assert not Detection(1).picture(found).any()


def test_ensembles_average_scores_and_boxes_of_the_same_anchors() -> None:
    deltas = torch.zeros(1, 3, 4)
    deltas[0, 2, 0] = 0.2  # four pixels to the right
    one, two = output([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]]), output([[0.3, 0.7], [0.9, 0.1], [0.6, 0.4]], deltas)
    (found,) = mean_prediction(Detection(1), [one, two], (60, 60))
    assert found["scores"].tolist() == pytest.approx([0.6, 0.6]) or found["scores"].tolist() == pytest.approx(
        [0.6, 0.6, 0.1]
    )
    assert sorted(found["boxes"].tolist()) == [[0, 0, 10, 10], pytest.approx([32.0, 30, 52, 50])]
    other = two._replace(anchors=ANCHORS + 1)
    with pytest.raises(ValueError, match=r"averages over the same regions.*give all members the same"):
        mean_prediction(Detection(1), [one, other], (60, 60))


def test_the_metrics_are_the_columns() -> None:
    task = Detection(["person"], metrics=(part(LogAverageMissRate), part(AveragePrecision, interpolation="11-point")))
    assert list(task.directions.items()) == [("MR", "lower"), ("mAP", "higher")]
    metric = task.metric()
    metric.update(task.decode(output([[0.1, 0.9]] * 3), (60, 60)), [{"boxes": ANCHORS[2:], "labels": torch.tensor([1])}])
    assert list(metric.compute()) == ["MR", "mAP"]
    assert [curve.name for curve in metric.curves()] == ["person", "person"]


def test_pictures() -> None:
    task = Detection(["car", "van"])
    target = {
        "boxes": tv_tensors.BoundingBoxes(ANCHORS[[0, 2]], format="XYXY", canvas_size=(60, 70)),
        "labels": torch.tensor([1, 2]),
        "ignore": torch.tensor([False, True]),
    }
    picture = task.picture(target)
    assert tuple(picture.shape) == (3, 60, 70)
    assert picture[:, 0, 0].any() and picture[:, 9, 9].any() and not picture[:, 5, 5].any() and not picture[:, 10, 10].any()
    assert picture[:, 30, 30].tolist() == [128, 128, 128] == picture[:, 49, 49].tolist()
    # Of two detections at one place the better one lies on top; the doubtful one is not drawn at all.
    (found,) = task.decode(output([[0.1, 0.3, 0.6], [0.9, 0.05, 0.05], [0.6, 0.2, 0.2]]), (60, 70))
    drawn = task.picture(found)
    box = tv_tensors.BoundingBoxes(ANCHORS[:1], format="XYXY", canvas_size=(60, 70))
    lone = task.picture({"boxes": box, "labels": torch.tensor([2])})
    assert torch.equal(drawn, lone)
    with pytest.raises(ValueError, match=r"drawn from BoundingBoxes.*got Tensor"):
        task.picture({**target, "boxes": ANCHORS})


def test_bad_input() -> None:
    task, good = Detection(2), output([[0.2, 0.4, 0.4]] * 3)
    target = {"boxes": ANCHORS[:1], "labels": torch.tensor([1])}
    with pytest.raises(ValueError, match=r"label 3 is outside 1\.\.2 of Detection \(0 is background\)"):
        task.loss(good, [{**target, "labels": torch.tensor([3])}])
    with pytest.raises(ValueError, match=r"integer labels, got torch.float32"):
        task.loss(good, [{**target, "labels": torch.ones(1)}])
    with pytest.raises(ValueError, match=r"boxes \(n, 4\) and labels \(n,\), got \(1, 4\) and \(2,\) for image 0"):
        task.loss(good, [{**target, "labels": torch.ones(2, dtype=torch.int64)}])
    with pytest.raises(ValueError, match=r"with an extent, got \[5.0, 5.0, 5.0, 9.0\] for image 0; drop"):
        task.loss(good, [{**target, "boxes": torch.tensor([[5.0, 5, 5, 9]])}])
    with pytest.raises(
        ValueError, match=r"deltas \(B, A, 4\) and anchors \(A, 4\), got \(1, 3, 3\), \(1, 3, 8\) and \(3, 4\)"
    ):
        task.loss(good._replace(deltas=torch.zeros(1, 3, 8)), [target])
    with pytest.raises(ValueError, match="Detection expects at least one name"):
        Detection("car")
    with pytest.raises(ValueError, match="at least one name"):
        Detection(0)
    with pytest.raises(ValueError, match=r"metrics with different names, got \['MR', 'MR'\]"):
        Detection(1, metrics=(PEDESTRIANS, BIRDS_9))
    with pytest.raises(ValueError, match=r"different names, got \[\]"):
        Detection(1, metrics=())
    with pytest.raises(ValueError, match=r"Suppression needs nms in 0..1"):
        Suppression(nms=1.1)

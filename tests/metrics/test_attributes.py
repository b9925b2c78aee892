"""Average precision of attributes: by hand, unknown values, true boxes among regions, counts."""

import math

import pytest
import torch
from metrics.boxes_by_hand import said, square, there

from taskweave.metrics import AttributeAveragePrecision, AttributesOnDetections
from taskweave.metrics.attributes import boxes_by_attribute

UNKNOWN = math.nan


def told(boxes: list[list[float]], scores: list[list[float]]) -> dict[str, torch.Tensor]:
    return {"boxes": torch.tensor(boxes), "scores": torch.tensor(scores)}


def true(boxes: list[list[float]], values: list[list[float]]) -> dict[str, torch.Tensor]:
    return {**there(boxes), "values": torch.tensor(values, dtype=torch.float32).reshape(len(boxes), -1 if boxes else 1)}


def test_by_hand() -> None:
    """Two images, four objects, three attributes."""
    boxes = [square(0), square(50)]
    metric = AttributeAveragePrecision(["wheel", "wing", "eye"])
    metric.update(
        [told(boxes, [[0.9, 0.1, 0.5], [0.8, 0.2, 0.5]]), told(boxes, [[0.7, 0.3, 0.5], [0.6, 0.4, 0.5]])],
        [true(boxes, [[1, 0, 0], [0, 1, 0]]), true(boxes, [[1, UNKNOWN, 0], [0, 1, 0]])],
    )
    # wheel, by score: 1, 0, 1, 0: precision 1 at recall 1/2, 2/3 at 1. wing: 1 (.4), unknown (.3), 1 (.2), 0: all right.
    assert metric.per_attribute()[:2].tolist() == pytest.approx([100 * (0.5 + 0.5 * 2 / 3), 100.0])
    assert metric.per_attribute()[2].isnan()  # no object has an eye
    assert float(metric.compute()["mAP"]) == pytest.approx((100 * (0.5 + 1 / 3) + 100) / 2)
    assert metric.counts().tolist() == [[2, 4], [2, 3], [0, 4]]
    curves = metric.curves()
    assert [curve.name for curve in curves] == ["wheel", "wing"]
    assert curves[0].x == (0.5, 0.5, 1.0, 1.0) and curves[0].y == pytest.approx((1, 1 / 2, 2 / 3, 1 / 2))
    eleven = AttributeAveragePrecision(1, interpolation="11-point")
    eleven.update([told(boxes, [[0.9], [0.8]])], [true(boxes, [[0], [1]])])
    assert float(eleven.compute()["mAP"]) == pytest.approx(50.0)


def test_the_area_equals_sklearn_where_the_definitions_meet() -> None:
    """sklearn's average precision does not interpolate; where precision falls all the way there is nothing to."""
    from sklearn.metrics import average_precision_score

    scores = torch.tensor([[0.9], [0.8], [0.7], [0.6], [0.5]])
    values = torch.tensor([[1.0], [1.0], [0.0], [0.0], [1.0]])
    boxes = [square(50 * i) for i in range(5)]
    # Precision 1, 1, 2/3, 2/4, 3/5: only the last step rises, from 2/4 to 3/5, at recall 1, where both take 3/5.
    metric = AttributeAveragePrecision(1)
    metric.update([told(boxes, scores.tolist())], [true(boxes, values.tolist())])
    assert float(metric.compute()["mAP"]) == pytest.approx(100 * average_precision_score(values[:, 0], scores[:, 0]))


def test_true_boxes_are_found_among_the_regions() -> None:
    """In any order, moved a little by rounding; what else is there does not count."""
    objects = true([square(0), square(50)], [[1.0], [0.0]])
    metric = AttributeAveragePrecision(1)
    metric.update([told([square(20), square(50.01), square(0)], [[0.99], [0.1], [0.8]])], [objects])
    assert float(metric.compute()["mAP"]) == 100.0
    with pytest.raises(ValueError, match=r"none of the 1 regions is the true box \[50.0, 0.0, 60.0, 10.0\].*measured_on"):
        metric.update([told([square(0)], [[0.8]])], [objects])
    with pytest.raises(ValueError, match="none of the 0 regions"):
        metric.update([{"boxes": torch.empty(0, 4), "scores": torch.empty(0, 1)}], [objects])
    metric.update([told([square(0)], [[0.8]])], [true([], [])])  # an image without objects
    assert metric.counts().tolist() == [[1, 2]]


def test_on_detections_every_attribute_is_a_class() -> None:
    objects = true([square(0), square(50), square(100)], [[1, 0], [UNKNOWN, 1], [0, UNKNOWN]])
    assert {name: value.tolist() for name, value in boxes_by_attribute(objects).items()} == {
        "boxes": [square(0), square(50), square(50), square(100)],
        "labels": [1, 1, 2, 2],
        "ignore": [False, True, False, True],
    }
    metric = AttributesOnDetections(2)
    # Attribute 1 by score: on a box without it (wrong), where it is not known (neither), on a box with it (right).
    detections = said([square(100), square(50), square(0), square(50)], [0.9, 0.8, 0.7, 0.6], labels=[1, 1, 1, 2])
    metric.update([detections], [objects])
    assert metric.class_scores()["mAP"].tolist() == pytest.approx([50.0, 100.0])


def test_nothing_seen_is_nan() -> None:
    assert AttributeAveragePrecision(2).per_attribute().isnan().all()


def test_bad_input() -> None:
    metric = AttributeAveragePrecision(2)
    boxes = [square(0)]
    good = told(boxes, [[0.1, 0.2]])
    with pytest.raises(ValueError, match="one prediction per target, got 1 and 0"):
        metric.update([good], [])
    with pytest.raises(ValueError, match=r"targets with boxes and values, got \['values'\].*sampled for training"):
        metric.update([good], [{"values": torch.ones(4, 2)}])
    with pytest.raises(ValueError, match=r"scores \(r, 2\) and values \(1, 2\), got \(1, 2\) and \(1, 3\)"):
        metric.update([good], [true(boxes, [[1, 0, 1]])])
    with pytest.raises(ValueError, match="attribute values are 0, 1, or NaN"):
        metric.update([good], [true(boxes, [[1, -1]])])
    with pytest.raises(ValueError, match="interpolation is"):
        AttributeAveragePrecision(2, interpolation="mean")
    assert metric.counts().tolist() == [[0, 0], [0, 0]]

"""COCO's average precision against its definition."""

import importlib.util
import math
import sys

import numpy as np
import pytest
import torch
from metrics.boxes_by_hand import said, slow_voc, square, there
from metrics.test_average_precision import apart

from taskweave.metrics import CocoAveragePrecision

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("faster_coco_eval") is None, reason="faster-coco-eval is an extra: taskweave[detection]"
)


def slow_ap(pairs: list, least: float, total: int) -> float:
    """The mean over the 101 recalls of the highest precision at that recall or more; objects are apart."""
    found = sorted((row for pair in pairs for row in slow_voc(*pair, 1, least)), reverse=True)
    right = [sum(hit for _, hit in found[: i + 1]) for i in range(len(found))]
    precision = [hits / (i + 1) for i, hits in enumerate(right)]
    values = [
        max((p for p, hits in zip(precision, right, strict=True) if hits / total >= recall), default=0.0)
        for recall in np.linspace(0, 1, 101)
    ]
    return sum(values) / 101


@pytest.mark.parametrize("seed", range(3))
def test_equals_its_definition(seed: int) -> None:
    predictions, targets = apart(torch.Generator().manual_seed(seed), 20)
    metric = CocoAveragePrecision(1)
    metric.update(predictions, targets)
    scores = {name: float(value) for name, value in metric.compute().items()}
    pairs = list(zip(predictions, targets, strict=True))
    each = [slow_ap(pairs, 0.5 + 0.05 * k, 20) for k in range(10)]
    expected = {"AP": sum(each) / 10, "AP50": each[0], "AP75": each[5]}
    assert scores == pytest.approx({name: 100 * value for name, value in expected.items()}, abs=1e-3)


def test_ignored_objects_are_crowds() -> None:
    objects = there([[0.0, 0, 100, 100], square(200)], ignore=[True, False])
    metric = CocoAveragePrecision(1)
    metric.update([said([square(5), square(50), square(200)], [0.9, 0.8, 0.7])], [objects])
    assert metric.compute()["AP"] == 100.0


def test_at_most_so_many_detections() -> None:
    detections = said([square(300), square(0)], [0.9, 0.8])
    for limit, expected in ((1, 0.0), (100, 50.0)):
        metric = CocoAveragePrecision(1, detections=limit)
        metric.update([detections], [there([square(0)])])
        assert float(metric.compute()["AP50"]) == pytest.approx(expected, abs=1e-3)


def test_the_order_of_images_does_not_matter() -> None:
    """Though their scores are equal."""
    pairs = [(said([square(0)], [0.5]), there([square(0)])), (said([square(50)], [0.5]), there([square(0)]))]
    found = []
    for order in (pairs, pairs[::-1]):
        metric = CocoAveragePrecision(1)
        for prediction, target in order:
            metric.update([prediction], [target])
        found.append(float(metric.compute()["AP"]))
    assert found[0] == found[1]


def test_nothing_to_find_is_nan() -> None:
    metric = CocoAveragePrecision(1)
    metric.update([said([square(0)], [0.5])], [there([])])
    assert all(math.isnan(value) for value in metric.compute().values())


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = CocoAveragePrecision(1)
    metric.update([said([square(0)], [0.5])], [there([square(0)])])
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(
        ImportError, match=r"CocoAveragePrecision needs faster-coco-eval: pip install taskweave\[detection\]"
    ):
        metric.compute()


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="at least 1 detection per image, got 0"):
        CocoAveragePrecision(1, detections=0)

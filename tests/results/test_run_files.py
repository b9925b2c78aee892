"""Detectors' curves, kept with their runs."""

from pathlib import Path

import torch

from taskweave.metrics import AttributeAveragePrecision, LogAverageMissRate, SegmentationScores
from taskweave.results.run_files import CURVES, keep_curves, read_curves

BOX = torch.tensor([[0.0, 0.0, 10.0, 10.0]])


def missing(scores: list[float]) -> LogAverageMissRate:
    """Of one image with one object, which the last of these detections finds."""
    metric = LogAverageMissRate(["mill"])
    boxes = torch.cat([BOX.expand(len(scores) - 1, 4) + 50, BOX])
    said = {"boxes": boxes, "scores": torch.tensor(scores), "labels": torch.ones(len(scores), dtype=torch.int64)}
    metric.update([said], [{"boxes": BOX, "labels": torch.tensor([1])}])
    return metric


def test_curves_are_read_as_they_were_measured(tmp_path: Path) -> None:
    keep_curves({"detection": missing([0.9, 0.5])}, tmp_path)
    (curve,) = read_curves(tmp_path, "detection")
    assert (curve.name, curve.x, curve.y, curve.logarithmic) == ("mill", (1.0, 1.0), (1.0, 0.0), True)
    assert (curve.x_axis, curve.y_axis) == ("false positives per image", "miss rate")


def test_other_columns_stay_and_a_column_measured_anew_does_not(tmp_path: Path) -> None:
    keep_curves({"detection": missing([0.9, 0.5])}, tmp_path)
    keep_curves({"detection on far": missing([0.9, 0.7, 0.5])}, tmp_path)
    assert [len(read_curves(tmp_path, name)[0].x) for name in ("detection", "detection on far")] == [2, 3]
    keep_curves({"detection": missing([0.9, 0.7, 0.6, 0.5])}, tmp_path)
    assert [len(read_curves(tmp_path, name)[0].x) for name in ("detection", "detection on far")] == [4, 3]


def test_metrics_without_curves_leave_nothing(tmp_path: Path) -> None:
    keep_curves({"segmentation": SegmentationScores(2)}, tmp_path)
    assert not list(tmp_path.iterdir()) and read_curves(tmp_path, "segmentation") == []


def test_attributes_have_curves_too(tmp_path: Path) -> None:
    metric = AttributeAveragePrecision(["round", "old"])
    boxes = torch.cat([BOX, BOX + 20])
    said = {"boxes": boxes, "scores": torch.tensor([[0.1, 0.1], [0.9, 0.9]])}
    metric.update([said], [{"boxes": boxes, "values": torch.tensor([[1.0, 0.0], [0.0, 0.0]])}])
    keep_curves({"attributes": metric}, tmp_path)
    (curve,) = read_curves(tmp_path, "attributes")
    assert (curve.name, curve.x, curve.y) == ("round", (0.0, 1.0), (0.0, 0.5))


def test_long_curves_are_thinned_least_where_scores_are_highest(tmp_path: Path) -> None:
    count = 5000
    keep_curves({"detection": missing(torch.linspace(1, 0, count).tolist())}, tmp_path)
    (curve,) = read_curves(tmp_path, "detection")
    assert 500 < len(curve.x) <= 1000
    assert curve.x[:20] == tuple(float(n) for n in range(1, 21))  # nothing left out among the first
    assert (curve.x[-1], curve.y[-1]) == (count - 1, 0.0)
    assert (tmp_path / CURVES).stat().st_size < 100_000

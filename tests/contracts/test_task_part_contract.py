"""Every public task and metric is a part: its options come from its signature, are checked, and make it from a recipe."""

from __future__ import annotations

import json
from inspect import isabstract, isclass
from typing import Any

import pytest
from torchmetrics import Metric

from taskweave import metrics, tasks
from taskweave.metrics import PerImageMetric
from taskweave.parts import KINDS, Kind, Part, options_of, part, read
from taskweave.parts.words import snake_case
from taskweave.tasks import Labels, Task

GIVEN = Labels(("cat", "dog", "cow"))


def public(room: Any, kind: type) -> list[Any]:
    """The concrete classes of a kind among a room's public names."""
    named = [getattr(room, name) for name in room.__all__]
    return [one for one in named if isclass(one) and issubclass(one, kind) and not isabstract(one) and one is not kind]


TASKS = public(tasks, Task)
METRICS = [one for one in public(metrics, Metric) if one is not metrics.JoinedMetric]  # which is made of parts


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, Task, Kind("task", ("labels",), ("taskweave.tasks",)))
    monkeypatch.setitem(KINDS, Metric, Kind("metric", ("task",), ("taskweave.metrics",)))


@pytest.mark.parametrize("call", [*TASKS, *METRICS], ids=lambda call: call.__name__)
def test_a_part(call: Any) -> None:
    """It can be written down, found by its short name, stored as JSON, read back, and made of what the program gives."""
    kind = Task if issubclass(call, Task) else Metric
    written = part(call)
    assert read(snake_case(call.__name__), kind) == written
    assert read(json.loads(json.dumps(written.dump())), kind) == written
    assert written.identity() == {"use": snake_case(call.__name__)}, "options at their defaults are no part of it"
    made = written(GIVEN if kind is Task else GIVEN.names)
    assert isinstance(made, kind)
    first = (call.__doc__ or "").strip().splitlines()[0]
    assert len(first) > 20, f"{call.__name__} says in its first line what it is"
    for option in options_of(call).model_fields:
        assert f"{option}" in _documented(call), f"{call.__name__} does not say what {option} is"


def _documented(call: Any) -> str:
    """The words of the docstring's list of arguments."""
    assert not options_of(call).model_fields or "Args:" in (call.__doc__ or ""), f"{call.__name__} has no Args:"
    return (call.__doc__ or "").partition("Args:")[2]


REFUSED = [
    (tasks.Detection, {"nms": 1.5}, r"Detection.nms: input should be less than or equal to 1, got 1.5"),
    (tasks.Detection, {"metrics": []}, r"Detection.metrics: .*at least 1"),
    (tasks.Detection, {"metrics": ["average_precison"]}, r"did you mean 'average_precision'"),
    (tasks.Detection, {"negative": 0.8}, r"negative must not be above positive, got 0.8 and 0.7"),
    (tasks.Detection, {"sample": 0}, r"Detection.sample"),
    (tasks.RoiDetection, {"box_weight": -1}, r"RoiDetection.box_weight: input should be greater than or equal to 0"),
    (tasks.TorchvisionDetection, {"nms": 0.5}, r"unknown option 'nms' of TorchvisionDetection"),
    (tasks.Segmentation, {"loss": "cross"}, r"Segmentation.loss"),
    (tasks.Segmentation, {"loss": "dice", "summed": True}, r"summed is of cross-entropy without class weights"),
    (
        tasks.Segmentation,
        {"loss": "dice", "class_weights": "median_frequency"},
        r"those of cross-entropy",
    ),
    (tasks.NormalsByCodebook, {"directions": 255}, r"NormalsByCodebook.directions"),
    (tasks.Attributes, {"scale": 0}, r"Attributes.scale"),
    (tasks.Age, {"ages": 1}, r"Age.ages"),
    (tasks.BoxRegression, {"unit": "metres"}, r"BoxRegression.unit"),
    (metrics.LogAverageMissRate, {"low": 2.0}, r"low must be below high, got low=2, high=1"),
    (metrics.AveragePrecision, {"iou": 0}, r"AveragePrecision.iou: input should be greater than 0, got 0"),
    (metrics.CocoAveragePrecision, {"detections": 0}, r"CocoAveragePrecision.detections"),
]


@pytest.mark.parametrize(("call", "options", "message"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
def test_bad_options_are_refused_before_anything_is_made(call: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Part(call, options)


def test_metrics_of_a_task_are_parts_in_a_recipe_too() -> None:
    metric = {"use": "log_average_miss_rate", "min_height": 50, "min_visible": 0.65}
    written = read({"use": "detection", "metrics": [metric], "nms": 0.7}, Task)
    assert written == part(tasks.Detection, metrics=(metrics.PEDESTRIANS,), nms=0.7)
    assert list(written(GIVEN).directions) == ["MR"]
    assert written.identity()["metrics"] == [{"use": "log_average_miss_rate", "min_height": 50.0, "min_visible": 0.65}]


def test_what_changes_no_result_is_no_part_of_an_identity() -> None:
    assert part(tasks.Detection, shown=0.9).identity() == part(tasks.Detection).identity()


@pytest.mark.parametrize("call", METRICS, ids=lambda call: call.__name__)
def test_metrics_say_which_way_they_are_better(call: Any) -> None:
    made = part(call)(("cat", "dog"))
    assert isinstance(made, PerImageMetric)
    assert made.directions and set(made.directions.values()) <= {"higher", "lower"}


@pytest.mark.parametrize("call", TASKS, ids=lambda call: call.__name__)
def test_facts_of_tasks(call: Any) -> None:
    written = part(call)
    assert written.fact("reads") in ("map", "anchors", "regions", "boxes", "numbers")
    assert written.fact("dense") is (written.fact("reads") == "map")
    made = written(GIVEN)
    assert list(made.directions) and made.channels > 0
    assert made.classes == () or made.classes == GIVEN.names

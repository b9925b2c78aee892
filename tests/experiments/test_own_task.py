"""A task of one's own takes part in everything that is asked of tasks, without being named anywhere."""

from typing import Any

import torch
from experiments.test_class_scores import Listed
from torch import Tensor
from torchmetrics import Metric

from taskweave.experiments.artifacts.class_labels import count_labels
from taskweave.experiments.rows import constant_scores
from taskweave.metrics import SegmentationScores
from taskweave.tasks import Task
from taskweave.tasks.task import plain


class Edges(Task):
    """Only what the contract asks for."""

    directions = SegmentationScores(2).directions
    channels = 2
    classes = ("none", "edge")

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(output, target)

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        return output.softmax(1)

    def harden(self, soft: Tensor) -> Tensor:
        return soft.argmax(1)

    def metric(self) -> Metric:
        return SegmentationScores(self)

    def picture(self, value: Tensor) -> Tensor:
        return value.expand(3, -1, -1).to(torch.uint8)


class Guessed(Edges):
    """It also says what a constant can do."""

    def numbers(self, target: Any) -> Tensor:
        return plain(target).flatten()

    def constants(self, numbers: Tensor | None) -> list[Tensor]:
        return [] if numbers is None else [numbers.mode().values]


SAMPLES = Listed([{"edges": torch.tensor([[0, 0, 1, 7]])}, {"edges": torch.tensor([[0, 1, 0, 0]])}, {}])


def test_facts_have_defaults() -> None:
    task = Edges()
    assert (task.reads, task.dense, task.regression, task.reads_targets, task.needs_true_boxes) == (
        "map", True, False, False, False,
    )  # fmt: skip
    assert task.legend([]) == []


def test_labels_are_counted() -> None:
    found = count_labels({"edges": Edges()}, [(SAMPLES, ("edges",))])["edges"]
    assert (found.unit, found.labels, found.images) == ("labels", {"none": 5, "edge": 2}, {"none": 2, "edge": 2})


def test_constants_are_measured_where_it_has_some() -> None:
    test = Listed([{"edges": torch.tensor([[0, 1, 1, 1]])}])
    assert constant_scores({"edges": Edges()}, SAMPLES, test) == {}
    assert constant_scores({"edges": Guessed()}, SAMPLES, test)["edges"]["pixacc"] == 25.0

"""The constant baseline, on labels whose best constant can be seen."""

import math

import torch
from torchvision import tv_tensors

from taskweave.data.boxes import bounding_boxes
from taskweave.data.dataset import LabelledSet
from taskweave.data.sample import Sample
from taskweave.data.tensors import Depth as DepthMap, Normals as NormalMap
from taskweave.experiments.rows import REASON, constant_scores, constants_of, marks
from taskweave.tasks.box_regression import BoxRegression
from taskweave.tasks.depth import Depth
from taskweave.tasks.normals import Normals
from taskweave.tasks.segmentation import Segmentation
from taskweave.tasks.whole_images import Age, Classification


class Given(LabelledSet):
    """Samples as they are given."""

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]

    labels = classes = ()  # type: ignore[assignment]

    def key(self, index: int) -> str:
        return str(index)

    scene = key


def labelled(classes: list[int], metres: list[float], up: list[tuple[float, float, float]]) -> Sample:
    return {
        "segmentation": tv_tensors.Mask(torch.tensor([classes])),
        "depth": DepthMap(torch.tensor([[metres]])),
        "normals": NormalMap(torch.tensor(up).T[:, None]),
    }


TASKS = {"segmentation": Segmentation(3), "depth": Depth(), "normals": Normals()}


def test_constants_are_chosen_on_train_and_measured_on_test() -> None:
    z, y = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)
    train = Given([labelled([2, 2, 255, 0], [1.0, 1.0, 4.0, 0.0], [z, z, (0.0, 0.0, 0.0), z])])
    test = Given([labelled([2, 0, 0, 0], [1.0, 2.0, 3.0, 0.0], [z, y, y, y])])
    scores = constant_scores(TASKS, train, test)
    assert scores["segmentation"]["pixacc"] == 25.0  # class 2 is most frequent in train, one of four in test
    # mean 2 m: |1-2|, 0, 1 -> .667; median 1 m: 0, 1, 2 -> 1.0: the better of the two counts
    assert math.isclose(scores["depth"]["abs"], 2 / 3, rel_tol=1e-6)
    # constant z against z, y, y, y: 0, 90, 90, 90 degrees
    assert math.isclose(scores["normals"]["mean"], 67.5, abs_tol=0.05)


def test_marks() -> None:
    found = marks(
        {"segmentation": {"mIoU": 10.0, "pixacc": 50.0}, "depth": {"abs": 1.0}, "other": {"x": 1.0}},
        {"segmentation": {"mIoU": "higher", "pixacc": "higher"}, "depth": {"abs": "lower"}, "other": {"x": "higher"}},
        {"segmentation": {"mIoU": 9.0, "pixacc": 50.0}, "depth": {"abs": 0.9}},
    )
    assert [(m.task, m.metric) for m in found] == [("segmentation", "pixacc"), ("depth", "abs")]
    assert found[0].reason == REASON


def test_undefined_is_not_marked() -> None:
    assert marks({"depth": {"abs": None}}, {"depth": {"abs": "lower"}}, {"depth": {"abs": 1.0}}) == ()


def test_a_task_without_labels_has_no_constant() -> None:
    empty = Given([{"depth": DepthMap(torch.zeros(1, 1, 2))}])
    assert constant_scores({"depth": Depth()}, empty, empty) == {}


def answered(species: int, years: int, box: tuple[float, ...], size: tuple[int, int]) -> Sample:
    return {"species": torch.tensor(species), "age": torch.tensor(years), "box": bounding_boxes([box], size)}


def test_constants_of_one_answer_per_image() -> None:
    """The majority class, the median age, the mean or median box relative to images of different sizes."""
    train = Given([
        answered(1, 20, (0.0, 0.0, 10.0, 10.0), (10, 20)),
        answered(1, 30, (0.0, 0.0, 20.0, 10.0), (20, 40)),
        answered(0, 90, (0.0, 0.0, 10.0, 10.0), (10, 10)),
        {},
    ])  # fmt: skip
    test = Given([answered(1, 32, (0.0, 0.0, 50.0, 50.0), (100, 100)), answered(0, 20, (0.0, 0.0, 4.0, 4.0), (4, 4)), {}])
    tasks = {"species": Classification(2), "age": Age(), "box": BoxRegression()}
    scores = constant_scores(tasks, train, test)
    assert scores["species"] == {"accuracy": 50.0, "class accuracy": 50.0}
    assert scores["age"] == {"mean AE": (2 + 10) / 2, "median AE": 6.0}
    # Relative widths .5, .5, 1 and heights 1, .5, 1: the mean is 2/3 x 5/6, the median 1/2 x 1.
    mean = ((1 / 4) / (5 / 9) + 5 / 9) / 2
    median = (0.25 / 0.5 + 0.5) / 2
    assert math.isclose(scores["box"]["IoU"], 100 * max(mean, median), rel_tol=1e-6)


def test_an_even_number_of_ages_has_a_median_between_two() -> None:
    train = Given([{"age": torch.tensor(years)} for years in (10, 20, 31, 90)])
    assert constants_of({"age": Age()}, [(train, ("age",))])["age"][0] == 25.5

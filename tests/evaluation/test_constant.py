"""The constant baseline, on labels whose best constant can be seen."""

import math

import torch
from torchvision import tv_tensors

from taskweave.data.dataset import LabelledSet
from taskweave.data.sample import Sample
from taskweave.data.tensors import Depth as DepthMap
from taskweave.data.tensors import Normals as NormalMap
from taskweave.evaluation.constant import REASON, constant_scores, marks
from taskweave.tasks.depth import Depth
from taskweave.tasks.normals import Normals
from taskweave.tasks.segmentation import Segmentation


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

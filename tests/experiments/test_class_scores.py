"""``classes.json`` beside a run and ``labels.json`` beside a comparison: numbers and labels by class."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from experiments.tiny import Told, tiny

from taskweave.data import LabelledSet
from taskweave.experiments.artifacts.class_labels import count_labels, train_labels
from taskweave.experiments.bench import Bench
from taskweave.metrics import Accuracy, DepthErrors, SegmentationScores
from taskweave.results.class_gains import LABELS, read_labels
from taskweave.results.run_files import CLASSES, keep_classes, read_classes
from taskweave.tasks import Attributes, Classification, Depth, Detection, RoiDetection, Segmentation


class Listed(LabelledSet):
    """Samples given as they are."""

    classes = ("a", "b", "c")
    labels = ("segmentation", "attributes", "detection", "kind")

    def __init__(self, samples: Sequence[dict[str, Any]]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Any:
        return self.samples[index]

    def key(self, index: int) -> str:
        return str(index)

    def scene(self, index: int) -> str:
        return str(index)


def test_labels_are_counted_as_the_paper_does() -> None:
    nan = float("nan")
    first = {
        "segmentation": torch.tensor([[0, 0, 1], [255, 0, 1]]),
        "attributes": {"boxes": torch.zeros(3, 4), "values": torch.tensor([[1, 0, nan], [1, nan, 0], [0, 0, 0]])},
        "detection": {
            "boxes": torch.zeros(3, 4),
            "labels": torch.tensor([2, 2, 1]),
            "ignore": torch.tensor([False, False, True]),
        },
        "kind": torch.tensor(1),
    }
    second = {"segmentation": torch.tensor([[0, 255, 255]]), "kind": torch.tensor(1)}
    tasks = {
        "segmentation": Segmentation(("a", "b", "c")),
        "attributes": Attributes(("x", "y", "z")),
        "detection": Detection(("p", "q")),
        "kind": Classification(("cat", "dog")),
    }
    found = count_labels(tasks, [(Listed([first, second]), tuple(tasks)), (Listed([second]), ("segmentation",))])
    counts = {name: (one.unit, one.labels, one.images) for name, one in found.items()}
    assert counts == {
        "segmentation": ("pixels", {"a": 5, "b": 2, "c": 0}, {"a": 3, "b": 1, "c": 0}),
        "attributes": ("boxes", {"x": 2, "y": 0, "z": 0}, {"x": 1, "y": 0, "z": 0}),
        "detection": ("objects", {"p": 0, "q": 2}, {"p": 0, "q": 1}),
        "kind": ("images", {"cat": 0, "dog": 2}, {"cat": 0, "dog": 2}),
    }


def test_numbers_by_class_are_kept_and_those_of_other_columns_stay(tmp_path: Path) -> None:
    metric = SegmentationScores(3)
    metric.update(torch.tensor([[[0, 0, 1, 1]]]), torch.tensor([[[0, 0, 0, 1]]]))
    keep_classes({"segmentation": metric}, {"segmentation": ("a", "b", "c")}, tmp_path)
    told = Accuracy(2)
    told.update(torch.tensor([0, 0]), torch.tensor([0, 0]))
    depth = DepthErrors()
    depth.update(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
    keep_classes({"kind": told, "depth": depth}, {"kind": ("cat", "dog"), "depth": ()}, tmp_path)
    assert read_classes(tmp_path, "segmentation") == {"mIoU": {"a": pytest.approx(200 / 3), "b": 50.0, "c": None}}
    assert read_classes(tmp_path, "kind") == {"class accuracy": {"cat": 100.0, "dog": None}}
    assert read_classes(tmp_path, "depth") == {}
    keep_classes({"unnamed": told}, {"unnamed": ()}, tmp_path)
    assert read_classes(tmp_path, "unnamed") == {"class accuracy": {"class 1": 100.0, "class 2": None}}
    (tmp_path / CLASSES).write_text("{")
    with pytest.raises(ValueError, match=r"classes\.json is damaged .*measures this run anew"):
        read_classes(tmp_path, "kind")


def test_tasks_without_classes_have_none() -> None:
    assert Depth().classes == ()
    assert RoiDetection(["cat", "dog"]).classes == ("cat", "dog")
    assert Classification(("cat", "dog")).classes == ("cat", "dog")


def test_labels_are_counted_once_and_again_for_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    bench, told = Bench(tiny()), Told()
    assert read_labels(tmp_path) == {}
    found = train_labels(bench, tmp_path, told)
    assert list(found) == ["segmentation"]
    train = bench.sets["data"].train
    masks = np.concatenate([np.asarray(train[i]["segmentation"]).ravel() for i in range(len(train))])
    assert list(found["segmentation"].labels) == list(train.classes)
    assert list(found["segmentation"].labels.values()) == [int((masks == c).sum()) for c in range(len(train.classes))]
    assert train_labels(bench, tmp_path, told) == found == read_labels(tmp_path)
    assert len(told.notes) == 1
    other = tiny(data={"use": "scenes", "size": [32, 48], "train": 2, "test": 4, "seed": 3})
    fewer = train_labels(Bench(other), tmp_path, told)
    assert sum(fewer["segmentation"].labels.values()) < sum(found["segmentation"].labels.values())
    assert len(told.notes) == 2
    (tmp_path / LABELS).write_text(json.dumps({"tasks": {}}))
    with pytest.raises(ValueError, match=r"labels\.json is damaged .*counts"):
        read_labels(tmp_path)

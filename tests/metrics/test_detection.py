"""The metric of detections: what it keeps, however images are split, and what it refuses."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from metrics.boxes_by_hand import noisy_image, said, square, there
from torchmetrics import Metric

from taskweave.metrics import AveragePrecision, CocoAveragePrecision, DetectionMetric, JoinedMetric, LogAverageMissRate
from taskweave.parts import part
from taskweave.tasks import Detection


def joined() -> JoinedMetric:
    return JoinedMetric([AveragePrecision(2, interpolation="11-point"), LogAverageMissRate(2)])


def test_splits_and_merges_change_nothing_bit_for_bit() -> None:
    generator = torch.Generator().manual_seed(3)
    pairs = [noisy_image(generator, classes=2) for _ in range(9)]
    predictions, targets = map(list, zip(*pairs, strict=True))
    whole = joined()
    whole.update(predictions, targets)
    one, two = joined(), joined()
    for index in (8, 3, 5, 0):
        one.update(predictions[index : index + 1], targets[index : index + 1])
    two.update([predictions[i] for i in (7, 1, 2, 4, 6)], [targets[i] for i in (7, 1, 2, 4, 6)])
    one.merge_state(two)
    assert {name: float(value) for name, value in one.compute().items()} == {
        name: float(value) for name, value in whole.compute().items()
    }
    assert [torch.equal(*pair) for pair in zip(counts(one), counts(whole), strict=True)] == [True, True]
    assert one.curves() == whole.curves()
    one.reset()
    assert [n.tolist() for n in counts(one)] == [[0, 0], [0, 0]]


def counts(metric: JoinedMetric) -> list[torch.Tensor]:
    return [part.counts_per_class() for part in metric.parts if isinstance(part, DetectionMetric)]


WORKER = textwrap.dedent("""
    import sys, json, warnings
    import torch
    from metrics.boxes_by_hand import noisy_image
    from taskweave.metrics import (
        AttributeAveragePrecision, AveragePrecision, CocoAveragePrecision, JoinedMetric, LogAverageMissRate)
    warnings.simplefilter("ignore")
    rank, file = int(sys.argv[1]), sys.argv[2]
    generator = torch.Generator().manual_seed(0)
    pairs = [noisy_image(generator, classes=2) for _ in range(5)]
    for prediction, target in pairs:
        target["values"] = torch.randint(0, 2, (len(target["labels"]), 3), generator=generator).float()
    told = [{"boxes": target["boxes"], "scores": torch.rand(len(target["labels"]), 3, generator=generator)}
            for _, target in pairs]
    measures = [AveragePrecision(2), LogAverageMissRate(2)] + [CocoAveragePrecision(2)] * (sys.argv[3] == "coco")
    boxes, attributes = JoinedMetric(measures), AttributeAveragePrecision(3)
    def scores(parts):
        boxes.reset(), attributes.reset()
        for part in parts:
            targets = [target for _, target in pairs[part]]
            boxes.update([prediction for prediction, _ in pairs[part]], targets)
            attributes.update(told[part], targets)
        found = {**boxes.compute(), "attributes": attributes.compute()["mAP"]}
        found |= {f"n{i}": n for i, n in enumerate(boxes.parts[0].counts_per_class())}
        found |= {f"a{i}": n for i, n in enumerate(attributes.per_attribute())}
        return {name: float(value) for name, value in found.items()}
    expected = scores([slice(0, 5)])
    torch.distributed.init_process_group("gloo", init_method="file://" + file, rank=rank, world_size=2)
    shards = [[slice(0, 1), slice(1, 4)], [slice(4, 5)]]
    print(json.dumps([expected, scores(shards[rank]), scores([slice(0, 5)] if rank == 0 else [])]))
    torch.distributed.destroy_process_group()
""")


@pytest.mark.slow
def test_two_processes(tmp_path: Path) -> None:
    """Two real processes see two parts of a set, one of them unevenly, and compute what one computes of all."""
    import importlib.util

    coco = "coco" if importlib.util.find_spec("faster_coco_eval") is not None else "no"
    folder = Path(__file__).resolve().parents[1]
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    commands = [[sys.executable, "-c", WORKER, str(rank), str(tmp_path / "store"), coco] for rank in range(2)]
    workers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": path})
        for command in commands
    ]
    outputs = [worker.communicate(timeout=200)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    for output in outputs:
        expected, uneven, one_idle = json.loads(output.strip().splitlines()[-1])
        assert uneven == pytest.approx(expected, rel=1e-12)
        assert one_idle == pytest.approx(expected, rel=1e-12)


def test_labels_are_optional_parts_of_targets() -> None:
    metric = AveragePrecision(1)
    metric.update([said([square(0)], [0.9])], [there([square(0)], ignore=[False], visible=[0.1])])
    assert float(metric.compute()["mAP"]) == 100.0


def test_pictures_of_torchvision_go_in_as_they_are() -> None:
    from torchvision import tv_tensors

    target = there([square(0)])
    target["boxes"] = tv_tensors.BoundingBoxes(target["boxes"], format="XYXY", canvas_size=(50, 50))
    metric = AveragePrecision(1)
    metric.update([said([square(0)], [0.9])], [target])
    assert float(metric.compute()["mAP"]) == 100.0


def test_bad_input() -> None:
    metric = AveragePrecision(2)
    good, target = said([square(0)], [0.9]), there([square(0)])
    with pytest.raises(ValueError, match="one prediction per target, got 2 and 1; give those of the same images"):
        metric.update([good, good], [target])
    with pytest.raises(ValueError, match=r"a detection has the label 3, outside the 2 classes \(1\.\.2; 0 is background\)"):
        metric.update([{**good, "labels": torch.tensor([3])}], [target])
    with pytest.raises(ValueError, match="an object has the label 0, outside"):
        metric.update([good], [there([square(0)], labels=[0])])
    with pytest.raises(ValueError, match="a detection has the score nan, expected a finite number"):
        metric.update([said([square(0)], [float("nan")])], [target])
    with pytest.raises(ValueError, match=r"a detection target is a mapping with boxes, labels, got \['deltas', 'labels'\]"):
        metric.update([good], [{"labels": torch.ones(3), "deltas": torch.ones(3, 4)}])
    with pytest.raises(ValueError, match=r"a prediction expects boxes \(n, 4\).*'scores': \(2,\)"):
        metric.update([{**good, "scores": torch.ones(2)}], [target])
    with pytest.raises(ValueError, match=r"expects ignore \(1,\), got \(2,\); give every box its own value"):
        metric.update([good], [{**target, "ignore": torch.zeros(2, dtype=torch.bool)}])
    assert metric.counts_per_class().tolist() == [0, 0]  # nothing of a refused batch is kept
    assert CocoAveragePrecision(1).curves() == []


class Empty(Metric):
    """The share of images without a detection: a metric of one's own, as torchmetrics has them."""

    higher_is_better = False

    def __init__(self, task: object, *, least: float = 0.5) -> None:
        super().__init__()
        self.least = least
        self.add_state("empty", torch.zeros(2), dist_reduce_fx="sum")

    def update(self, prediction: list[dict[str, torch.Tensor]], target: object) -> None:
        none = sum(not (one["scores"] >= self.least).any() for one in prediction)
        self.empty += torch.tensor([none, len(prediction)])

    def compute(self) -> torch.Tensor:
        return self.empty[0] / self.empty[1]


def test_a_metric_of_ones_own_is_a_column_like_ours() -> None:
    task = Detection(["cat"], metrics=(part(Empty, least=0.7), part(AveragePrecision)))
    assert dict(task.directions) == {"empty": "lower", "mAP": "higher"}
    metric = task.metric()
    metric.update([said([square(0)], [0.6]), said([square(0)], [0.9])], [there([square(0)])] * 2)
    assert {name: float(value) for name, value in metric.compute().items()} == {"empty": 0.5, "mAP": 100.0}
    assert list(metric.per_image().scores(np.ones((1, 2), int))) == ["mAP"]  # the other does not say what an image gave
    with pytest.raises(ValueError, match="Silent does not say which way it is better; state `directions`"):
        Detection(["cat"], metrics=(part(Silent),))


class Silent(Empty):
    higher_is_better = None

"""The metric of detections: what it keeps, however images are split, and what it refuses."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from metrics.boxes_by_hand import noisy_image, said, square, there

from taskweave.metrics import AveragePrecision, CocoAveragePrecision, DetectionMetric, LogAverageMissRate

MEASURES = [AveragePrecision("11-point"), LogAverageMissRate()]


def test_splits_and_merges_change_nothing_bit_for_bit() -> None:
    generator = torch.Generator().manual_seed(3)
    pairs = [noisy_image(generator, classes=2) for _ in range(9)]
    predictions, targets = map(list, zip(*pairs, strict=True))
    whole = DetectionMetric(2, MEASURES)
    whole.update(predictions, targets)
    one, two = DetectionMetric(2, MEASURES), DetectionMetric(2, MEASURES)
    for index in (8, 3, 5, 0):
        one.update(predictions[index : index + 1], targets[index : index + 1])
    two.update([predictions[i] for i in (7, 1, 2, 4, 6)], [targets[i] for i in (7, 1, 2, 4, 6)])
    one.merge_state(two)
    assert {name: float(value) for name, value in one.compute().items()} == {
        name: float(value) for name, value in whole.compute().items()
    }
    assert torch.equal(one.counts_per_class(), whole.counts_per_class())
    assert one.curves() == whole.curves()
    one.reset()
    assert one.counts_per_class().tolist() == [0, 0]


WORKER = textwrap.dedent("""
    import sys, json, warnings
    import torch
    from metrics.boxes_by_hand import noisy_image
    from taskweave.metrics import (
        AttributesMetric, AveragePrecision, CocoAveragePrecision, DetectionMetric, LogAverageMissRate)
    warnings.simplefilter("ignore")
    rank, file = int(sys.argv[1]), sys.argv[2]
    generator = torch.Generator().manual_seed(0)
    pairs = [noisy_image(generator, classes=2) for _ in range(5)]
    for prediction, target in pairs:
        target["values"] = torch.randint(0, 2, (len(target["labels"]), 3), generator=generator).float()
    told = [{"boxes": target["boxes"], "scores": torch.rand(len(target["labels"]), 3, generator=generator)}
            for _, target in pairs]
    measures = [AveragePrecision(), LogAverageMissRate()] + [CocoAveragePrecision()] * (sys.argv[3] == "coco")
    boxes, attributes = DetectionMetric(2, measures), AttributesMetric(3)
    def scores(parts):
        boxes.reset(), attributes.reset()
        for part in parts:
            targets = [target for _, target in pairs[part]]
            boxes.update([prediction for prediction, _ in pairs[part]], targets)
            attributes.update(told[part], targets)
        found = {**boxes.compute(), "attributes": attributes.compute()["mAP"]}
        found |= {f"n{i}": n for i, n in enumerate(boxes.counts_per_class())}
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
    commands = [[sys.executable, "-c", WORKER, str(rank), str(tmp_path / "store"), coco] for rank in range(2)]
    workers = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}
        )
        for command in commands
    ]
    outputs = [worker.communicate(timeout=200)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    for output in outputs:
        expected, uneven, one_idle = json.loads(output.strip().splitlines()[-1])
        assert uneven == pytest.approx(expected, rel=1e-12)
        assert one_idle == pytest.approx(expected, rel=1e-12)


def test_labels_are_optional_parts_of_targets() -> None:
    metric = DetectionMetric(1, [AveragePrecision()])
    metric.update([said([square(0)], [0.9])], [there([square(0)], ignore=[False], visible=[0.1])])
    assert float(metric.compute()["mAP"]) == 100.0


def test_pictures_of_torchvision_go_in_as_they_are() -> None:
    from torchvision import tv_tensors

    target = there([square(0)])
    target["boxes"] = tv_tensors.BoundingBoxes(target["boxes"], format="XYXY", canvas_size=(50, 50))
    metric = DetectionMetric(1, [AveragePrecision()])
    metric.update([said([square(0)], [0.9])], [target])
    assert float(metric.compute()["mAP"]) == 100.0


def test_bad_input() -> None:
    metric = DetectionMetric(2, [AveragePrecision(), LogAverageMissRate()])
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
    assert CocoAveragePrecision().curves([], ["a"]) == []

"""Fast R-CNN from regions to average precision: what it trains on it must find again, from regions that know no label."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.ops import box_iou

from taskweave.data.boxes import bounding_boxes
from taskweave.data.transforms.proposals import grid_proposals
from taskweave.data.transforms.rois import SampleRois
from taskweave.metrics.average_precision import AveragePrecision
from taskweave.networks import fast_rcnn_alexnet
from taskweave.parts import part
from taskweave.tasks.roi_detection import RoiDetection

pytestmark = pytest.mark.slow

SIZE = (96, 96)
BOXES = [
    [(6.0, 10.0, 50.0, 42.0), (58.0, 50.0, 90.0, 92.0)],
    [(40.0, 4.0, 84.0, 60.0)],
    [(4.0, 30.0, 40.0, 90.0), (52.0, 8.0, 92.0, 36.0)],
    [(18.0, 29.0, 78.0, 66.0)],
]
LABELS = [[1, 2], [2], [2, 1], [1]]
STEPS = 80


def scene(boxes: list[tuple[float, float, float, float]], labels: list[int]) -> dict[str, Any]:
    """Grey noise; a box of class 1 is bright in the first channel, one of class 2 in the second."""
    image = 0.3 * torch.randn(3, *SIZE)
    for (x1, y1, x2, y2), label in zip(boxes, labels, strict=True):
        image[label - 1, int(y1) : int(y2), int(x1) : int(x2)] += 2
    target = {"boxes": bounding_boxes(boxes, SIZE), "labels": torch.tensor(labels)}
    return {"key": "", "image": image, "detection": target, "proposals": grid_proposals(SIZE, scales=(0.35, 0.5, 0.7))}


def test_objects_of_the_training_images_are_found() -> None:
    """Assignment, coding, pooling, decoding and suppression agree. Every object has a region to be foreground by."""
    grid = scene(BOXES[0], LABELS[0])["proposals"].as_subclass(Tensor)
    assert box_iou(torch.tensor([box for boxes in BOXES for box in boxes]), grid).amax(1).min() >= 0.5
    torch.manual_seed(0)
    scenes = [scene(*pair) for pair in zip(BOXES, LABELS, strict=True)]
    images, draw = torch.stack([s["image"] for s in scenes]), SampleRois(32)
    task = RoiDetection(2, metrics=(part(AveragePrecision, iou=0.5),))
    net = fast_rcnn_alexnet(3, body="torchvision", hidden=64, dropout=0.0)
    assert _average_precision(net, task, scenes, images) < 10  # it knows nothing yet
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 1e-3 * (1 - step / STEPS)
        drawn = [draw(s) for s in scenes]
        loss = task.loss(net(images, [d["rois"] for d in drawn]), [d["detection"] for d in drawn])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert _average_precision(net, task, scenes, images) > 90


def _average_precision(net: torch.nn.Module, task: RoiDetection, scenes: list[dict[str, Any]], images: Tensor) -> float:
    with torch.no_grad():
        output = net.eval()(images, [s["proposals"].as_subclass(Tensor) for s in scenes])
    net.train()
    metric = task.metric()
    metric.update(task.harden(task.soft(output, SIZE)), [s["detection"] for s in scenes])
    return float(metric.compute()["mAP"])

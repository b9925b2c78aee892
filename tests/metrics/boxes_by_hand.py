"""Images of boxes for tests, and a slow reference that follows the definitions one detection at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def square(x: float, y: float = 0.0, side: float = 10.0) -> list[float]:
    return [x, y, x + side, y + side]


def said(boxes: list[list[float]], scores: list[float], labels: list[int] | None = None) -> dict[str, Tensor]:
    labels = [1] * len(scores) if labels is None else labels
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "scores": torch.tensor(scores),
        "labels": torch.tensor(labels, dtype=torch.int64),
    }


def there(boxes: list[list[float]], labels: list[int] | None = None, **more: list[Any]) -> dict[str, Tensor]:
    labels = [1] * len(boxes) if labels is None else labels
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        **{name: torch.tensor(values) for name, values in more.items()},
    }


def noisy_image(
    generator: torch.Generator, *, classes: int, ignored: float = 0.2
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Detections around objects that overlap each other, repetitions and false ones among them; all scores differ."""
    count = int(torch.randint(0, 6, (1,), generator=generator))
    low = 60 * torch.rand(count, 2, generator=generator)
    truth = torch.cat([low, low + 15 + 25 * torch.rand(count, 2, generator=generator)], 1)
    labels = torch.randint(1, classes + 1, (count,), generator=generator)
    pick = torch.randint(0, max(count, 1), (2 * count,), generator=generator)
    near = truth[pick] + 4 * torch.randn(2 * count, 4, generator=generator)
    low = 60 * torch.rand(3, 2, generator=generator)
    false = torch.cat([low, low + 20], 1)
    boxes = torch.cat([near, false])
    prediction = {
        "boxes": torch.cat([boxes[:, :2], torch.maximum(boxes[:, 2:], boxes[:, :2] + 1)], 1),
        "scores": torch.rand(len(boxes), generator=generator),
        "labels": torch.cat([labels[pick], torch.randint(1, classes + 1, (3,), generator=generator)]),
    }
    ignore = torch.rand(count, generator=generator) < ignored
    return prediction, {"boxes": truth, "labels": labels, "ignore": ignore}


def area(box: list[float]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def shared(a: list[float], b: list[float]) -> float:
    return area([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])


def iou(a: list[float], b: list[float]) -> float:
    return shared(a, b) / (area(a) + area(b) - shared(a, b))


def descending(prediction: dict[str, Tensor], label: int) -> list[tuple[float, list[float]]]:
    rows = zip(
        prediction["scores"].tolist(), prediction["boxes"].double().tolist(), prediction["labels"].tolist(), strict=True
    )
    return sorted(((score, box) for score, box, own in rows if own == label), key=lambda row: -row[0])


def objects(target: dict[str, Tensor], label: int) -> list[tuple[list[float], bool]]:
    ignore = target.get("ignore", torch.zeros(len(target["labels"]), dtype=torch.bool)).tolist()
    rows = zip(target["boxes"].double().tolist(), ignore, target["labels"].tolist(), strict=True)
    return [(box, flag) for box, flag, own in rows if own == label]


def slow_voc(
    prediction: dict[str, Tensor], target: dict[str, Tensor], label: int, least: float
) -> list[tuple[float, bool]]:
    """(score, right) of every detection that counts."""
    truth, taken, found = objects(target, label), set(), []
    for score, box in descending(prediction, label):
        overlaps = [iou(box, other) for other, _ in truth]
        best = max(range(len(truth)), key=lambda i: overlaps[i]) if truth else -1
        if best < 0 or overlaps[best] < least:
            found.append((score, False))
        elif not truth[best][1]:
            found.append((score, best not in taken))
            taken.add(best)
    return found


def slow_regions(
    prediction: dict[str, Tensor], target: dict[str, Tensor], label: int, least: float
) -> list[tuple[float, bool]]:
    truth, taken, found = objects(target, label), set(), []
    for score, box in descending(prediction, label):
        free = [
            i for i, (other, ignored) in enumerate(truth) if not ignored and i not in taken and iou(box, other) >= least
        ]
        inside = [other for other, ignored in truth if ignored and shared(box, other) >= least * area(box)]
        if free:
            taken.add(max(free, key=lambda i: iou(box, truth[i][0])))
            found.append((score, True))
        elif not inside:
            found.append((score, False))
    return found


def count(targets: list[dict[str, Tensor]], label: int) -> int:
    return sum(not ignored for target in targets for _, ignored in objects(target, label))

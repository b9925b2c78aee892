"""What the colours of drawn targets and predictions stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from taskweave.reporting.figures import Key
from taskweave.tasks.depth import Depth
from taskweave.tasks.detection import Detection
from taskweave.tasks.palette import label_colours, scale_colours
from taskweave.tasks.segmentation import Segmentation
from taskweave.tasks.task import Task
from taskweave.tasks.torchvision_detection import TorchvisionDetection


def legend_of(task: Task, pictures: Iterable[Tensor]) -> list[Key]:
    """(name, RGB) for a legend; of classes those whose colour some picture has. [] for tasks drawn without such colours.

    pictures: what was drawn, RGB uint8 (3, H, W).
    """
    match task:
        case Segmentation():
            return [*_present(task.classes, pictures), ("no label", (0, 0, 0))]
        case Detection() | TorchvisionDetection():
            return _present(task.classes, pictures)
        case Depth():
            levels = [task.far * share for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
            colours = scale_colours(torch.tensor(levels)[:, None] / task.far)[..., 0].T.tolist()
            words = [*(f"{level:.3g}" for level in levels[:-1]), f"{levels[-1]:.3g} and more"]
            keys = [(word, _rgb(colour)) for word, colour in zip(words, colours, strict=True)]
            return [*keys, ("no label", (0, 0, 0))]
        case _:
            return []


def mask_legend(classes: Sequence[str]) -> list[Key]:
    """Of masks laid over their picture: all classes but the first, the background."""
    return [(name, _rgb(colour)) for name, colour in zip(classes, label_colours(len(classes)).tolist(), strict=False)][1:]


def _present(classes: Sequence[str], pictures: Iterable[Tensor]) -> list[Key]:
    seen = {tuple(colour) for picture in pictures for colour in torch.unique(picture.flatten(1).T, dim=0).tolist()}
    keys = [(name, _rgb(colour)) for name, colour in zip(classes, label_colours(len(classes)).tolist(), strict=False)]
    return [key for key in keys if key[1] in seen]


def _rgb(colour: Sequence[int]) -> tuple[int, int, int]:
    red, green, blue = colour
    return red, green, blue

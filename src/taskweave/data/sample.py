"""Samples and batches: an image and the targets that exist for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from torch import Tensor
from torchvision import tv_tensors

Sample = Mapping[str, Any]
"""``image`` (tv_tensors.Image, (3, H, W)), ``key`` (str, unique in its data set) and, under each task's name, its target.
A missing label is a missing key. A target is a tensor, or a mapping of tensors with one row per box (see `boxes`). A class
of the whole image is an integer tensor (), an age a number of years (), the one box of an image BoundingBoxes (1, 4).
``proposals`` and ``rois``, (n, 4) boxes, are inputs, not targets."""

BOX_INPUTS = ("proposals", "rois")
SOURCE = "source"
"""Which data set of a `Mixture` a sample is from."""
INPUTS = ("image", "key", SOURCE, *BOX_INPUTS)
"""What in a sample is not a target."""


@final
@dataclass(frozen=True)
class Batch:
    """Samples stacked into a batch.

    Args:
        image: (B, 3, H, W) float32, as the network expects it.
        targets: {task: the targets of the samples that are labelled for it}. Tensors are stacked. Mappings are a list, one
            per sample, in plain tensors. BoundingBoxes become mappings of "boxes" (n, 4) and "size" (2,), the height and
            width of the image.
        rows: {task: positions of those samples in the batch, int64}.
        rois: (n, 4) per image as x1, y1, x2, y2 in its pixels; (0, 4) for an image without any; None if no image has any.
        proposals: Likewise.
        sources: The name of each sample's data set in a `Mixture`; () outside a mixture.
    """

    image: Tensor
    targets: dict[str, Any]
    rows: dict[str, Tensor]
    keys: tuple[str, ...]
    rois: tuple[Tensor, ...] | None = None
    proposals: tuple[Tensor, ...] | None = None
    sources: tuple[str, ...] = ()

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that have a label in this batch."""
        return tuple(self.targets)

    def whole(self, task: str) -> bool:
        """Whether every sample of the batch is labelled for `task`."""
        return len(self.rows[task]) == len(self.keys)

    def to(self, device: torch.device, *, channels_last: bool = False) -> Batch:
        image = self.image.to(device, memory_format=torch.channels_last if channels_last else torch.preserve_format)
        return replace(
            self,
            image=image,
            targets=_moved(self.targets, device),
            rows=_moved(self.rows, device),
            rois=_moved(self.rois, device),
            proposals=_moved(self.proposals, device),
        )


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples of one image size; each task's targets are those of the samples that are labelled for it.

    Raises:
        ValueError: Images, or the dense targets of a task, differ in size.
    """
    names = dict.fromkeys(name for sample in samples for name in sample if name not in INPUTS)
    rows = {name: [i for i, sample in enumerate(samples) if name in sample] for name in names}
    return Batch(
        image=_stacked([sample["image"] for sample in samples], "image"),
        targets={name: _gathered([samples[i][name] for i in rows[name]], name) for name in names},
        rows={name: torch.tensor(index) for name, index in rows.items()},
        keys=tuple(str(sample["key"]) for sample in samples),
        rois=_boxes(samples, "rois"),
        proposals=_boxes(samples, "proposals"),
        sources=tuple(str(sample[SOURCE]) for sample in samples if SOURCE in sample),
    )


def _gathered(targets: Sequence[Any], name: str) -> Any:
    targets = [_with_size(target) if isinstance(target, tv_tensors.BoundingBoxes) else target for target in targets]
    mappings = [isinstance(target, Mapping) for target in targets]
    if not any(mappings):
        return _stacked(targets, name)
    if not all(mappings):
        raise TypeError(f"targets {name!r} of one batch are mappings and tensors: a task has one form of target")
    return [{part: _plain(value) for part, value in target.items()} for target in targets]


def _with_size(boxes: tv_tensors.BoundingBoxes) -> dict[str, Tensor]:
    """What BoundingBoxes know, in plain tensors, which can be moved and sent to other processes."""
    return {"boxes": boxes, "size": torch.tensor(boxes.canvas_size)}


def _boxes(samples: Sequence[Sample], name: str) -> tuple[Tensor, ...] | None:
    if not any(name in sample for sample in samples):
        return None
    return tuple(_plain(sample[name]) if name in sample else torch.zeros(0, 4) for sample in samples)


def _stacked(values: Sequence[Any], name: str) -> Tensor:
    plain = [_plain(value) for value in values]
    shapes = dict.fromkeys(tuple(value.shape) for value in plain)
    if len(shapes) > 1:
        raise ValueError(
            f"{name!r} of one batch has shapes {list(shapes)}: expected one; bring samples to one size "
            f"(Resize, RandomCrop, Fit), or read one at a time (batch_size=1)"
        )
    return torch.stack(plain)


def _plain(value: Any) -> Tensor:
    return torch.as_tensor(value).as_subclass(Tensor)


def _moved(value: Any, device: torch.device) -> Any:
    """Every tensor in `value` on `device`."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, Mapping):
        return {name: _moved(part, device) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_moved(part, device) for part in value)
    return value

"""Samples and batches: an image and the targets that exist for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from torch import Tensor

Sample = Mapping[str, Any]
"""``image`` (tv_tensors.Image, (3, H, W)), ``key`` (str, unique in its data set) and, under each task's name, its target.
A missing label is a missing key."""


@final
@dataclass(frozen=True)
class Batch:
    """Samples stacked.

    image: (B, 3, H, W) float32, as the network expects it.
    targets: {task: the targets of those samples that have one, stacked}.
    rows: {task: which samples of the batch those are, int64}.
    keys: the samples' keys.
    """

    image: Tensor
    targets: dict[str, Tensor]
    rows: dict[str, Tensor]
    keys: tuple[str, ...]

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
            targets={name: value.to(device) for name, value in self.targets.items()},
            rows={name: value.to(device) for name, value in self.rows.items()},
        )


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples of one image size; each task's targets are those of the samples that have one."""
    names = dict.fromkeys(name for sample in samples for name in sample if name not in ("image", "key"))
    rows = {name: [i for i, sample in enumerate(samples) if name in sample] for name in names}
    return Batch(
        image=torch.stack([torch.as_tensor(sample["image"]).as_subclass(Tensor) for sample in samples]),
        targets={
            name: torch.stack([torch.as_tensor(samples[i][name]).as_subclass(Tensor) for i in rows[name]]) for name in names
        },
        rows={name: torch.tensor(index) for name, index in rows.items()},
        keys=tuple(str(sample["key"]) for sample in samples),
    )

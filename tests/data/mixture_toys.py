"""Data sets of noise that label what they are told to."""

from __future__ import annotations

import torch

from taskweave.data.dataset import LabelledSet
from taskweave.data.transformed import Transformed


class Noise(LabelledSet):
    """Sample i is noise of its own; `a` is its mean over channels, `b` its first, others like `b`."""

    def __init__(self, size, labels, *, classes=(), objects=(), attributes=(), side=6, start=0, lacking=()):
        self.size, self._labels, self.side, self.start, self.lacking = size, tuple(labels), side, start, lacking
        self._names = (tuple(classes), tuple(objects), tuple(attributes))

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        if not 0 <= index < self.size:
            raise IndexError(index)
        image = torch.randn(3, self.side, self.side, generator=torch.Generator().manual_seed(self.start + index))
        targets = {name: image.mean(0, keepdim=True) if name == "a" else image[:1] for name in self._labels}
        kept = {} if index in self.lacking else targets
        return {"image": image, "key": str(index), **kept}

    @property
    def labels(self):
        return self._labels

    @property
    def classes(self):
        return self._names[0]

    @property
    def objects(self):
        return self._names[1]

    @property
    def attributes(self):
        return self._names[2]

    def key(self, index):
        return str(index)

    def scene(self, index):
        return str(index)


def shaken(sample):
    """A random transform, so that reading with another draw gives other pixels."""
    return {**sample, "image": sample["image"] + 0.1 * torch.randn(sample["image"].shape)}


def noise(size, labels, *, seed=0, **options):
    return Transformed(Noise(size, labels, **options), shaken, seed=seed)

"""Anybody's torch data set as one of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors

from taskweave.data.dataset import LabelledSet, NamedSet, require_labels
from taskweave.data.facts import SetFacts
from taskweave.data.sample import Sample

_NO_LABELS = ("image", "key", "scene", "rois", "source")


def facts_of(dataset: Dataset[Any], title: str) -> SetFacts:
    """What is known of a data set that states no facts: its own attributes where it has them, else its first sample.

    Args:
        dataset: Its samples are mappings with an "image" (3, H, W) and a target under each task's name. `labels`,
            `classes`, `objects`, `attributes` and `categories` are read off it where it has them, see `LabelledSet`.
        title: What people call it.
    """
    sample = _mapping(dataset, 0) if len(dataset) else None  # type: ignore[arg-type]
    if sample is None:
        raise ValueError(f"the data set {title} is empty")
    labels = tuple(getattr(dataset, "labels", ())) or tuple(name for name in sample if name not in _NO_LABELS)
    image = torch.as_tensor(sample["image"])
    return SetFacts(
        title=title,
        labels=labels,
        classes=tuple(getattr(dataset, "classes", ())),
        objects=tuple(getattr(dataset, "objects", ())),
        attributes=tuple(getattr(dataset, "attributes", ())),
        categories=dict(getattr(dataset, "categories", {})),
        size=(int(image.shape[-2]), int(image.shape[-1])),
    )


def labelled(dataset: Dataset[Any], facts: SetFacts) -> LabelledSet:
    """A data set as ours are: itself where it is one."""
    return dataset if isinstance(dataset, LabelledSet) else OwnSet(dataset, facts, facts.labels)


@final
class OwnSet(NamedSet):
    """A torch data set whose samples are mappings; keys and scenes are its samples' own, or their numbers.

    Plain images and plain maps of whole numbers become an Image and a Mask, so that transforms move them together; other
    targets that transforms must move are tensors of `taskweave.data` or torchvision's tv_tensors already.
    """

    def __init__(self, dataset: Dataset[Any], facts: SetFacts, labels: Sequence[str]) -> None:
        super().__init__(labels, facts)
        self.dataset = dataset
        self.facts = facts

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} is outside 0..{len(self) - 1} of {self.facts.title}")
        sample = _mapping(self.dataset, index)
        wanted = {name: _wrapped(name, sample[name]) for name in ("image", *self._labels) if name in sample}
        return {**wanted, "key": self.key(index)}

    def only(self, labels: Sequence[str]) -> OwnSet:
        return OwnSet(self.dataset, self.facts, require_labels(labels, self.facts.labels, self.facts.title))

    def key(self, index: int) -> str:
        named = getattr(self.dataset, "key", None)
        return str(named(index)) if callable(named) else str(index)

    def scene(self, index: int) -> str:
        named = getattr(self.dataset, "scene", None)
        return str(named(index)) if callable(named) else self.key(index)


def _mapping(dataset: Dataset[Any], index: int) -> Mapping[str, Any]:
    sample = dataset[index]
    if not isinstance(sample, Mapping) or "image" not in sample:
        raise ValueError(
            f"a sample of {type(dataset).__name__} is a mapping with an 'image' and a target under each task's name, got a "
            f"{type(sample).__name__}"
        )
    return sample


def _wrapped(name: str, value: Any) -> Any:
    if not isinstance(value, Tensor) or isinstance(value, tv_tensors.TVTensor):
        return value
    if name == "image":
        return tv_tensors.Image(value)
    return tv_tensors.Mask(value) if value.ndim == 2 and not value.is_floating_point() else value

"""Data sets, their samples, joint transforms and orders."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "Batch": "sample",
    "Sample": "sample",
    "collate": "sample",
    "LabelledSet": "dataset",
    "Depth": "tensors",
    "Normals": "tensors",
    "Scenes": "scenes",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in _HOME:
        return getattr(import_module(f"taskweave.data.{_HOME[name]}"), name)
    raise AttributeError(f"module 'taskweave.data' has no attribute {name!r}; it has {sorted(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from taskweave.data.dataset import LabelledSet as LabelledSet
    from taskweave.data.sample import Batch as Batch
    from taskweave.data.sample import Sample as Sample
    from taskweave.data.sample import collate as collate
    from taskweave.data.tensors import Depth as Depth
    from taskweave.data.tensors import Normals as Normals

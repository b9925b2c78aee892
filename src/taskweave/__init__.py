"""Taskweave weaves single-task vision networks into one multi-task network."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "FeatureShape": "taskweave.features",
    "ImageStatistics": "taskweave.images",
    "IMAGENET": "taskweave.images",
    "CAFFE": "taskweave.images",
    "Stream": "taskweave.streams.stream",
    "Step": "taskweave.streams.stream",
    "as_stream": "taskweave.streams.convert",
    "trace_stream": "taskweave.streams.tracing",
    "Unit": "taskweave.units.unit",
    "Identity": "taskweave.units.identity",
    "CrossStitch": "taskweave.units.cross_stitch",
    "NDDR": "taskweave.units.nddr",
    "CrossConnection": "taskweave.units.cross_connection",
    "Sluice": "taskweave.units.sluice",
    "LayerMixing": "taskweave.units.layer_mixing",
    "Shortcut": "taskweave.units.shortcut",
    "Connection": "taskweave.networks.connection",
    "Connected": "taskweave.networks.connected",
    "connect": "taskweave.networks.connecting",
    "share": "taskweave.networks.sharing",
    "share_latent": "taskweave.networks.latent",
    "check_start": "taskweave.networks.start",
    "calibrate": "taskweave.networks.start",
    "Recipe": "taskweave.evaluation.recipe",
    "run": "taskweave.evaluation.run",
    "compare": "taskweave.evaluation.comparison",
}
_ROOMS = (
    "cli", "data", "evaluation", "heads", "metrics", "networks", "recipes", "reporting", "streams", "tasks", "training",
    "units", "weighting",
)  # fmt: skip

__version__ = "0.1.0"
__all__ = ["__version__", *_HOME, *_ROOMS]


def __getattr__(name: str) -> Any:
    """Import a public name, or a room, when it is first asked for."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _ROOMS:
        return import_module(f"taskweave.{name}")
    raise AttributeError(f"module 'taskweave' has no attribute {name!r}; it has {sorted(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from taskweave.features import FeatureShape as FeatureShape
    from taskweave.images import CAFFE as CAFFE
    from taskweave.images import IMAGENET as IMAGENET
    from taskweave.images import ImageStatistics as ImageStatistics
    from taskweave.networks.connected import Connected as Connected
    from taskweave.networks.connecting import connect as connect
    from taskweave.networks.connection import Connection as Connection
    from taskweave.streams.stream import Step as Step
    from taskweave.streams.stream import Stream as Stream
    from taskweave.units.identity import Identity as Identity
    from taskweave.units.unit import Unit as Unit

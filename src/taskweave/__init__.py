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
    "ScaleLayer": "taskweave.units.scale_layer",
    "Sluice": "taskweave.units.sluice",
    "LayerMixing": "taskweave.units.layer_mixing",
    "Shortcut": "taskweave.units.shortcut",
    "Attention": "taskweave.units.attention",
    "CrossTalk": "taskweave.units.cross_talk",
    "Connection": "taskweave.weaving.connection",
    "Connected": "taskweave.weaving.connected",
    "connect": "taskweave.weaving.connect",
    "share": "taskweave.weaving.share",
    "share_latent": "taskweave.weaving.latent",
    "predict": "taskweave.weaving.predicting",
    "check_start": "taskweave.weaving.start",
    "calibrate": "taskweave.weaving.start",
    "Recipe": "taskweave.experiments.recipe",
    "run": "taskweave.experiments.one_run",
    "compare": "taskweave.experiments.comparison",
}
_ROOMS = (
    "cli", "data", "experiments", "heads", "metrics", "networks", "recipes", "reporting", "results", "streams", "tasks",
    "training", "units", "weaving", "weighting",
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


if TYPE_CHECKING:  # what is imported when asked for, for type checkers and editors
    from taskweave import cli as cli
    from taskweave import data as data
    from taskweave import experiments as experiments
    from taskweave import heads as heads
    from taskweave import metrics as metrics
    from taskweave import networks as networks
    from taskweave import recipes as recipes
    from taskweave import reporting as reporting
    from taskweave import results as results
    from taskweave import streams as streams
    from taskweave import tasks as tasks
    from taskweave import training as training
    from taskweave import units as units
    from taskweave import weaving as weaving
    from taskweave import weighting as weighting
    from taskweave.experiments.comparison import compare as compare
    from taskweave.experiments.one_run import run as run
    from taskweave.experiments.recipe import Recipe as Recipe
    from taskweave.features import FeatureShape as FeatureShape
    from taskweave.images import CAFFE as CAFFE
    from taskweave.images import IMAGENET as IMAGENET
    from taskweave.images import ImageStatistics as ImageStatistics
    from taskweave.streams.convert import as_stream as as_stream
    from taskweave.streams.stream import Step as Step
    from taskweave.streams.stream import Stream as Stream
    from taskweave.streams.tracing import trace_stream as trace_stream
    from taskweave.units.attention import Attention as Attention
    from taskweave.units.cross_connection import CrossConnection as CrossConnection
    from taskweave.units.cross_stitch import CrossStitch as CrossStitch
    from taskweave.units.cross_talk import CrossTalk as CrossTalk
    from taskweave.units.identity import Identity as Identity
    from taskweave.units.layer_mixing import LayerMixing as LayerMixing
    from taskweave.units.nddr import NDDR as NDDR
    from taskweave.units.scale_layer import ScaleLayer as ScaleLayer
    from taskweave.units.shortcut import Shortcut as Shortcut
    from taskweave.units.sluice import Sluice as Sluice
    from taskweave.units.unit import Unit as Unit
    from taskweave.weaving.connect import connect as connect
    from taskweave.weaving.connected import Connected as Connected
    from taskweave.weaving.connection import Connection as Connection
    from taskweave.weaving.latent import share_latent as share_latent
    from taskweave.weaving.predicting import predict as predict
    from taskweave.weaving.share import share as share
    from taskweave.weaving.start import calibrate as calibrate
    from taskweave.weaving.start import check_start as check_start

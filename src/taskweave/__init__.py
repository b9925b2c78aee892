"""Taskweave weaves single-task vision networks into one multi-task network."""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

__version__ = "0.1.0"

if TYPE_CHECKING:
    from taskweave import (
        cli as cli,
        data as data,
        experiments as experiments,
        heads as heads,
        metrics as metrics,
        networks as networks,
        recipes as recipes,
        reporting as reporting,
        results as results,
        streams as streams,
        tasks as tasks,
        training as training,
        units as units,
        weaving as weaving,
        weighting as weighting,
    )
    from taskweave.experiments.comparison import compare as compare
    from taskweave.experiments.methods.method import Method as Method
    from taskweave.experiments.one_run import run as run
    from taskweave.experiments.recipe import Recipe as Recipe
    from taskweave.experiments.starts.start import Start as Start
    from taskweave.features import FeatureShape as FeatureShape
    from taskweave.images import CAFFE as CAFFE, IMAGENET as IMAGENET, ImageStatistics as ImageStatistics
    from taskweave.parts import Part as Part, part as part
    from taskweave.streams.convert import as_stream as as_stream, trace_stream as trace_stream
    from taskweave.streams.stream import Step as Step, Stream as Stream
    from taskweave.units.attention import Attention as Attention
    from taskweave.units.cross_connection import CrossConnection as CrossConnection, CrossTalk as CrossTalk
    from taskweave.units.cross_stitch import CrossStitch as CrossStitch, ScaleLayer as ScaleLayer
    from taskweave.units.gathering import LayerMixing as LayerMixing, Shortcut as Shortcut
    from taskweave.units.nddr import NDDR as NDDR
    from taskweave.units.sluice import Sluice as Sluice
    from taskweave.units.unit import Identity as Identity, Unit as Unit
    from taskweave.weaving.connect import connect as connect
    from taskweave.weaving.connected import Connected as Connected, predict as predict
    from taskweave.weaving.plan import Connection as Connection
    from taskweave.weaving.share import share as share, share_latent as share_latent
    from taskweave.weaving.start import calibrate as calibrate, check_start as check_start
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
    __all__.append("__version__")

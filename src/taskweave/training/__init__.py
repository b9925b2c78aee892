"""Training: the loop, its options, optimisers and schedules, its stages, its files."""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.training.batches import Samples as Samples
    from taskweave.training.checks import NonFiniteLossError as NonFiniteLossError
    from taskweave.training.fabric import make_fabric as make_fabric
    from taskweave.training.loop import fit as fit
    from taskweave.training.monitor.monitor import Limits as Limits, Monitor as Monitor, Reference as Reference
    from taskweave.training.norms import SetStatistics as SetStatistics, read_statistics as read_statistics
    from taskweave.training.optimizers import (
        Schedule as Schedule,
        adam as adam,
        adamw as adamw,
        constant as constant,
        cosine as cosine,
        poly as poly,
        sgd as sgd,
        step as step,
    )
    from taskweave.training.options import Freeze as Freeze, TrainingOptions as TrainingOptions, WeightDecay as WeightDecay
    from taskweave.training.speed import settle as settle
    from taskweave.training.stages import load_streams as load_streams, train_singles as train_singles
    from taskweave.training.validation import (
        FitResult as FitResult,
        Metrics as Metrics,
        Validation as Validation,
        validate as validate,
    )
    from taskweave.training.weights import (
        WrongCheckpointError as WrongCheckpointError,
        load_stream_weights as load_stream_weights,
        load_weights as load_weights,
        read_state as read_state,
        save_weights as save_weights,
    )
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)

"""What stops a training: what does not fit, before or soon after it starts, and numbers that are not finite."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from typing import final

from taskweave.data.mixture import Mixture
from taskweave.tasks.task import Task
from taskweave.training.batches import Samples
from taskweave.training.options import TrainingOptions
from taskweave.weaving.connected import Connected
from taskweave.weighting.weighting import Weighting


def active_tasks(net: Connected, tasks: Mapping[str, Task], trained: Collection[str] | None) -> dict[str, Task]:
    """The tasks that are trained, in the order of the streams."""
    wanted = set(net.streams) if trained is None else set(trained)
    if not wanted or not wanted <= set(net.streams):
        raise ValueError(f"trained={sorted(wanted)} should name some of the streams {list(net.streams)}")
    if missing := sorted(wanted - set(tasks)):
        raise ValueError(f"there is no task for the streams {missing}; the tasks given are {list(tasks)}")
    return {name: tasks[name] for name in net.streams if name in wanted}


def check_data(
    train: Samples, validation: Samples | None, options: TrainingOptions, *, seed: int, wanted: Collection[str]
) -> None:
    """Check that the data can train and measure the tasks `wanted`.

    Raises:
        ValueError: A data set is empty, lacks labels for a task, or does not fit the options.
    """
    for what, data in (("training", train), ("validation", validation)):
        if data is not None and len(data) == 0:
            raise ValueError(f"the {what} data set is empty; check the folder and the split it was read from")
        if isinstance(data, Mixture):
            data.check_labelled(wanted)
    if isinstance(train, Mixture):
        reach = train.reach(options.batch_size, seed=seed, batches=options.steps * options.accumulate)
        train.check_labelled(wanted, visited=reach.visited)
    if validation is None and options.choose != "last":
        raise ValueError(f"choose={options.choose!r} needs validation data, got none; pass validation=, or choose='last'")
    if options.batch_norm == "per_data_set" and (not isinstance(train, Mixture) or train.mixed):
        raise ValueError(
            "batch_norm='per_data_set' needs a Mixture whose batches are of one data set each; take 'shared' or 'frozen'"
        )


def check_weighting(weighting: Weighting, wanted: Collection[str]) -> None:
    """Check, before the first batch, that a weighting covers every trained task.

    Raises:
        ValueError: The weighting lacks a task.
    """
    if missing := [name for name in wanted if name not in weighting.tasks]:
        raise ValueError(
            f"{type(weighting).__name__} is for the tasks {list(weighting.tasks)} and has no weight for {missing}; "
            "make it for all tasks that are trained"
        )


def warn_of_few_epochs(weighting: Weighting, epochs: float) -> None:
    """Warn if a training ends before its weighting has seen the epochs it needs."""
    if weighting.epochs_needed and epochs <= weighting.epochs_needed:
        warnings.warn(
            f"{type(weighting).__name__} goes by the losses of {weighting.epochs_needed} whole epochs, the training has "
            f"{epochs:.2g}: its weights never come to follow them. Train for more steps, or choose a shorter window or "
            "another weighting",
            stacklevel=2,
        )


def check_seen(wanted: Collection[str], seen: Collection[str]) -> None:
    """Check, once all samples have been read, that every task had a label.

    Raises:
        ValueError: A task never had a label.
    """
    if missing := [name for name in wanted if name not in seen]:
        raise ValueError(
            f"no sample of a whole epoch was labelled for {missing}; targets go by the task's name in a sample. "
            "Check the data set's labels, or leave the task out with trained="
        )


@final
class NonFiniteLossError(ArithmeticError):
    """A loss, a gradient or a weight became NaN or infinite; training stopped without saving it.

    Args:
        what: The value that is not finite, e.g. "the loss of task 'depth'".
        step: The number of the optimiser step, from 0.
        kept: A sentence for the message on what training can be resumed from.
    """

    def __init__(self, what: str, *, step: int, value: float, kept: str) -> None:
        super().__init__(
            f"{what} became {value} at step {step}; training stops. {kept} Lower optimizer.lr or the connections' rate "
            "(connection_lr), set clip, or look at the samples of this step"
        )
        self.what, self.step = what, step

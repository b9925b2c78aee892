"""What a training refuses before, or soon after, it starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from taskweave.data.mixture import Mixture
from taskweave.networks.connected import Connected
from taskweave.tasks.task import Task
from taskweave.training.batches import Samples
from taskweave.training.options import TrainingOptions


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
    """Raise ValueError for data that cannot train or measure the tasks `wanted`."""
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


def check_seen(wanted: Collection[str], seen: Collection[str]) -> None:
    """Once all samples were read every task must have had a label."""
    if missing := [name for name in wanted if name not in seen]:
        raise ValueError(
            f"no sample of a whole epoch was labelled for {missing}; targets go by the task's name in a sample. "
            "Check the data set's labels, or leave the task out with trained="
        )

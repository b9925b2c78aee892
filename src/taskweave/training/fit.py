"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from taskweave.data.sample import Batch
from taskweave.networks.connected import Connected
from taskweave.tasks.task import Task
from taskweave.training.batches import Samples, training_batches
from taskweave.training.checkpoint import open_folder
from taskweave.training.choice import better, reported, validation_steps
from taskweave.training.finished import WEIGHTS, read_finished, write_finished
from taskweave.training.groups import describe
from taskweave.training.logs import RunLog
from taskweave.training.options import TrainingOptions
from taskweave.training.progress import Progress, Silent
from taskweave.training.randomness import seeded
from taskweave.training.result import FitResult, Stopped, Validation
from taskweave.training.schedule import rates
from taskweave.training.speed import describe_speed, make_fabric, settle
from taskweave.training.state import Training
from taskweave.training.step import train_step
from taskweave.training.stopping import StopSignal
from taskweave.training.validate import validate
from taskweave.training.weights import load_weights, save_weights
from taskweave.weighting.fixed import Fixed
from taskweave.weighting.weighting import Weighting

if TYPE_CHECKING:
    from lightning.fabric import Fabric


def fit(
    net: Connected,
    tasks: Mapping[str, Task],
    train: Samples,
    options: TrainingOptions,
    *,
    folder: Path,
    seed: int,
    weighting: Weighting | None = None,
    trained: Collection[str] | None = None,
    validation: Samples | None = None,
    stop: StopSignal | None = None,
    progress: Progress | None = None,
    fabric: Fabric | None = None,
) -> FitResult:
    """Train `net` in place. If finished it ends with the kept weights, in eval mode.

    folder: resumed from where it holds a checkpoint of this training (on CPU bit-exact); a finished one is loaded and
        returned at once. Checkpoints, logs and at last `weights.safetensors` go there.
    seed: of the order of samples and of all randomness inside; the caller's random states are left as they were.
    weighting: default the sum of the losses.  trained: the tasks whose losses count and that are measured (default: all).
    validation: what the metrics are measured on.
    stop: asked after every step; without one Ctrl-C and SIGTERM are caught here (a second one aborts).
    Raises ValueError for tasks, data or options that do not fit, CannotSaveError, WrongCheckpointError (the folder holds
    another network or training), NonFiniteLossError.
    """
    progress, options = Silent() if progress is None else progress, settle(options)
    open_folder(folder)
    active = _active(net, tasks, trained)
    _check_data(train, validation, options)
    known_by = {"seed": seed, "samples": len(train), "trained": list(active), **options.determining()}
    done = read_finished(folder, net, known_by=known_by)
    if done is not None:
        net.eval()
        return done
    signal = StopSignal() if stop is None else stop
    with seeded(seed), signal.catching() if stop is None else nullcontext():
        run = Training(
            net,
            active,
            options,
            weighting=Fixed(dict.fromkeys(active, 1.0)) if weighting is None else weighting,
            fabric=make_fabric(options) if fabric is None else fabric,
            folder=folder,
            known_by=known_by,
        )
        return _watched(run, train, validation, seed=seed, stop=signal, progress=progress)


def _watched(
    run: Training, train: Samples, validation: Samples | None, *, seed: int, stop: StopSignal, progress: Progress
) -> FitResult:
    """The loop from where the folder's checkpoint left it, with its log and its progress."""
    run.resume()
    labels = [group.label for group in run.groups]
    log = RunLog(run.folder, list(run.tasks), labels, step=run.step, tensorboard=run.options.tensorboard)
    progress.note(f"{describe_speed(run.options)}\n{describe(run.groups)}")
    progress.begin("training", run.options.steps, done=run.step)
    try:
        return _loop(run, train, validation, seed=seed, stop=stop, log=log, progress=progress)
    finally:
        run.freezing.release()
        log.close()
        progress.end()


def _loop(
    run: Training,
    train: Samples,
    validation: Samples | None,
    *,
    seed: int,
    stop: StopSignal,
    log: RunLog,
    progress: Progress,
) -> FitResult:
    options = run.options
    per_step = options.batch_size * options.accumulate
    epoch = -(-len(train) // per_step)
    moments = set(validation_steps(options, epoch=epoch)) if validation is not None else set()
    batches: Iterator[Batch] = training_batches(
        train,
        batch_size=options.batch_size,
        seed=seed,
        first=run.step * options.accumulate,
        last=options.steps * options.accumulate,
        workers=options.workers,
    )
    while run.step < options.steps:
        if (reason := stop.reason) is not None:
            if run.step and run.saved != run.step:
                run.save()
            return _result(run, reason)
        train_step(run, batches)
        if run.step == epoch:
            _check_labels(run)
        _report(run, log, progress, epoch=run.step * per_step / len(train))
        if validation is not None and run.step in moments:
            _validate(run, validation, log, progress)
        if _save_is_due(run):
            run.save()
    return _finish(run)


def _report(run: Training, log: RunLog, progress: Progress, *, epoch: float) -> None:
    if run.step % run.options.log_every and run.step != run.options.steps:
        progress.advance(1)
        return
    losses = run.mean_losses()
    log.training(
        run.step,
        epoch=epoch,
        seconds=run.seconds,
        losses=losses,
        weights=run.weighting.weights(),
        rates=rates(run.optimizer),
    )
    run.losses.clear()
    progress.advance(1, losses)


def _validate(run: Training, validation: Samples, log: RunLog, progress: Progress) -> None:
    options = run.options
    with run.averaged():
        metrics = validate(
            run.forward,
            run.tasks,
            validation,
            batch_size=options.batch_size,
            workers=options.workers,
            fabric=run.fabric,
            progress=progress,
        )
        found = Validation(run.step, metrics)
        if options.choose == "best" and better(found, run.best, run.tasks):
            run.best = found
            save_weights(run.net, run.best_weights)
    run.history.append(found)
    log.validation(found)


def _save_is_due(run: Training) -> bool:
    options = run.options
    by_steps = options.checkpoint_every is not None and run.step % options.checkpoint_every == 0
    waited = time.monotonic() - run.saved_at
    return by_steps or (options.checkpoint_seconds is not None and waited >= options.checkpoint_seconds)


def _finish(run: Training) -> FitResult:
    run.check_weights()
    if run.best is not None:
        load_weights(run.net, run.best_weights)
    elif run.average is not None:
        run.average.load_into(run.net)
    save_weights(run.net, run.folder / WEIGHTS)
    result = _result(run, "finished")
    write_finished(run.folder, result, known_by=run.known_by)
    run.forget()
    run.net.eval()
    return result


def _result(run: Training, stopped: Stopped) -> FitResult:
    finished = stopped == "finished"
    return FitResult(
        stopped=stopped,
        step=run.step,
        metrics=reported(run.history, run.best, run.options) if finished else None,
        history=tuple(run.history),
        seconds=run.seconds,
        waited=run.waited,
        weights=run.folder / WEIGHTS if finished else None,
    )


def _active(net: Connected, tasks: Mapping[str, Task], trained: Collection[str] | None) -> dict[str, Task]:
    """The tasks that are trained, in the order of the streams."""
    wanted = set(net.streams) if trained is None else set(trained)
    if not wanted or not wanted <= set(net.streams):
        raise ValueError(f"trained={sorted(wanted)} should name some of the streams {list(net.streams)}")
    if missing := sorted(wanted - set(tasks)):
        raise ValueError(f"there is no task for the streams {missing}; the tasks given are {list(tasks)}")
    return {name: tasks[name] for name in net.streams if name in wanted}


def _check_data(train: Samples, validation: Samples | None, options: TrainingOptions) -> None:
    for what, data in (("training", train), ("validation", validation)):
        if data is not None and len(data) == 0:
            raise ValueError(f"the {what} data set is empty; check the folder and the split it was read from")
    if validation is None and options.choose != "last":
        raise ValueError(f"choose={options.choose!r} needs validation data, got none; pass validation=, or choose='last'")


def _check_labels(run: Training) -> None:
    """After one whole epoch every task must have had a label."""
    if missing := [name for name in run.tasks if name not in run.seen]:
        raise ValueError(
            f"no sample of a whole epoch was labelled for {missing}; targets go by the task's name in a sample. "
            "Check the data set's labels, or leave the task out with trained="
        )

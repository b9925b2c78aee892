"""The training loop."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskweave.data.mixture import Mixture
from taskweave.data.sample import Batch
from taskweave.progress import Progress, Reason, Silent, StopSignal
from taskweave.tasks.task import Task
from taskweave.training.batches import Samples, blocks_of, pace_of, training_batches
from taskweave.training.checkpoint import STATISTICS, WEIGHTS, RunLog, open_folder, read_finished, write_finished
from taskweave.training.checks import active_tasks, check_data, check_seen, check_weighting, warn_of_few_epochs
from taskweave.training.fabric import make_fabric
from taskweave.training.groups import describe, rates
from taskweave.training.monitor.cosines import never_together
from taskweave.training.monitor.monitor import Monitor
from taskweave.training.monitor.watch import Watch
from taskweave.training.norms import save_statistics
from taskweave.training.options import TrainingOptions
from taskweave.training.randomness import seeded
from taskweave.training.speed import describe_speed, settle
from taskweave.training.state import Training
from taskweave.training.stepping import train_step
from taskweave.training.validation import (
    FitResult,
    Metrics,
    Stopped,
    Validation,
    better,
    reported,
    validate,
    validation_steps,
)
from taskweave.training.weights import save_weights
from taskweave.weaving.connected import Connected
from taskweave.weighting.weighting import Fixed, Weighting

if TYPE_CHECKING:
    from lightning.fabric import Fabric

_APART = 1_000_003
"""Between the seeds of processes that train together."""


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
    monitor: Monitor | None = None,
    fabric: Fabric | None = None,
) -> FitResult:
    """Train a network in place.

    When training finishes, `net` has the weights that `options.choose` keeps and is in eval mode.

    Args:
        net: The network; it may have streams that are not trained.
        tasks: {stream: its task}, also of streams that are not trained if their networks read more than images.
        train: The training data. With a `taskweave.data.Mixture` each data set may label some of the tasks only: if a batch
            has no labels for a task, that task's head stays bit-identical; its stream still learns through the connections.
        options: How to train.
        folder: Where checkpoints, logs and the final weights (`weights.safetensors`) are written. If it already holds a
            checkpoint of this training, training resumes from it (bit-exact on CPU); if that training has finished, its
            result is loaded and returned.
        seed: Determines the order of the samples and all randomness inside; the caller's random states are restored.
        weighting: How task losses are combined. Stateful: create a new one for each training. Default: their sum.
        trained: The tasks whose losses count and whose metrics are measured. Default: all.
        validation: The data that metrics are measured on.
        stop: Asked after every step whether to stop. Default: Ctrl-C and SIGTERM stop after the step, a second one aborts.
        progress: Told how far training has come.
        monitor: Watches for negative transfer and changes no result. In several processes it sees the first one's part.
        fabric: Lightning Fabric, already launched. With several processes, which must all see `folder`, each trains on an
            even part of every batch and the first one writes the files; the result is that of one process, except for the
            statistics of batch norms, which are the first process's (freeze them).

    Returns:
        How far training came, and the metrics if it finished.

    Raises:
        ValueError: Tasks, data or options do not fit together.
        CannotSaveError: The folder cannot be written to, or the disk is full.
        WrongCheckpointError: The folder holds another network or another training.
        NonFiniteLossError: A loss, a gradient or a weight is NaN or infinite.
    """
    progress, options = Silent() if progress is None else progress, settle(options)
    open_folder(folder)
    active = active_tasks(net, tasks, trained)
    check_data(train, validation, options, seed=seed, wanted=active)
    weighting = Fixed(list(active)) if weighting is None else weighting
    check_weighting(weighting, active)
    known_by = _known_by(train, options, weighting, seed=seed, trained=list(active))
    done = read_finished(folder, net, known_by=known_by)
    if done is not None:
        net.eval()
        return done
    signal = StopSignal() if stop is None else stop
    fabric = make_fabric(options) if fabric is None else fabric
    # processes draw different noise (dropout), the first as if it were alone
    with seeded(seed + _APART * fabric.global_rank), signal.catching() if stop is None else nullcontext():
        run = Training(
            net,
            active,
            options,
            weighting=weighting,
            fabric=fabric,
            folder=folder,
            known_by=known_by,
            given={name: task for name, task in tasks.items() if name in net.streams},
            sets=list(train.sets) if isinstance(train, Mixture) else (),
            watch=_watch(monitor if fabric.global_rank == 0 else None, net, train, list(active), folder=folder),
        )
        watching = progress if run.ranks.leads else Silent()
        return _watched(run, train, validation, seed=seed, stop=signal, progress=watching)


def _watch(monitor: Monitor | None, net: Connected, train: Samples, active: list[str], *, folder: Path) -> Watch | None:
    if monitor is None:
        return None
    return Watch(monitor, net, active, folder=folder, apart=never_together(train, active))


def _known_by(
    train: Samples, options: TrainingOptions, weighting: Weighting, *, seed: int, trained: list[str]
) -> dict[str, Any]:
    known_by = {"seed": seed, "samples": len(train), "trained": trained, **options.determining()}
    if weighted_by := weighting.determining():
        known_by["weighting"] = weighted_by
    if blocks := blocks_of(train):
        known_by["blocks"] = len(blocks)
    if isinstance(train, Mixture):
        known_by["mixture"] = train.determining()
    return known_by


def _watched(
    run: Training, train: Samples, validation: Samples | None, *, seed: int, stop: StopSignal, progress: Progress
) -> FitResult:
    """The loop from where the folder's checkpoint left it, with its log and its progress."""
    run.resume()
    labels = [group.label for group in run.groups]
    log = (
        RunLog(
            run.folder,
            list(run.tasks),
            labels,
            step=run.step,
            monitored=run.watch.columns,
            tensorboard=run.options.tensorboard,
        )
        if run.ranks.leads
        else None
    )
    progress.note(f"{describe_speed(run.options)}\n{describe(run.groups)}")
    if run.watch.columns:
        run.watch.write()
        progress.note(run.watch.describe(steps=run.options.steps, log_every=run.options.log_every))
    progress.begin("training", run.options.steps, done=run.step)
    try:
        return _loop(run, train, validation, seed=seed, stop=stop, log=log, progress=progress)
    finally:
        run.freezing.release()
        if log is not None:
            log.close()
        progress.end()


def _loop(
    run: Training,
    train: Samples,
    validation: Samples | None,
    *,
    seed: int,
    stop: StopSignal,
    log: RunLog | None,
    progress: Progress,
) -> FitResult:
    options, pace = run.options, pace_of(train, run.options, seed=seed)
    warn_of_few_epochs(run.weighting, pace.epochs(options.steps))
    moments = set(validation_steps(options, epoch=pace.steps)) if validation is not None else set()
    batches: Iterator[Batch] = training_batches(
        train,
        batch_size=options.batch_size,
        seed=seed,
        first=run.step * options.accumulate,
        last=options.steps * options.accumulate,
        workers=options.workers,
        rank=run.ranks.number,
        ranks=run.ranks.count,
    )
    while run.step < options.steps:
        reason: Reason | None = run.ranks.of_leader(stop.reason)
        if reason is not None:
            if run.step and run.saved != run.step:
                run.save()
            return _result(run, reason)
        train_step(run, batches)
        if pace.ends_epoch(run.step):
            run.weighting.end_epoch()
        if run.step == pace.all_read:
            check_seen(run.tasks, run.seen)
        _report(run, log, progress, epoch=pace.epochs(run.step))
        if validation is not None and run.step in moments:
            _validate(run, validation, log, progress)
        if run.ranks.of_leader(run.save_is_due):
            run.save()
    return _finish(run)


def _report(run: Training, log: RunLog | None, progress: Progress, *, epoch: float) -> None:
    due = run.step % run.options.log_every == 0 or run.step == run.options.steps
    losses = run.mean_losses() if due else None
    if log is not None:
        log.monitor(run.step, run.watch.report(run.step, losses, progress))
    if losses is None:
        progress.advance(1)
        return
    if log is not None:
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


def _validate(run: Training, validation: Samples, log: RunLog | None, progress: Progress) -> None:
    with run.averaged():
        metrics = run.ranks.of_leader(_measured(run, validation, progress) if run.ranks.leads else None)
        found = Validation(run.step, metrics)
        if run.options.choose == "best" and better(found, run.best, run.tasks):
            run.keep_best(found)
    run.history.append(found)
    if log is not None:
        log.validation(found)


def _measured(run: Training, validation: Samples, progress: Progress) -> Metrics:
    return validate(
        run.forward,
        run.tasks,
        validation,
        batch_size=run.options.batch_size,
        workers=run.options.workers,
        fabric=run.fabric,
        progress=progress,
        others=run.given,
        statistics=run.statistics,
    )


def _finish(run: Training) -> FitResult:
    run.check_weights()
    run.take_kept()
    result = _result(run, "finished")
    if run.ranks.leads:
        save_weights(run.net, run.folder / WEIGHTS)
        if run.statistics is not None:
            save_statistics(run.statistics, run.folder / STATISTICS)
        write_finished(run.folder, result, known_by=run.known_by)
    run.ranks.of_leader(None)  # whoever returns finds the files
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
        statistics=run.folder / STATISTICS if finished and run.statistics is not None else None,
    )

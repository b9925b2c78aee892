"""One run: one training of one method with one seed, measured once on the test part, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

from pydantic import BaseModel, ConfigDict
from torch import nn

from taskweave.evaluation.averaging import Averaged
from taskweave.evaluation.bench import Bench
from taskweave.evaluation.building.data import for_testing, for_training
from taskweave.evaluation.building.networks import build_network
from taskweave.evaluation.building.weights import load_parents
from taskweave.evaluation.choices.start import PretrainedOnScenes
from taskweave.evaluation.planning import Run
from taskweave.evaluation.results import Direction, write_text
from taskweave.networks.connected import Connected
from taskweave.networks.ensemble import Ensemble
from taskweave.tasks.task import Task
from taskweave.training.checkpoint import open_folder
from taskweave.training.fit import fit
from taskweave.training.options import Adam, Poly, TrainingOptions
from taskweave.training.progress import Progress, Silent
from taskweave.training.randomness import seeded
from taskweave.training.result import FitResult
from taskweave.training.speed import make_fabric, settle
from taskweave.training.stopping import StopSignal
from taskweave.training.validate import validate
from taskweave.training.weights import load_weights
from taskweave.weighting.fixed import Fixed

RECORD = "run.json"


@final
class RunRecord(BaseModel):
    """``run.json``: what a finished run found. `content` is all that determines it; the folder is named by its hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    digest: str
    seed: int
    tasks: tuple[str, ...]
    metrics: dict[str, dict[str, float | None]]
    directions: dict[str, dict[str, Direction]]
    parameters: int
    flops: int
    seconds_per_step: float
    seconds: float
    steps: int
    content: dict[str, Any]


def folder_of(run: Run, folder: Path) -> Path:
    """Where a run lies under the folder of all results."""
    return folder / "runs" / run.digest


def find_record(run: Run, folder: Path) -> RunRecord | None:
    """What a finished run found; None where it is not finished. Raises ValueError for a record that cannot be read."""
    path = folder_of(run, folder) / RECORD
    if not path.is_file():
        return None
    try:
        return RunRecord.model_validate_json(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} cannot be read ({error}); delete its folder to train this run anew") from error


def train_run(
    run: Run, bench: Bench, *, folder: Path, stop: StopSignal | None = None, progress: Progress | None = None
) -> RunRecord | None:
    """Train a run whose parents are finished, measure it and store it; at once where it is stored already.

    Returns None where `stop` asked to stop before the end: the next call goes on from there.
    """
    record = find_record(run, folder)
    if record is not None:
        return record
    own = folder_of(run, folder)
    open_folder(own)
    here = bench.for_run(run)
    if run.role == "ensemble":
        return _measured_ensemble(run, here, folder=folder, progress=progress)
    with seeded(run.seed):
        net = build_network(run, here.tasks, here.example())
        load_parents(net, run, folder / "runs")
    result = _fit(run, here, net, folder=own, stop=stop, progress=progress)
    if not result.finished:
        return None
    metrics: Mapping[str, Mapping[str, float]] = {}
    if run.role != "start":
        measured = {name: here.tasks[name] for name in run.trained}
        reported = result.metrics if _reports_validations(run) else None
        metrics = reported or _measure(run, net, measured, here, progress=progress)
    return _store(run, bench, metrics, result, own=own)


def _options(run: Run) -> TrainingOptions:
    if run.options is not None:
        return run.options
    start = run.recipe.start
    assert isinstance(start, PretrainedOnScenes)
    return TrainingOptions(
        steps=start.steps, batch_size=start.batch_size, optimizer=Adam(lr=start.learning_rate), schedule=Poly()
    )


def _reports_validations(run: Run) -> bool:
    """Whether the mean over the last epochs on the test part itself is reported (MTAN's protocol): it chooses nothing.

    The one case in which the test part is read more than once.
    """
    return _options(run).choose == "mean_last"


def _fit(
    run: Run, bench: Bench, net: Connected, *, folder: Path, stop: StopSignal | None, progress: Progress | None
) -> FitResult:
    data, parts, options = bench.recipe.data, bench.parts, _options(run)
    part = parts.test if _reports_validations(run) else parts.validation
    weights = run.weights if run.role != "start" else dict.fromkeys(run.trained, 1.0)
    return fit(
        net,
        {name: bench.tasks[name] for name in run.tasks},
        for_training(parts.train, data, seed=run.seed),
        options,
        folder=folder,
        seed=run.seed,
        weighting=Fixed(weights),
        trained=run.trained,
        validation=None if part is None or options.choose == "last" else for_testing(part, data),
        stop=stop,
        progress=progress,
    )


def _measure(
    run: Run, net: nn.Module, tasks: Mapping[str, Task], bench: Bench, *, progress: Progress | None
) -> Mapping[str, Mapping[str, float]]:
    """The one reading of the test part."""
    options = run.parents[0].options if run.role == "ensemble" else run.options
    assert options is not None
    fabric = make_fabric(settle(options))
    net.to(fabric.device)
    return validate(
        net,
        tasks,
        for_testing(bench.parts.test, bench.recipe.data),
        batch_size=bench.recipe.evaluation.batch_size,
        fabric=fabric,
        progress=progress,
    )


def load_network(run: Run, bench: Bench, folder: Path) -> Connected:
    """A finished run's network with its weights, in eval mode."""
    here = bench.for_run(run)
    net = build_network(run, here.tasks, here.example())
    load_weights(net, folder_of(run, folder) / "weights.safetensors")
    return net.eval()


def load_ensemble(run: Run, bench: Bench, folder: Path) -> Ensemble:
    """A finished ensemble: its members with their weights."""
    return Ensemble([load_network(member, bench, folder) for member in run.parents]).eval()


def _measured_ensemble(run: Run, bench: Bench, *, folder: Path, progress: Progress | None) -> RunRecord:
    tasks = {name: Averaged(bench.tasks[name]) for name in run.trained}
    net = load_ensemble(run, bench, folder)
    metrics = _measure(run, net, tasks, bench, progress=progress or Silent())
    return _store(run, bench, metrics, None, own=folder_of(run, folder))


def _store(
    run: Run, bench: Bench, metrics: Mapping[str, Mapping[str, float]], result: FitResult | None, *, own: Path
) -> RunRecord:
    cost = bench.cost(run)
    finite = {t: {m: v if v == v else None for m, v in values.items()} for t, values in metrics.items()}
    record = RunRecord(
        title=run.title,
        digest=run.digest,
        seed=run.seed,
        tasks=run.trained,
        metrics=finite,
        directions={name: dict(bench.for_run(run).tasks[name].directions) for name in metrics},
        parameters=cost.parameters,
        flops=cost.flops,
        seconds_per_step=result.seconds_per_step if result is not None else 0.0,
        seconds=result.seconds if result is not None else 0.0,
        steps=run.steps_in_all,
        content=run.content,
    )
    write_text(own / "recipe.yaml", run.recipe.to_yaml())
    write_text(own / RECORD, record.model_dump_json(indent=2) + "\n")  # last: it says that the rest is whole
    return record

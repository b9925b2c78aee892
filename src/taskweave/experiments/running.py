"""One run: one training of one method with one seed, measured once on the test part, and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from taskweave.data.mixture import Mixture
from taskweave.data.mixture_order import RoundRobin
from taskweave.data.transformed import Transformed
from taskweave.experiments.artifacts.unit_weights import keep_unit_weights
from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import columns_of, further_columns, own_columns
from taskweave.experiments.data import MixtureOf
from taskweave.experiments.fingerprint import digest_of
from taskweave.experiments.launch.failures import noting_failure
from taskweave.experiments.measuring import measure
from taskweave.experiments.methods.method import connected
from taskweave.experiments.monitoring import monitor_of
from taskweave.experiments.plan import Run
from taskweave.experiments.prepare import for_testing, for_training, mixture_of
from taskweave.files import write_text
from taskweave.progress import Progress, Silent, StopSignal
from taskweave.results.image_statistics import has_images
from taskweave.results.run_files import RECORD, RunRecord, read_record
from taskweave.training.batches import Samples
from taskweave.training.checkpoint import WEIGHTS, open_folder
from taskweave.training.loop import fit
from taskweave.training.options import TrainingOptions
from taskweave.training.randomness import seeded
from taskweave.training.validation import FitResult
from taskweave.training.weights import save_weights
from taskweave.weaving.connected import Connected
from taskweave.weighting.weighting import Fixed, Weighting


def folder_of(run: Run, folder: Path) -> Path:
    """Where a run lies under the folder of all results."""
    return folder / "runs" / run.digest


def find_record(run: Run, folder: Path) -> RunRecord | None:
    """What a finished run found; None where it is not finished, or not all that its recipe asks for was measured yet.

    That is a further test, or what each image contributed, which runs of earlier versions have not kept. Such a run is
    measured anew from its weights, not trained anew. Raises ValueError for a record that cannot be read.
    """
    own = folder_of(run, folder)
    record = read_record(own)
    if record is None or any(record.tests.get(name) != known_by for name, known_by in _tests(run).items()):
        return None
    if record.metrics and not has_images(own):
        return None
    return record


def _tests(run: Run) -> dict[str, str]:
    """{column: what the further test behind it is known by}; another part of the run's own data by its name."""
    tests = run.recipe.further_tests
    return {
        column.name: digest_of(tests[column.data].identity()) if column.further else column.part
        for column in further_columns(run.recipe, run.measured)
    }


def train_run(
    run: Run, bench: Bench, *, folder: Path, stop: StopSignal | None = None, progress: Progress | None = None
) -> RunRecord | None:
    """Train a run whose parents are finished, measure it and store it; at once where it is stored already.

    Returns None where `stop` asked to stop before the end: the next call goes on from there. An error of this training
    alone is noted in its folder (see `failures`) and raised on. Call it inside the run's lock (see `jobs.attempting`).
    """
    record = find_record(run, folder)
    if record is not None:
        return record
    own = folder_of(run, folder)
    open_folder(own)
    here = bench.for_run(run)
    if run.schedule == "none":
        with noting_failure(own, run.title):
            _take_as_given(run, here, folder)
            return _measured_alone(run, here, folder=folder, progress=progress)
    with seeded(run.seed):
        net = connected(run.method.build(run, here.tasks, here.example()))
        run.method.load(net, run, folder / "runs")
    with noting_failure(own, run.title):
        found = _trained(run, here, net, own=own, stop=stop, progress=progress)
    if found is None:
        return None
    keep_unit_weights(net, run, own)
    return _store(run, bench, *found, own=own)


def _trained(
    run: Run, bench: Bench, net: Connected, *, own: Path, stop: StopSignal | None, progress: Progress | None
) -> tuple[Mapping[str, Mapping[str, float]], FitResult] | None:
    """Metrics and how it went; None where it was stopped before the end."""
    result = _fit(run, bench, net, folder=own, stop=stop, progress=progress)
    if not result.finished:
        return None
    metrics: Mapping[str, Mapping[str, float]] = {}
    if not run.first:
        reported = result.metrics if _reports_validations(run) else None
        columns = further_columns(run.recipe, run.measured)
        if reported is None:
            columns = (*own_columns(run.recipe, run.measured), *columns)
        metrics = {**(reported or {}), **measure(run, net, bench, columns, folder=own, progress=progress)}
    return metrics, result


def _options(run: Run) -> TrainingOptions:
    options: TrainingOptions | None = run.options
    assert options is not None, "what is not trained is measured alone"
    return options


def _reports_validations(run: Run) -> bool:
    """Whether the mean over the last epochs on the test part itself is reported (MTAN's protocol): it chooses nothing.

    The one case in which the test part is read more than once.
    """
    return _options(run).choose == "mean_last"


def _fit(
    run: Run, bench: Bench, net: Connected, *, folder: Path, stop: StopSignal | None, progress: Progress | None
) -> FitResult:
    options = _options(run)
    return fit(
        net,
        {name: bench.tasks[name] for name in run.tasks},
        _train_part(run, bench),
        options,
        folder=folder,
        seed=run.seed,
        weighting=_weighting(run, bench),
        trained=run.trained,
        validation=None if options.choose == "last" else _validation_part(run, bench),
        stop=stop,
        progress=progress,
        monitor=monitor_of(run, folder.parent),
    )


def check_weightings(runs: Sequence[Run], bench: Bench) -> None:
    """Raise ImportError where one needs an extra that is not installed: before the first training, not after hours."""
    for run in runs:
        if run.weighting is not None:
            run.weighting({task: bench.shapes_only[task] for task in run.trained})


def _weighting(run: Run, bench: Bench) -> Weighting:
    """A fresh one: the method's, where it has one, else the tasks' own weights."""
    if run.weighting is None:
        return Fixed(list(run.weights), weights=run.weights)
    return run.weighting({task: bench.tasks[task] for task in run.trained})


def _train_part(run: Run, bench: Bench) -> Samples:
    """What a run is trained on: the train part of its data set, or a mixture of those that label a task of it."""
    sets, data = run.sets, run.recipe.data
    parts = {name: bench.sets[name].train for name in sets}
    if len(sets) > 1 and isinstance(data, MixtureOf):
        return mixture_of(parts, sets, data, run.trained, seed=run.seed)
    ((name, one),) = sets.items()
    return for_training(parts[name], one, seed=run.seed)


def _validation_part(run: Run, bench: Bench) -> Samples | None:
    """What the weights are chosen on; the test parts themselves where the last validations' mean is reported."""
    views: dict[str, Transformed] = {}
    for name, one in run.sets.items():
        parts = bench.sets[name]
        part = parts.test if _reports_validations(run) else parts.validation
        if part is not None:
            views[name] = for_testing(part, one)
    return Mixture(views, RoundRobin()) if len(views) > 1 else next(iter(views.values()), None)


def load_network(run: Run, bench: Bench, folder: Path) -> nn.Module:
    """A finished run's network with its weights, in eval mode."""
    here = bench.for_run(run)
    net = run.method.build(run, here.tasks, here.example())
    run.method.restore(net, run, folder / "runs")
    return net.eval()


def _take_as_given(run: Run, bench: Bench, folder: Path) -> None:
    """Keep the weights of a network that was given trained, so that others start from them."""
    if not run.parents:
        save_weights(run.method.build(run, bench.tasks, bench.example()), folder_of(run, folder) / WEIGHTS)


def _measured_alone(run: Run, bench: Bench, *, folder: Path, progress: Progress | None) -> RunRecord:
    net, own = load_network(run, bench, folder), folder_of(run, folder)
    columns = (*own_columns(run.recipe, run.trained), *further_columns(run.recipe, run.trained))
    metrics = measure(run, net, bench, columns, folder=own, progress=progress or Silent())
    return _store(run, bench, metrics, None, own=own)


def _store(
    run: Run, bench: Bench, metrics: Mapping[str, Mapping[str, float]], result: FitResult | None, *, own: Path
) -> RunRecord:
    cost, before = bench.cost(run), read_record(own)
    finite = {t: {m: v if v == v else None for m, v in values.items()} for t, values in metrics.items()}
    tasks = {column.name: bench.tasks[column.task] for column in columns_of(run.recipe)} if metrics else {}
    ways = {name: dict(tasks[name].directions) for name in metrics}
    if before is not None:  # measured anew for a further test: those of other recipes stay
        finite, ways = {**before.metrics, **finite}, {**before.directions, **ways}
    record = RunRecord(
        title=run.title,
        digest=run.digest,
        seed=run.seed,
        tasks=run.measured,
        metrics=finite,
        directions=ways,
        tests={**({} if before is None else before.tests), **_tests(run)},
        weighting="" if run.weighting is None else run.weighting.name,
        parameters=cost.parameters,
        flops=cost.flops,
        seconds_per_step=result.seconds_per_step if result is not None else 0.0,
        seconds=result.seconds if result is not None else 0.0,
        steps=run.steps_in_all,
        content=run.content,
    )
    write_text(own / "recipe.yaml", bench.recipe.to_yaml())  # the run's own has its method's network and start in it
    write_text(own / RECORD, record.model_dump_json(indent=2) + "\n")  # last: it says that the rest is whole
    return record

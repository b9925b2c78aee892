"""What a comparison leaves in its folder: numbers, table and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from taskweave.evaluation.averaging import Averaged
from taskweave.evaluation.bench import Bench
from taskweave.evaluation.building.data import for_testing
from taskweave.evaluation.planning import Entry, Run
from taskweave.evaluation.results import ComparisonResult, write_text
from taskweave.evaluation.running import find_record, folder_of, load_ensemble, load_network
from taskweave.evaluation.summary import summarise
from taskweave.reporting.figures import side_by_side
from taskweave.reporting.formats import to_csv, to_markdown
from taskweave.reporting.tables import table_of
from taskweave.tasks.task import Task

RESULT, TABLE, NUMBERS, PICTURES = "comparison.json", "table.md", "table.csv", "pictures"


def write_tables(result: ComparisonResult, folder: Path) -> None:
    """comparison.json, table.md and table.csv, each whole or not at all."""
    table = table_of(result)
    write_text(folder / TABLE, to_markdown(table))
    write_text(folder / NUMBERS, to_csv(table))
    result.save(folder / RESULT)


def write_pictures(rows: Sequence[Entry], bench: Bench, *, root: Path, folder: Path) -> tuple[Path, ...]:
    """One PNG per task: a line per test picture with input, target and every finished method's prediction (first seed).

    root: holds the runs.  folder: the comparison's own.  Pictures are evenly spaced over the test part.
    """
    seed = bench.recipe.seeds[0]
    done = [e for e in rows if e.seed == seed and all(find_record(run, root) is not None for run in e.runs)]
    chosen = _evenly(len(bench.parts.test), bench.recipe.evaluation.pictures)
    if not done or not chosen:
        return ()
    columns: dict[str, dict[str, list[Tensor]]] = {name: {} for name in bench.tasks}
    _add_truth(columns, bench, chosen)
    for entry in done:
        for run in entry.runs:
            _add_predictions(columns, entry.method.title, run, bench=bench, chosen=chosen, root=root)
    place = folder / PICTURES
    place.mkdir(exist_ok=True)
    title = "" if bench.recipe.data.may_be_shown else "for your own use: these data may not be published"
    written: list[Path] = []
    for name, drawn in columns.items():
        written.append(side_by_side(drawn, place / f"{name}.png", title=title))
    return tuple(written)


def write_charts(rows: Sequence[Entry], result: ComparisonResult, *, root: Path, folder: Path) -> tuple[Path, ...]:
    """Gains as bars, and every training's losses: charts show no picture of the data."""
    from taskweave.reporting.charts import gain_bars, training_curves

    place = folder / PICTURES
    place.mkdir(exist_ok=True)
    written: list[Path] = []
    if any(summary.relative_gain is not None for summary in summarise(result)):
        written.append(gain_bars(table_of(result), place / "gains.png"))
    runs = {run.title: run for entry in rows for run in entry.runs if run.steps}
    logs = {title: folder_of(run, root) / "log.csv" for title, run in runs.items() if find_record(run, root) is not None}
    if logs:
        written.append(training_curves(logs, place / "losses.png"))
    return tuple(written)


def _evenly(count: int, wanted: int) -> list[int]:
    return [i * count // wanted for i in range(min(wanted, count))] if wanted else []


def _add_truth(columns: dict[str, dict[str, list[Tensor]]], bench: Bench, chosen: Sequence[int]) -> None:
    for index in chosen:
        sample = bench.parts.test[index]
        image = torch.as_tensor(sample["image"]).as_subclass(Tensor)
        for name, task in bench.tasks.items():
            target = sample.get(name)
            blank = torch.zeros_like(image)
            drawn = blank if target is None else task.picture(torch.as_tensor(target).as_subclass(Tensor))
            columns[name].setdefault("input", []).append(image)
            columns[name].setdefault("target", []).append(drawn)


def _add_predictions(
    columns: dict[str, dict[str, list[Tensor]]], title: str, run: Run, *, bench: Bench, chosen: Sequence[int], root: Path
) -> None:
    test = for_testing(bench.parts.test, bench.recipe.data)
    net: nn.Module = load_ensemble(run, bench, root) if run.role == "ensemble" else load_network(run, bench, root)
    with torch.no_grad():
        for index in chosen:
            image = torch.as_tensor(test[index]["image"])[None]
            size = (int(image.shape[-2]), int(image.shape[-1]))
            for name, output in net(image, run.trained).items():
                task: Task = bench.tasks[name]
                decoder = Averaged(task) if run.role == "ensemble" else task
                columns[name].setdefault(title, []).append(task.picture(decoder.decode(output, size)[0]))

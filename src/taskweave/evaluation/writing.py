"""What a comparison leaves in its folder: numbers, table and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from taskweave.evaluation.bench import Bench
from taskweave.evaluation.columns import Column, columns_of
from taskweave.evaluation.curves import read_curves
from taskweave.evaluation.drawing import drawn_prediction, drawn_truth
from taskweave.evaluation.masks import masks_of
from taskweave.evaluation.planning import Entry, Run
from taskweave.evaluation.recipe import Recipe
from taskweave.evaluation.results import ComparisonResult, write_text
from taskweave.evaluation.running import find_record, folder_of, load_ensemble, load_network
from taskweave.evaluation.summary import summarise
from taskweave.reporting.figures import side_by_side
from taskweave.reporting.formats import to_csv, to_markdown
from taskweave.reporting.tables import table_of

RESULT, TABLE, NUMBERS = "comparison.json", "table.md", "table.csv"
PICTURES, CHARTS = "pictures", "charts"


def write_tables(result: ComparisonResult, folder: Path) -> None:
    """comparison.json, table.md and table.csv, each whole or not at all."""
    table = table_of(result)
    write_text(folder / TABLE, to_markdown(table))
    write_text(folder / NUMBERS, to_csv(table))
    result.save(folder / RESULT)


def write_pictures(rows: Sequence[Entry], bench: Bench, *, root: Path, folder: Path) -> tuple[Path, ...]:
    """One PNG per test part: a line per picture with input, target and every finished method's prediction (first seed).

    root: holds the runs.  folder: the comparison's own.  Pictures are evenly spaced over the test part.
    """
    seed = bench.recipe.seeds[0]
    done = [e for e in rows if e.seed == seed and all(find_record(run, root) is not None for run in e.runs)]
    columns = _drawn(bench.recipe)
    chosen = {c.name: _evenly(len(bench.test(c)), bench.recipe.evaluation.pictures) for c in columns if done}
    if not any(chosen.values()):
        return ()
    drawn: dict[str, dict[str, list[Tensor]]] = {}
    for column in columns:
        images, targets = zip(*(drawn_truth(column, bench, index) for index in chosen[column.name]), strict=True)
        drawn[column.name] = {"input": list(images), "target": list(targets)}
    for entry in done:
        for run in entry.runs:
            _add_predictions(drawn, entry.method.title, run, bench=bench, chosen=chosen, root=root)
    place = folder / PICTURES
    place.mkdir(exist_ok=True)
    written: list[Path] = []
    for column in columns:
        title = _warning(column, bench)
        written.append(side_by_side(drawn[column.name], place / f"{file_name(column.name)}.png", title=title))
    return (*written, *_write_masks(done, bench, chosen, root=root, place=place))


def _drawn(recipe: Recipe) -> tuple[Column, ...]:
    """The tests, own and further; pictures that a network was trained on say little of it."""
    return tuple(column for column in columns_of(recipe) if column.part == "test")


def _warning(column: Column, bench: Bench) -> str:
    return "" if bench.choice(column).may_be_shown else "for your own use: these data may not be published"


def _write_masks(
    done: Sequence[Entry], bench: Bench, chosen: Mapping[str, Sequence[int]], *, root: Path, place: Path
) -> Iterator[Path]:
    """A PNG for each row whose network is built as one and has attention: masks of every block for up to two pictures."""
    from taskweave.reporting.attention import attention_figure

    column = columns_of(bench.recipe)[0]
    for entry in done:
        found = masks_of(entry, column, chosen[column.name][:2], bench=bench, root=root)
        if found is not None:
            words = [f"{entry.method.title}: attention masks, mean over channels", _warning(column, bench)]
            path = place / f"attention-{file_name(entry.method.title)}.png"
            yield attention_figure(*found, path, title="; ".join(word for word in words if word))


def file_name(name: str) -> str:
    """A name without what file systems refuse."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name)


def write_charts(rows: Sequence[Entry], result: ComparisonResult, *, root: Path, folder: Path) -> tuple[Path, ...]:
    """Metrics and gains as bars, losses and weights of trainings, detectors' curves (first seed): charts show no data."""
    from taskweave.reporting.gain_chart import gain_bars
    from taskweave.reporting.learning_curves import read_weights, training_curves, weight_curves
    from taskweave.reporting.metric_chart import metric_bars

    place = folder / CHARTS
    place.mkdir(exist_ok=True)
    written: list[Path] = []
    if any(summary.relative_gain is not None for summary in summarise(result)):
        table = table_of(result)
        written += [gain_bars(table, place / "gains.png"), metric_bars(table, place / "metrics.png")]
    runs = {run.title: run for entry in rows for run in entry.runs if run.steps}
    logs = {title: folder_of(run, root) / "log.csv" for title, run in runs.items() if find_record(run, root) is not None}
    if logs:
        written.append(training_curves(logs, place / "losses.png"))
    weighed = {title: log for title, log in logs.items() if runs[title].weighting is not None and read_weights(log)}
    if weighed:
        written.append(weight_curves(weighed, place / "weights.png"))
    done = [e for e in rows if e.seed == rows[0].seed and all(find_record(run, root) is not None for run in e.runs)]
    columns = dict.fromkeys(name for row in result.rows for name in row.metrics)
    return (*written, *_write_curves(done, list(columns), root=root, place=place))


def _write_curves(done: Sequence[Entry], columns: Sequence[str], *, root: Path, place: Path) -> Iterator[Path]:
    """A PNG for each column that has curves."""
    from taskweave.reporting.detection_curves import draw_curves

    for column in columns:
        of = {e.method.title: [c for run in e.runs for c in read_curves(folder_of(run, root), column)] for e in done}
        if any(of.values()):
            yield draw_curves(of, place / f"{file_name(column)}-curves.png")


def _evenly(count: int, wanted: int) -> list[int]:
    return [i * count // wanted for i in range(min(wanted, count))] if wanted else []


def _add_predictions(
    drawn: dict[str, dict[str, list[Tensor]]],
    title: str,
    run: Run,
    *,
    bench: Bench,
    chosen: Mapping[str, Sequence[int]],
    root: Path,
) -> None:
    net: nn.Module = load_ensemble(run, bench, root) if run.role == "ensemble" else load_network(run, bench, root)
    with torch.no_grad():
        for column in (column for column in _drawn(bench.recipe) if column.task in run.measured):
            drawn[column.name][title] = [
                drawn_prediction(net, run, column, bench=bench, index=index) for index in chosen[column.name]
            ]

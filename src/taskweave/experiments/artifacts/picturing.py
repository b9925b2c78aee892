"""Pictures of a comparison: test pictures with what every method says of them, and where attention looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from taskweave.experiments.artifacts.masks import masks_of
from taskweave.experiments.artifacts.predictions import drawn_prediction, drawn_truth
from taskweave.experiments.artifacts.trained import finished, network_behind
from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import Column, columns_of
from taskweave.experiments.plan import Entry, Run
from taskweave.experiments.recipe import Recipe
from taskweave.reporting.figures import side_by_side
from taskweave.results.file_names import distinct_names


def write_pictures(rows: Sequence[Entry], bench: Bench, *, root: Path, place: Path) -> tuple[Path, ...]:
    """One PNG per test part: a line per picture with input, target and every finished method's prediction (first seed).

    root: holds the runs.  place: where pictures go.  Pictures are evenly spaced over the test part.
    """
    done = finished(rows, root, seed=bench.recipe.seeds[0])
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
    written: list[Path] = []
    names = distinct_names(column.name for column in columns)
    for column in columns:
        told = drawn[column.name]
        legend = bench.tasks[column.task].legend([p for name, of in told.items() if name != "input" for p in of])
        title = "; ".join(word for word in (column.name, _warning(column, bench)) if word)
        written.append(side_by_side(told, place / f"{names[column.name]}.png", title=title, legend=legend))
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

    column, names = columns_of(bench.recipe)[0], distinct_names(entry.method.title for entry in done)
    for entry in done:
        found = masks_of(entry, column, chosen[column.name][:2], bench=bench, root=root)
        if found is not None:
            words = [f"{entry.method.title}: attention masks, mean over channels", _warning(column, bench)]
            path = place / f"attention-{names[entry.method.title]}.png"
            yield attention_figure(*found, path, title="; ".join(word for word in words if word))


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
    net = network_behind(run, bench, root)
    with torch.no_grad():
        for column in (column for column in _drawn(bench.recipe) if column.task in run.measured):
            drawn[column.name][title] = [
                drawn_prediction(net, run, column, bench=bench, index=index) for index in chosen[column.name]
            ]

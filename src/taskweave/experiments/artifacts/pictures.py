"""Pictures of a comparison: test pictures with what every method says of them, and where attention looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from taskweave.data.readers.files import IGNORE
from taskweave.experiments.artifacts.predictions import (
    as_picture,
    drawn_prediction,
    drawn_truth,
    finished,
    network_behind,
    predicted_value,
)
from taskweave.experiments.artifacts.sheets import side_by_side
from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import Column, columns_of, is_own_test
from taskweave.experiments.plan import Entry, Run
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.running import load_network
from taskweave.networks import attention_masks
from taskweave.results.folder import AttentionMasks, distinct_names, keep_attention
from taskweave.tasks.pictures import class_keys
from taskweave.tasks.task import Task
from taskweave.units.attention import Attention
from taskweave.weaving.connected import Connected


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
            _add_predictions(drawn, entry.row.title, run, bench=bench, chosen=chosen, root=root)
    written: list[Path] = []
    names = distinct_names(column.name for column in columns)
    for column in columns:
        told = drawn[column.name]
        legend = bench.tasks[column.task].legend([p for name, of in told.items() if name != "input" for p in of])
        title = "; ".join(word for word in (column.name, _warning(column, bench)) if word)
        written.append(side_by_side(told, place / f"{names[column.name]}.png", title=title, legend=legend))
    return tuple(written)


def _drawn(recipe: Recipe) -> tuple[Column, ...]:
    """The tests, own and further; pictures that a network was trained on say little of it."""
    return tuple(column for column in columns_of(recipe) if column.part == "test")


def _warning(column: Column, bench: Bench) -> str:
    return "" if bench.source(column).facts.may_be_shown else "for your own use: these data may not be published"


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


MASK, BOX = "segmentation", "box"


def write_masks_and_boxes(rows: Sequence[Entry], bench: Bench, *, root: Path, place: Path) -> tuple[Path, ...]:
    """``masks-and-boxes.png`` in `place` for a recipe with masks and a box per image: a line per test picture with its
    labels and what every finished method (first seed) says; () for other recipes.

    A method without one of the two tasks has the other alone.
    """
    recipe = bench.recipe
    columns = {column.task: column for column in columns_of(recipe) if is_own_test(column) and column.task in (MASK, BOX)}
    done = finished(rows, root, seed=recipe.seeds[0])
    if len(columns) < 2 or len({c.data for c in columns.values()}) > 1 or not done or not recipe.evaluation.pictures:
        return ()
    test, wanted = bench.test(columns[MASK]), recipe.evaluation.pictures
    chosen = [i * len(test) // wanted for i in range(min(wanted, len(test)))]
    samples = [test[index] for index in chosen]
    images = [as_picture(torch.as_tensor(sample["image"]).as_subclass(Tensor)) for sample in samples]
    drawn = {"input": images, "target": [_over(i, s, bench.tasks) for i, s in zip(images, samples, strict=True)]}
    for entry in done:
        values = _values(entry, columns, chosen, bench=bench, root=root)
        drawn[entry.row.title] = [_over(i, v, bench.tasks) for i, v in zip(images, values, strict=True)]
    title = "; ".join(word for word in ("masks and boxes", _warning(columns[MASK], bench)) if word)
    legend = class_keys(bench.tasks[MASK].classes)[1:]  # the first is the background
    return (side_by_side(drawn, place / "masks-and-boxes.png", title=title, legend=legend),)


@torch.no_grad()
def _values(
    entry: Entry, columns: Mapping[str, Column], chosen: Sequence[int], *, bench: Bench, root: Path
) -> list[dict[str, Any]]:
    """{task: prediction} for every chosen picture."""
    found: list[dict[str, Any]] = [{} for _ in chosen]
    for run in entry.runs:
        told = [column for task, column in columns.items() if task in run.measured]
        net = network_behind(run, bench, root) if told else None
        for column in told:
            assert net is not None
            for values, index in zip(found, chosen, strict=True):
                values[column.task] = predicted_value(net, run, column, bench=bench, index=index)
    return found


def _over(image: Tensor, values: Mapping[str, Any], tasks: Mapping[str, Task]) -> Tensor:
    """A picture with its mask's colours, background left as it is, and its box; of what `values` have."""
    if MASK in values:
        mask = torch.as_tensor(values[MASK]).as_subclass(Tensor)
        inside = (mask > 0) & (mask != IGNORE)
        image = torch.where(inside, image // 2 + tasks[MASK].picture(mask) // 2, image)
    if BOX in values:
        lines = tasks[BOX].over(torch.zeros_like(image), values[BOX])
        image = torch.where((lines != 0).any(0), lines, image)
    return image


def write_attention(rows: Sequence[Entry], bench: Bench, *, root: Path, place: Path) -> Iterator[Path]:
    """An .npz for each row whose network is built as one and has attention: masks of every block for up to two pictures.

    Of the first seed, on evenly spaced pictures of the first test.
    """
    column, done = columns_of(bench.recipe)[0], finished(rows, root, seed=bench.recipe.seeds[0])
    names, part = distinct_names(entry.row.title for entry in done), bench.test(column)
    chosen = _evenly(len(part), bench.recipe.evaluation.pictures)[:2]
    for entry in done if chosen else ():
        net = load_network(entry.runs[0], bench, root) if len(entry.runs) == 1 else None
        if not isinstance(net, Connected) or not any(isinstance(module, Attention) for module in net.modules()):
            continue
        images = torch.stack([as_picture(torch.as_tensor(part[i]["image"]).as_subclass(Tensor)) for i in chosen])
        masks = attention_masks(net, bench.recipe.data.image_statistics.normalise(images))
        words = [f"{entry.row.title}: attention masks, mean over channels", _warning(column, bench)]
        means = {task: [block.float().mean(1).cpu().numpy() for block in blocks] for task, blocks in masks.items()}
        attention = AttentionMasks("; ".join(word for word in words if word), images.numpy(), means)
        yield keep_attention(attention, place / f"{names[entry.row.title]}.npz")

"""The charts of a comparison: each where it applies. They show numbers, never data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from taskweave.experiments.artifacts.curves import read_curves
from taskweave.experiments.artifacts.unit_weights import stored_unit_weights
from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import Entry, Run
from taskweave.experiments.running import folder_of
from taskweave.files import write_text
from taskweave.reporting.learned import PlaceLink
from taskweave.results.comparison import ComparisonResult
from taskweave.results.file_names import distinct_names, file_name
from taskweave.results.gains import GAIN_KIND
from taskweave.results.summary import summarise


@final
@dataclass(frozen=True)
class Drawn:
    """What charts are drawn from.

    rows: those whose runs are all stored.  root: holds the runs.  place: where charts go.
    """

    rows: Sequence[Entry]
    result: ComparisonResult
    bench: Bench
    root: Path
    place: Path

    @property
    def methods(self) -> dict[str, list[Entry]]:
        """{method: its rows, a seed each}, in the order of the recipe."""
        found: dict[str, list[Entry]] = {}
        for entry in self.rows:
            found.setdefault(entry.method.title, []).append(entry)
        return found

    @property
    def first(self) -> list[Entry]:
        """The rows of the first seed."""
        return [entry for entry in self.rows if entry.seed == self.bench.recipe.seeds[0]]

    def files(self, name: str, *, of: Callable[[Run], bool] = lambda run: True) -> dict[str, list[list[Path]]]:
        """{method: for every seed, the files of this name that its trained runs have}."""
        return {
            method: [
                [path for run in entry.runs if of(run) and (path := folder_of(run, self.root) / name).is_file()]
                for entry in entries
            ]
            for method, entries in self.methods.items()
        }


Part = Callable[[Drawn], Iterable[Path]]
"""Draws one chart or some, and yields their PNGs; nothing where it does not apply."""


def bars(drawn: Drawn) -> Iterator[Path]:
    """Gains, and every metric."""
    from taskweave.reporting.gain_chart import gain_bars
    from taskweave.reporting.metric_chart import metric_bars
    from taskweave.reporting.tables import table_of

    if not drawn.result.rows:
        return
    table = table_of(drawn.result)
    gains = {summary.method: summary.gains.get(GAIN_KIND) for summary in summarise(drawn.result)}
    seeds = {method: [seed.value for seed in gain.seeds] for method, gain in gains.items() if gain is not None}
    if seeds:
        yield gain_bars(table, drawn.place / "gains.png", seeds=seeds)
    if any(column.kind == "metric" for column in table.columns):
        yield metric_bars(table, drawn.place / "metrics.png")


def learning(drawn: Drawn) -> Iterator[Path]:
    """Losses, the weights of weightings, and validations."""
    from taskweave.reporting.learning_curves import (
        read_losses,
        read_validations,
        read_weights,
        training_curves,
        validation_curves,
        weight_curves,
    )

    logs = drawn.files("log.csv")
    if _any(logs, read_losses):
        yield training_curves(logs, drawn.place / "losses.png")
    weighed = drawn.files("log.csv", of=lambda run: run.weighting is not None)
    if _any(weighed, read_weights):
        yield weight_curves(weighed, drawn.place / "weights.png")
    tables = drawn.files("validation.csv")
    if _any(tables, read_validations):
        yield validation_curves(tables, drawn.place / "validation.png")


def _any(files: Mapping[str, Sequence[Sequence[Path]]], read: Callable[[Path], object]) -> bool:
    return any(read(path) for seeds in files.values() for paths in seeds for path in paths)


def detection(drawn: Drawn) -> Iterator[Path]:
    """Precision over recall and miss rate over false positives, for each column that has such; of the first seed."""
    from taskweave.reporting.detection_curves import draw_curves

    seeds = drawn.bench.recipe.seeds
    title = f"seed {seeds[0]}, the first of {len(seeds)}" if len(seeds) > 1 else ""
    for column in dict.fromkeys(name for row in drawn.result.rows for name in row.metrics):
        of = {
            entry.method.title: [c for run in entry.runs for c in read_curves(folder_of(run, drawn.root), column)]
            for entry in drawn.first
        }
        if any(of.values()):
            yield draw_curves(of, drawn.place / f"{file_name(column)}-curves.png", title=title)


def connections(drawn: Drawn) -> Iterator[Path]:
    """What connections learned: alpha values of each method (its first seed), the sharing map, and its numbers as JSON."""
    from taskweave.reporting.alpha_chart import draw_alphas
    from taskweave.reporting.sharing_map import draw_sharing_map

    found = {method: {entry.seed: _links(entry, drawn) for entry in entries} for method, entries in drawn.methods.items()}
    found = {method: seeds for method, seeds in found.items() if any(seeds.values())}
    for method, name in distinct_names(found).items():
        seed, links = next((seed, links) for seed, links in found[method].items() if links)
        if any(link.alphas for link in links):
            title = f"{method}: alpha values{_told(seed, drawn)}"
            yield draw_alphas(links, drawn.place / f"alphas-{name}.png", title=title)
    links_of = {method: [links for links in seeds.values() if links] for method, seeds in found.items()}
    crossing = {method: seeds for method, seeds in links_of.items() if any(not link.own for one in seeds for link in one)}
    if crossing:
        yield draw_sharing_map(crossing, drawn.place / "sharing-map.png")
        numbers = {method: [[_numbers(link) for link in links] for links in seeds] for method, seeds in links_of.items()}
        write_text(drawn.place / "sharing-map.json", json.dumps(numbers, indent=1, ensure_ascii=False) + "\n")


def _told(seed: int, drawn: Drawn) -> str:
    """Which seed a chart of one training is of, where there are several."""
    return f" (seed {seed})" if len(drawn.bench.recipe.seeds) > 1 else ""


def _links(entry: Entry, drawn: Drawn) -> list[PlaceLink]:
    return [link for run in entry.runs for link in stored_unit_weights(run, drawn.bench, drawn.root)]


def _numbers(link: PlaceLink) -> dict[str, object]:
    return {
        "place": link.place,
        "source": link.source,
        "destination": link.destination,
        "norm": link.norm,
        "relative": link.relative,
    }


def transfer(drawn: Drawn) -> Iterator[Path]:
    """What the monitor of negative transfer saw: gaps, and each method's cosines of gradients (its first seed)."""
    from taskweave.reporting.learning_curves import Curves
    from taskweave.reporting.transfer_chart import cosine_map, gap_curves, read_cosines, read_gaps

    logs = drawn.files("monitor.csv")
    if _any(logs, read_gaps):
        yield gap_curves(logs, drawn.place / "transfer-gaps.png")
    found: dict[str, tuple[str, dict[str, Curves]]] = {}
    for method, entries in drawn.methods.items():
        for entry, paths in zip(entries, logs[method], strict=True):
            cosines = {pair: curves for path in paths for pair, curves in read_cosines(path).items()}
            if cosines:
                found.setdefault(method, (f"{method}{_told(entry.seed, drawn)}", cosines))
    for method, name in distinct_names(found).items():
        title, cosines = found[method]
        yield cosine_map(cosines, drawn.place / f"transfer-cosines-{name}.png", title=title)


def classes(drawn: Drawn) -> Iterator[Path]:
    """The gain over the baseline in every class and attribute, by the number of labels; the means as JSON."""
    from taskweave.experiments.artifacts.class_gains import class_gain_tables, least_labelled_means
    from taskweave.reporting.class_gains import draw_class_gains

    tables = class_gain_tables(drawn.methods, drawn.result, drawn.bench.recipe, root=drawn.root, folder=drawn.place.parent)
    names = distinct_names(f"class-gains-{table.column}-{table.metric}" for table in tables)
    for table, name in zip(tables, names.values(), strict=True):
        title = f"{table.column} {table.metric}"
        yield draw_class_gains(table.methods, drawn.place / f"{name}.png", metric=title, unit=f"{table.unit}, train")
    if tables:
        write_text(drawn.place / "class-gains.json", json.dumps(least_labelled_means(tables), indent=1) + "\n")


def faces(drawn: Drawn) -> Iterable[Path]:
    """Ages and genders, of recipes that have such."""
    from taskweave.experiments.artifacts.histograms import write_face_histograms

    return write_face_histograms(drawn.rows, drawn.bench, root=drawn.root, place=drawn.place)[:1]


PARTS: dict[str, Part] = {
    "gains and metrics": bars,
    "learning curves": learning,
    "detectors' curves": detection,
    "connections": connections,
    "classes": classes,
    "negative transfer": transfer,
    "faces": faces,
}
"""Every kind of chart, in the order in which they are drawn. A new one is one function and one line."""

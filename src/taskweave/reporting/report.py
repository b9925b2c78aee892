"""A comparison's folder in, its table, charts and page out: everything is drawn from files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import final

from taskweave.files import write_text
from taskweave.progress import Progress, Silent
from taskweave.reporting.formats import to_csv, to_markdown
from taskweave.reporting.tables import table_of
from taskweave.results.class_gains import class_gain_tables, least_labelled_means
from taskweave.results.comparison import ComparisonResult, Row
from taskweave.results.folder import (
    ATTENTION,
    CHARTS,
    NUMBERS,
    PAGE,
    PICTURES,
    TABLE,
    distinct_names,
    draw_all,
    file_name,
    read_attention,
    read_comparison,
    read_faces,
    runs_of,
)
from taskweave.results.gains import GAIN_KIND
from taskweave.results.run_files import (
    LOG,
    MONITOR,
    VALIDATION,
    Curves,
    PlaceLink,
    read_cosines,
    read_curves,
    read_gaps,
    read_losses,
    read_record,
    read_units,
    read_validations,
    read_weights,
)
from taskweave.results.summary import summarise


def write_report(folder: Path, *, progress: Progress | None = None) -> tuple[Path, ...]:
    """Write table.md, table.csv, charts/ and report.html of a comparison from its files, and pictures of attention.

    Args:
        folder: The comparison's, beside which its runs lie.
        progress: Told of each kind of chart. One that cannot be drawn is noted and costs no other; a chart that an
            earlier report drew and this one does not is deleted.

    Returns:
        What was drawn, without the SVG beside each chart's PNG.

    Raises:
        OSError: A file cannot be read or written.
        ValueError: The folder holds no comparison.
    """
    from taskweave.reporting.page import write_page

    result = read_comparison(folder)
    table = table_of(result)
    write_text(folder / TABLE, to_markdown(table))
    write_text(folder / NUMBERS, to_csv(table))
    drawn = write_charts(folder, progress=progress)
    write_page(folder, folder / PAGE)
    return drawn


def write_charts(folder: Path, *, progress: Progress | None = None) -> tuple[Path, ...]:
    """Write only the charts and attention pictures; arguments, results and errors are those of `write_report`."""
    source = Source(read_comparison(folder), folder)
    parts: dict[str, Callable[[], Iterable[Path]]] = {what: partial(part, source) for what, part in PARTS.items()}
    return draw_all(parts, folder, by="report", progress=progress or Silent())


@final
@dataclass(frozen=True)
class Source:
    """What charts are drawn from: a comparison and its folder."""

    result: ComparisonResult
    folder: Path

    @property
    def place(self) -> Path:
        """Where charts go."""
        return self.folder / CHARTS

    @property
    def methods(self) -> dict[str, tuple[Row, ...]]:
        """{method: its rows, a seed each}, in the order of the recipe."""
        return {method: self.result.rows_of(method) for method in self.result.methods}

    @property
    def first(self) -> list[Row]:
        """The rows of the recipe's first seed."""
        return [row for row in self.result.rows if row.seed in self.result.seeds[:1]]

    def files(self, name: str, *, of: Callable[[Path], bool] = lambda run: True) -> dict[str, list[list[Path]]]:
        """{method: for every seed, the files of this name that its trained runs have}."""
        return {
            method: [
                [path for run in runs_of(row, self.folder) if (path := run / name).is_file() and of(run)] for row in rows
            ]
            for method, rows in self.methods.items()
        }

    def told(self, seed: int) -> str:
        """Which seed a chart of one training is of, where there are several."""
        return f" (seed {seed})" if len(self.result.seeds) > 1 else ""


Part = Callable[[Source], Iterable[Path]]
"""Draws one chart or some, and yields their PNGs; nothing where it does not apply."""


def bars(source: Source) -> Iterator[Path]:
    """Gains, and every metric."""
    from taskweave.reporting.bar_charts import gain_bars, metric_bars

    if not source.result.rows:
        return
    table = table_of(source.result)
    gains = {summary.method: summary.gains.get(GAIN_KIND) for summary in summarise(source.result)}
    seeds = {method: [seed.value for seed in gain.seeds] for method, gain in gains.items() if gain is not None}
    if seeds:
        yield gain_bars(table, source.place / "gains.png", seeds=seeds)
    if any(column.kind == "metric" for column in table.columns):
        yield metric_bars(table, source.place / "metrics.png")


def sweep(source: Source) -> Iterator[Path]:
    """The values of a sweep, as soon as one can be compared."""
    from taskweave.reporting.sweep_chart import sweep_chart

    result, swept = source.result, source.result.sweep
    if swept is None or result.baseline not in result.methods:
        return
    if {point.method for point in swept.points} & set(result.methods):
        yield sweep_chart(result, swept, source.place / f"sweep-{swept.axis}.png")


def learning(source: Source) -> Iterator[Path]:
    """Losses, the weights of weightings, and validations."""
    from taskweave.reporting.curve_charts import training_curves, validation_curves, weight_curves

    logs = source.files(LOG)
    if _any(logs, read_losses):
        yield training_curves(logs, source.place / "losses.png")
    weighed = source.files(LOG, of=_is_weighed)
    if _any(weighed, read_weights):
        yield weight_curves(weighed, source.place / "weights.png")
    tables = source.files(VALIDATION)
    if _any(tables, read_validations):
        yield validation_curves(tables, source.place / "validation.png")


def _is_weighed(run: Path) -> bool:
    """Whether a run's losses have weights of a method's own."""
    record = read_record(run)
    return record is not None and record.weighting != ""


def _any(files: Mapping[str, Sequence[Sequence[Path]]], read: Callable[[Path], object]) -> bool:
    return any(read(path) for seeds in files.values() for paths in seeds for path in paths)


def detection(source: Source) -> Iterator[Path]:
    """Precision over recall and miss rate over false positives, for each column that has such; of the first seed."""
    from taskweave.reporting.curve_charts import draw_curves

    seeds = source.result.seeds
    title = f"seed {seeds[0]}, the first of {len(seeds)}" if len(seeds) > 1 else ""
    for column in dict.fromkeys(name for row in source.result.rows for name in row.metrics):
        of = {
            row.method: [curve for run in runs_of(row, source.folder) for curve in read_curves(run, column)]
            for row in source.first
        }
        if any(of.values()):
            yield draw_curves(of, source.place / f"{file_name(column)}-curves.png", title=title)


def connections(source: Source) -> Iterator[Path]:
    """What connections learned: alpha values of each method (its first seed), the sharing map, and its numbers as JSON."""
    from taskweave.reporting.unit_charts import draw_alphas, draw_sharing_map

    found = {
        method: {row.seed: [link for run in runs_of(row, source.folder) for link in read_units(run)] for row in rows}
        for method, rows in source.methods.items()
    }
    found = {method: seeds for method, seeds in found.items() if any(seeds.values())}
    for method, name in distinct_names(found).items():
        seed, links = next((seed, links) for seed, links in found[method].items() if links)
        if any(link.alphas for link in links):
            title = f"{method}: alpha values{source.told(seed)}"
            yield draw_alphas(links, source.place / f"alphas-{name}.png", title=title)
    links_of = {method: [links for links in seeds.values() if links] for method, seeds in found.items()}
    crossing = {method: seeds for method, seeds in links_of.items() if any(not link.own for one in seeds for link in one)}
    if crossing:
        yield draw_sharing_map(crossing, source.place / "sharing-map.png")
        numbers = {method: [[_numbers(link) for link in links] for links in seeds] for method, seeds in links_of.items()}
        write_text(source.place / "sharing-map.json", json.dumps(numbers, indent=1, ensure_ascii=False) + "\n")


def _numbers(link: PlaceLink) -> dict[str, object]:
    return {name: value for name, value in asdict(link).items() if name not in ("own", "alphas")}


def transfer(source: Source) -> Iterator[Path]:
    """What the monitor of negative transfer saw: gaps, and each method's cosines of gradients (its first seed)."""
    from taskweave.reporting.curve_charts import cosine_map, gap_curves

    logs = source.files(MONITOR)
    if _any(logs, read_gaps):
        yield gap_curves(logs, source.place / "transfer-gaps.png")
    found: dict[str, tuple[str, dict[str, Curves]]] = {}
    for method, rows in source.methods.items():
        for row, paths in zip(rows, logs[method], strict=True):
            cosines = {pair: curves for path in paths for pair, curves in read_cosines(path).items()}
            if cosines:
                found.setdefault(method, (f"{method}{source.told(row.seed)}", cosines))
    for method, name in distinct_names(found).items():
        title, cosines = found[method]
        yield cosine_map(cosines, source.place / f"transfer-cosines-{name}.png", title=title)


def classes(source: Source) -> Iterator[Path]:
    """The gain over the baseline in every class and attribute, by the number of labels; the means as JSON."""
    from taskweave.reporting.bar_charts import draw_class_gains

    tables = class_gain_tables(source.result, source.folder)
    names = distinct_names(f"class-gains-{table.column}-{table.metric}" for table in tables)
    for table, name in zip(tables, names.values(), strict=True):
        title = f"{table.column} {table.metric}"
        yield draw_class_gains(table.methods, source.place / f"{name}.png", metric=title, unit=f"{table.unit}, train")
    if tables:
        write_text(source.place / "class-gains.json", json.dumps(least_labelled_means(tables), indent=1) + "\n")


def faces(source: Source) -> Iterator[Path]:
    """Ages and genders, of recipes that have such."""
    series, genders = read_faces(source.folder)
    if series:
        from taskweave.reporting.bar_charts import face_histograms

        yield face_histograms(series, source.place / "faces.png", genders=genders, title=source.result.name)[0]


def attention(source: Source) -> Iterator[Path]:
    """Masks of every block on test pictures; these show data and lie among the pictures."""
    for path in sorted((source.folder / ATTENTION).glob("*.npz")):
        from taskweave.reporting.unit_charts import attention_figure

        kept = read_attention(path)
        masks = {task: [block[:, None] for block in blocks] for task, blocks in kept.masks.items()}
        to = source.folder / PICTURES / f"attention-{path.stem}.png"
        yield attention_figure(kept.images, masks, to, title=kept.title)


PARTS: dict[str, Part] = {
    "gains and metrics": bars,
    "the sweep": sweep,
    "learning curves": learning,
    "detectors' curves": detection,
    "connections": connections,
    "classes": classes,
    "negative transfer": transfer,
    "faces": faces,
    "attention": attention,
}
"""Every kind of chart, in the order in which they are drawn. A new one is one function and one line."""

"""A comparison as one HTML page that needs nothing else: no network, no other file."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from taskweave.files import write_text
from taskweave.reporting.formats import visible
from taskweave.reporting.layout import paper_sheets, tone_of, whole_sheet
from taskweave.reporting.page_figures import Figures, figures_of
from taskweave.reporting.tables import table_of
from taskweave.results.comparison import ComparisonResult, Gain, SeedGain
from taskweave.results.folder import read_comparison
from taskweave.results.gains import interval_of, known_gains
from taskweave.results.numbers import decimals_for, signed
from taskweave.results.summary import summarise

LARGEST = 10_000_000
"""Bytes of a page."""
_TEMPLATES = Path(__file__).parent / "templates"


def write_page(folder: Path, path: Path, *, images: bool = True) -> Path:
    """Write the page of the comparison in `folder`, atomically.

    Returns:
        `path`.

    Raises:
        OSError: A file cannot be read or written.
        ValueError: The file is not a comparison, or its tables alone exceed the size limit; see `page_of`.
    """
    write_text(path, page_of(folder, images=images))
    return path


def page_of(folder: Path, *, images: bool = True, largest: int = LARGEST) -> str:
    """Return the page of a comparison: verdict, table, gains, charts, pictures, and how the results were obtained.

    Args:
        folder: Holds comparison.json and, if they were drawn, charts/ and pictures/.
        images: False leaves out all pictures that show data; charts stay.
        largest: Size limit in bytes. To stay below it, pictures are made smaller or left out, and the page says which.

    Raises:
        OSError: A file cannot be read.
        ValueError: The file is not a comparison, or the numbers and the recipe alone are larger than `largest`.
    """
    result = read_comparison(folder)
    bare = len(_written(result, Figures((), (), (), private=False, remarks=())).encode())
    if bare > largest:
        raise ValueError(f"the tables of {folder} alone take {bare} bytes of a page of at most {largest}; use --format md")
    # words and tags around the pictures come on top: a page of hundreds leaves the last ones out a little early
    room = largest - bare - 20_000
    return _written(result, figures_of(result, folder, images=images, room=max(0, room)))


def _written(result: ComparisonResult, figures: Figures) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (Markup((_TEMPLATES / name).read_text(encoding="utf-8")) for name in ("page.css", "page.js"))
    # a browser may load pictures in the page, this style and this script, by their hashes, and nothing else
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    table = table_of(result)
    return environment.get_template("page.html.j2").render(
        result=result,
        table=table,
        sheet=whole_sheet(table),
        paper=paper_sheets(table),
        gains=gain_groups(result),
        figures=figures,
        recipe=yaml.safe_dump(result.recipe, sort_keys=False, allow_unicode=True),
        style=style,
        script=script,
        policy=policy,
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _shown(value: Any) -> Any:
    """What the template prints: text with nothing hidden in it."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_KINDS = {
    "task_mean": "Relative gain in percent, task_mean: over the metrics of a task, then over tasks",
    "flat_mean": "Relative gain in percent, flat_mean: over all metrics of all tasks alike",
}
_SAID = {True: "yes", False: "no", None: "not said"}


@final
@dataclass(frozen=True)
class GainLine:
    """The gain of one method.

    Args:
        interval: Over seeds or, with a single seed, over its test images.
        seeds: The gain with each seed.
    """

    method: str
    value: str
    interval: str
    seeds: tuple[str, ...]
    distinguishable: str
    tone: str


@final
@dataclass(frozen=True)
class GainGroup:
    """One kind of gain, for every method.

    Args:
        average: Whether the gain is an average over tasks; otherwise it is that of one metric.
    """

    title: str
    average: bool
    lines: tuple[GainLine, ...]


def gain_groups(result: ComparisonResult) -> tuple[GainGroup, ...]:
    """All gains of a comparison: the relative ones first, then metric by metric, methods in the order of the table."""
    named: dict[tuple[str, str, str], list[Gain]] = {}
    for gain in known_gains(result):
        named.setdefault((gain.kind, gain.task, gain.metric), []).append(gain)
    cells = [cell for summary in summarise(result) for cell in summary.cells]
    groups: list[GainGroup] = []
    for (kind, task, metric), gains in named.items():
        average = kind != "metric"
        # as many decimals as the metric has in the table, whose means decide; two for percent
        means = [cell.mean for cell in cells if (cell.task, cell.metric) == (task, metric)]
        lines = tuple(_line(gain, 2 if average else decimals_for(means)) for gain in gains)
        groups.append(GainGroup(_KINDS[kind] if average else f"{task} {metric}", average, lines))
    return tuple(sorted(groups, key=lambda group: not group.average))


def _line(gain: Gain, decimals: int) -> GainLine:
    text = signed(gain.value, decimals)
    if len(gain.seeds) == 1:  # just its number: the rest stands beside it
        seeds: tuple[str, ...] = (f"seed {gain.seeds[0].seed}",)
    else:
        seeds = tuple(_seed(seed, decimals) for seed in gain.seeds)
    return GainLine(
        method=gain.method,
        value=text,
        interval=_ends(interval_of(gain), decimals),
        seeds=seeds,
        distinguishable=_SAID[gain.distinguishable],
        tone=tone_of(text),
    )


def _seed(seed: SeedGain, decimals: int) -> str:
    known = None if seed.low is None or seed.high is None else (seed.low, seed.high)
    return f"seed {seed.seed}: {signed(seed.value, decimals)} {_ends(known, decimals)}".strip()


def _ends(interval: tuple[float, float] | None, decimals: int) -> str:
    return "" if interval is None else f"[{', '.join(signed(end, decimals) for end in interval)}]"

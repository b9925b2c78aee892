"""Gains with their intervals, as a page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from taskweave.results.comparison import ComparisonResult, Gain, SeedGain
from taskweave.results.gains import interval_of, known_gains
from taskweave.results.numbers import decimals_for, signed
from taskweave.results.summary import MethodSummary, summarise

_KINDS = {
    "task_mean": "Relative gain in percent, task_mean: over the metrics of a task, then over tasks",
    "flat_mean": "Relative gain in percent, flat_mean: over all metrics of all tasks alike",
}
_SAID = {True: "yes", False: "no", None: "not said"}


@final
@dataclass(frozen=True)
class GainLine:
    """One method's gain. interval: over seeds, or over the test images of the only one.  seeds: each seed's gain."""

    method: str
    value: str
    interval: str
    seeds: tuple[str, ...]
    distinguishable: str
    tone: str


@final
@dataclass(frozen=True)
class GainGroup:
    """The same gain of every method. average: over tasks, else one metric's."""

    title: str
    average: bool
    lines: tuple[GainLine, ...]


def gain_groups(result: ComparisonResult) -> tuple[GainGroup, ...]:
    """All gains of a comparison: the relative ones first, then metric by metric, methods in the order of the table."""
    named: dict[tuple[str, str, str], list[Gain]] = {}
    for gain in known_gains(result):
        named.setdefault((gain.kind, gain.task, gain.metric), []).append(gain)
    summaries = summarise(result)
    groups = [_group(gains, summaries) for gains in named.values()]
    return tuple(sorted(groups, key=lambda group: not group.average))


def _group(gains: Sequence[Gain], summaries: Sequence[MethodSummary]) -> GainGroup:
    first = gains[0]
    title = f"{first.task} {first.metric}" if first.kind == "metric" else _KINDS[first.kind]
    decimals = _decimals(first, summaries)
    return GainGroup(title, first.kind != "metric", tuple(_line(gain, decimals) for gain in gains))


def _decimals(gain: Gain, summaries: Sequence[MethodSummary]) -> int:
    """As many as the metric has in the table, whose means decide; two for percent."""
    if gain.kind != "metric":
        return 2
    cells = [cell for summary in summaries for cell in summary.cells]
    return decimals_for(cell.mean for cell in cells if (cell.task, cell.metric) == (gain.task, gain.metric))


def _line(gain: Gain, decimals: int) -> GainLine:
    text = signed(gain.value, decimals)
    return GainLine(
        method=gain.method,
        value=text,
        interval=_ends(interval_of(gain), decimals),
        seeds=_seeds(gain, decimals),
        distinguishable=_SAID[gain.distinguishable],
        tone="up" if text.startswith("+") else "down" if text.startswith("-") else "",
    )


def _seeds(gain: Gain, decimals: int) -> tuple[str, ...]:
    """Of the only seed just its number: the rest stands beside it."""
    if len(gain.seeds) == 1:
        return (f"seed {gain.seeds[0].seed}",)
    return tuple(_seed(seed, decimals) for seed in gain.seeds)


def _seed(seed: SeedGain, decimals: int) -> str:
    known = None if seed.low is None or seed.high is None else (seed.low, seed.high)
    return f"seed {seed.seed}: {signed(seed.value, decimals)} {_ends(known, decimals)}".strip()


def _ends(interval: tuple[float, float] | None, decimals: int) -> str:
    return "" if interval is None else f"[{', '.join(signed(end, decimals) for end in interval)}]"

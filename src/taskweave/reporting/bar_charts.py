"""Bars: gains, metrics, gains by class, and histograms of faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from taskweave.reporting.charts import (
    BLACK,
    BLUE,
    GREY,
    VERMILLION,
    Style,
    draw_line,
    figure_with_legend,
    grid_of,
    save_figure,
    shown,
    tidy_axes,
)
from taskweave.reporting.tables import Entry, Line, Table
from taskweave.results.class_gains import LEAST, ClassGain, least_labelled
from taskweave.results.folder import FaceCounts


def gain_bars(table: Table, path: Path, *, seeds: Mapping[str, Sequence[float]] | None = None) -> Path:
    """Draw a bar per method for its relative gain in percent (the table's first kind of gain); losses are hatched.

    A whisker is the gain's interval. An SVG is written beside the PNG.

    Args:
        path: Where the PNG is written.
        seeds: {method: the gain with each seed}, drawn as points if there are several.

    Returns:
        `path`.

    Raises:
        ValueError: The table has no gain.
    """
    place = [column.kind for column in table.columns].index("relative_gain")
    found = [(line.method, line.entries[place]) for line in table.lines]
    gains = [(method, entry.value, entry) for method, entry in found if entry.value is not None]
    if not gains:
        raise ValueError(f"no gains to draw: the table {table.title!r} has no method beside its baseline")
    height = sum(0.2 + 0.16 * len(shown(method, 36, lines=2).splitlines()) for method, _, _ in gains)
    figure = Figure(figsize=(7.0, 1.1 + height), layout="constrained")
    axes = figure.add_subplot()
    methods, values, entries = zip(*gains, strict=True)
    bars = axes.barh(range(len(gains)), values, color=[BLUE if value >= 0 else VERMILLION for value in values], height=0.6)
    for bar, value in zip(bars, values, strict=True):
        bar.set_hatch("" if value >= 0 else "///")
        bar.set_edgecolor("white")
    words = _draw_sureness(axes, entries, [(seeds or {}).get(method, ()) for method in methods])
    axes.set_yticks(range(len(gains)), [shown(method, 36, lines=2) for method in methods])
    axes.invert_yaxis()
    _write_numbers(axes, entries)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.margins(x=0.05)
    below = [table.columns[place].head, "; ".join(words)]
    axes.set(title=shown(table.title, 60), xlabel="\n".join(line for line in below if line))
    tidy_axes(axes)
    return save_figure(figure, path)


def _draw_sureness(axes: Axes, entries: Sequence[Entry], seeds: Sequence[Sequence[float]]) -> list[str]:
    """Draw intervals and seeds. Returns what to say of them."""
    known = [(y, e.low, e.high) for y, e in enumerate(entries) if e.low is not None and e.high is not None]
    for y, low, high in known:
        axes.plot([low, high], [y, y], color=BLACK, linewidth=1.2, marker="|", markersize=7)
    points = [(value, y) for y, values in enumerate(seeds) for value in values if len(values) > 1]
    for value, y in points:
        axes.plot(value, y, "o", markersize=4, markerfacecolor="white", markeredgecolor=BLACK)
    words = {"whisker: 95 % interval": known, "points: seeds": points}
    return [word for word, drawn in words.items() if drawn]


def _write_numbers(axes: Axes, entries: Sequence[Entry]) -> None:
    """Right of everything that is drawn in a line."""
    for y, entry in enumerate(entries):
        ends = [value for value in (0.0, entry.value, entry.high) if value is not None]
        axes.annotate(entry.text, (max(ends), y), xytext=(5, 0), textcoords="offset points", va="center", fontsize="small")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high + 0.12 * (high - low))


_PANEL = 3.0
"""Inches of a panel's width."""


def metric_bars(table: Table, path: Path) -> Path:
    """Draw a panel per metric with a bar per method, like figure 4 of the MT-UNet paper.

    The first method, the baseline, is grey and hatched. A whisker is the spread over seeds, a dotted line the score of a
    constant prediction. Bars start at 0.

    Returns:
        `path`, of the PNG.

    Raises:
        ValueError: The table has no metric or no method.
    """
    places = [place for place, column in enumerate(table.columns) if column.kind == "metric"]
    methods = [line for line in table.lines if line.seeds]
    if not places or not methods:
        raise ValueError(f"no metrics to draw: the table {table.title!r} has {len(places)} for {len(methods)} methods")
    constant = next((line for line in table.lines if line.kind == "constant"), None)
    down, across = grid_of(len(places))
    size = (1.6 + _PANEL * across, 0.6 + down * (0.6 + 0.36 * len(methods)))
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(down, across, sharey=True, squeeze=False).flat)
    for axes in panels[len(places) :]:
        axes.set_axis_off()
    for axes, place in zip(panels, places, strict=False):
        _draw_metric(axes, methods, place)
        level = constant.entries[place].value if constant is not None else None
        if level is not None:
            axes.axvline(level, color="black", linewidth=1.0, linestyle=":")
        axes.set_title(shown(table.columns[place].head, 32), fontsize="small")
    panels[0].set_yticks(range(len(methods)), [shown(line.method, 36, lines=2) for line in methods])
    panels[0].invert_yaxis()
    if constant is not None:
        dotted = Line2D([], [], color="black", linewidth=1.0, linestyle=":")
        figure.legend([dotted], [shown(constant.method)], loc="outside lower center", fontsize="small", frameon=False)
    return save_figure(figure, path)


def _draw_metric(axes: Axes, methods: Sequence[Line], place: int) -> None:
    entries = [line.entries[place] for line in methods]
    bars = axes.barh(
        range(len(methods)),
        [entry.value or 0.0 for entry in entries],
        xerr=[entry.spread or 0.0 for entry in entries],
        color=[BLUE if number else GREY for number in range(len(methods))],
        height=0.65,
    )
    bars.patches[0].set(hatch="///", edgecolor="white")
    clear = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # the constant's line does not cross the number
    axes.bar_label(bars, [entry.text for entry in entries], padding=2, fontsize="x-small", bbox=clear)
    axes.margins(x=0.25)
    tidy_axes(axes)


_SPREAD = 20
"""From this ratio of the largest to the smallest count on, counts are drawn on a logarithmic axis."""


def draw_class_gains(
    methods: Mapping[str, Sequence[ClassGain]], path: Path, *, metric: str, unit: str = "labels of the train part"
) -> Path:
    """Draw a panel per method: a bar per class (mean over seeds, each seed a point) and the number of labels as a line.

    As figures 5 and 6 of Misra et al., "Cross-stitch networks for multi-task learning" (CVPR 2016): sorted by the number of
    labels. Above each panel stand the means over the 10 and the 20 classes with the fewest labels, which section 6.5
    reports (4.6 and 4.3), and the mean over all classes.

    Args:
        metric: The metric that gains are in.
        unit: What labels are counted in.

    Returns:
        `path`, of the PNG.

    Raises:
        ValueError: No method has a gain.
    """
    drawn = {method: gains for method, gains in methods.items() if any(gain.seeds for gain in gains)}
    if not drawn:
        raise ValueError(f"no gains per class to draw: no method of {list(methods)} has a class that the baseline has too")
    classes = max(len(gains) for gains in drawn.values())
    figure = Figure(figsize=(max(6.5, 2.0 + 0.21 * classes), 1.5 + 2.1 * len(drawn)), layout="constrained")
    panels = figure.subplots(len(drawn), 1, squeeze=False)[:, 0]
    for axes, (method, gains) in zip(panels, drawn.items(), strict=True):
        known = [gain for gain in gains if gain.labels > 0 or gain.seeds]
        _draw_class_gains(axes, known)
        _draw_counts(axes, known, unit)
        axes.set_title(shown(f"{method}: {_in_words(gains)}", 20 + 3 * classes), fontsize="small")
        axes.set_ylabel(shown(f"gain, {metric}", 22), fontsize="small")
        axes.set_xticks(range(len(known)), [shown(g.name, 22, lines=1) for g in known], rotation=90, fontsize="x-small")
        if [gain.name for gain in gains] == [gain.name for gain in list(drawn.values())[-1]] and axes is not panels[-1]:
            axes.xaxis.set_major_formatter(NullFormatter())
    return save_figure(figure, path)


def _draw_class_gains(axes: Axes, gains: Sequence[ClassGain]) -> None:
    values = [gain.mean if gain.mean is not None else 0.0 for gain in gains]
    colours = [BLUE if value >= 0 else VERMILLION for value in values]
    bars = axes.bar(range(len(gains)), values, color=colours, width=0.7)
    for bar, value in zip(bars, values, strict=True):
        bar.set(hatch="" if value >= 0 else "////", edgecolor="white")
    points = [(place, value) for place, gain in enumerate(gains) for value in gain.seeds if len(gain.seeds) > 1]
    if points:
        axes.plot(*zip(*points, strict=True), "o", markersize=2.5, markerfacecolor="white", markeredgecolor=BLACK)
    axes.axhline(0.0, color=BLACK, linewidth=0.8)
    axes.set_xlim(-0.7, len(gains) - 0.3)
    tidy_axes(axes)
    axes.grid(visible=False, axis="x")


def _draw_counts(axes: Axes, gains: Sequence[ClassGain], unit: str) -> None:
    counts = [gain.labels for gain in gains]
    right = axes.twinx()
    right.plot(range(len(gains)), counts, color=BLACK, linewidth=1.4)
    right.set_ylabel(shown(unit, 20), fontsize="small")
    right.spines["top"].set_visible(False)
    least = min((count for count in counts if count > 0), default=1)
    if max(counts) > _SPREAD * least:
        right.set_yscale("log" if min(counts) > 0 else "symlog")
    else:
        right.set_ylim(bottom=0)
    right.tick_params(which="both", labelsize="x-small")


def _in_words(gains: Sequence[ClassGain]) -> str:
    means = {count: least_labelled(gains, count) for count in LEAST}
    words = [f"{value:+.2f} over the {count} with the fewest labels" for count, value in means.items() if value is not None]
    known = [gain.mean for gain in gains if gain.mean is not None and gain.labels > 0]
    return "mean gain " + ", ".join([*words, *([f"{fmean(known):+.2f} over all {len(known)}"] if known else [])])


BIN: Final = 5
"""Years of a bar."""
OLDEST: Final = 100
_HATCHES: Final = ("", "///", "...", "\\\\\\", "xxx")


def face_histograms(
    series: Sequence[FaceCounts], path: Path, *, genders: Sequence[str] = ("female", "male"), title: str = ""
) -> tuple[Path, Path]:
    """Draw the share of faces in every five years of age, and of each gender.

    Args:
        series: Labels are drawn filled, predictions as lines. Shares are of the faces of the same series.
        path: Where the PNG is written; an SVG is written beside it.
        genders: Names of the classes.

    Returns:
        Paths of the PNG and the SVG.

    Raises:
        ValueError: There are no ages or genders, an age is outside its range, or a gender has no name.
    """
    _check_faces(series, len(genders))
    figure, styles = figure_with_legend((10.0, 3.6), [one.label for one in series])
    ages, counts = figure.subplots(1, 2, width_ratios=(3, 2))
    for one in series:
        if one.ages:
            _draw_ages(ages, one, styles[one.label])
    ages.set(title="age", xlabel="years", ylabel="faces, %", xlim=(0, OLDEST), ylim=(0, None))
    _draw_genders(counts, [one for one in series if one.genders], styles, genders)
    for axes in (ages, counts):
        tidy_axes(axes)
    figure.suptitle(shown(title, 90), fontsize="medium")
    return save_figure(figure, path), path.with_suffix(".svg")


def age_shares(ages: Sequence[float]) -> list[float]:
    """Percent of `ages` in [0, 5), [5, 10), ..., [95, 100]."""
    counts, _ = np.histogram(ages, bins=np.arange(0, OLDEST + BIN, BIN))
    return [100 * float(count) / len(ages) for count in counts]


def _check_faces(series: Sequence[FaceCounts], genders: int) -> None:
    if not any(one.ages or one.genders for one in series):
        raise ValueError(f"no ages or genders to draw: {[one.label for one in series] or 'no series'} have none")
    for one in series:
        if bad := [age for age in one.ages if not 0 <= age <= OLDEST]:
            raise ValueError(f"ages are 0 to {OLDEST} years; {one.label!r} has {bad[0]:g}")
        if wrong := [gender for gender in one.genders if not 0 <= gender < genders]:
            raise ValueError(f"there are {genders} names for genders; {one.label!r} has class {wrong[0]}")


def _draw_ages(axes: Axes, one: FaceCounts, style: Style) -> None:
    shares = age_shares(one.ages)
    if one.predicted:
        draw_line(axes, [BIN * i for i in range(len(shares) + 1)], [*shares, shares[-1]], style, steps=True)
        return
    edges = np.arange(0, OLDEST + BIN, BIN)
    axes.stairs(shares, edges, fill=True, color=style.colour, alpha=0.25)
    axes.stairs(shares, edges, color=style.colour, linewidth=1.2)


def _draw_genders(axes: Axes, series: Sequence[FaceCounts], styles: dict[str, Style], names: Sequence[str]) -> None:
    width = 0.8 / max(1, len(series))
    for number, one in enumerate(series):
        shares = [100 * one.genders.count(i) / len(one.genders) for i in range(len(names))]
        places = [i + (number - (len(series) - 1) / 2) * width for i in range(len(names))]
        colour, hatch = styles[one.label].colour, _HATCHES[styles[one.label].order % len(_HATCHES)]
        axes.bar(places, shares, width, color=colour, alpha=0.9 if one.predicted else 0.4, edgecolor="white", hatch=hatch)
    axes.set_xticks(range(len(names)), names)
    axes.set(title="gender", ylabel="faces, %")

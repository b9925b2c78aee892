"""Ages and genders of faces as histograms: figure 3 of the NDDR paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from taskweave.reporting.charts import Style, draw_line, figure_with_legend, save_figure, shown, tidy_axes
from taskweave.results.pictured import FaceCounts

BIN: Final = 5
"""Years of a bar."""
OLDEST: Final = 100
_HATCHES: Final = ("", "///", "...", "\\\\\\", "xxx")


def face_histograms(
    series: Sequence[FaceCounts], path: Path, *, genders: Sequence[str] = ("female", "male"), title: str = ""
) -> tuple[Path, Path]:
    """A PNG and an SVG beside it: the share of faces in every five years of age, and of each gender.

    series: labels are filled, predictions lines; shares are of the faces of that series.  genders: names of the classes.
    path: of the PNG. Returns both paths. Raises ValueError where nothing is known of any face, or an age is outside.
    """
    _check(series, len(genders))
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


def _check(series: Sequence[FaceCounts], genders: int) -> None:
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

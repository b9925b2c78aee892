"""A comparison's gains from what its stored runs know of every test image."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import final

from taskweave.progress import Progress, Silent
from taskweave.results.comparison import ComparisonResult, Row
from taskweave.results.gains import Scored, gains_of, pairs_of
from taskweave.results.image_statistics import read_images, read_known_by
from taskweave.results.intervals import RESAMPLES, Resampled, resample

_QUIET = 2.0
"""Seconds before progress is shown."""
_AGREES = 0.02
"""How far a number may be from the stored one: medians come from histograms of some width."""


def with_gains(
    result: ComparisonResult, folder: Path, *, progress: Progress | None = None, resamples: int = RESAMPLES
) -> ComparisonResult:
    """The same result with every gain over its baseline, and its interval within each seed where images are stored.

    folder: of all results, which holds runs/. Runs of which nothing is stored by image, or whose file is damaged (noted),
    have gains without such an interval. Raises ValueError for fewer than two resamples.
    """
    rows = [row for method in result.methods for pair in pairs_of(result, method) for row in (pair.base, pair.new)]
    wanted = {(row.method, row.seed): row for row in rows}
    watched = _Watched(progress or Silent(), len(wanted))
    scored: dict[tuple[str, int], Scored] = {}
    try:
        for key, row in wanted.items():
            scored[key] = _scored(row, folder, watched.progress, resamples)
            watched.advance()
    finally:
        watched.end()
    return result.model_copy(update={"gains": gains_of(result, scored)})


def _scored(row: Row, folder: Path, progress: Progress, resamples: int) -> dict[str, Resampled]:
    """{column: its metrics on resampled test images}, of those that are stored by image and agree with the row."""
    found: dict[str, Resampled] = {}
    for own in (folder / "runs" / run for run in row.runs):
        for column in row.metrics:
            try:
                images, known_by = read_images(own, column), read_known_by(own, column)
            except ValueError as error:
                progress.note(f"{error}; until then its gains have no interval over test images")
                break
            if images is not None and known_by is not None and images.count:
                found[column] = _agreeing(resample(images, known_by, resamples=resamples), row, column)
    return found


def _agreeing(scored: Resampled, row: Row, column: str) -> Resampled:
    """Without metrics that are not those of the row: they would be of other weights."""
    stated = row.metrics[column]
    agree = [
        metric
        for metric, value in scored.observed.items()
        if (number := stated.get(metric)) is not None and math.isclose(value, number, rel_tol=_AGREES)
    ]
    return Resampled(scored.images, scored.observed, {metric: scored.scores[metric] for metric in agree})


@final
class _Watched:
    """Progress that is shown only where it takes long."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress = progress
        self._total, self._done, self._shown, self._start = total, 0, False, time.monotonic()

    def advance(self) -> None:
        self._done += 1
        if self._shown:
            self.progress.advance(1)
        elif time.monotonic() - self._start > _QUIET:
            self._shown = True
            self.progress.begin("resampling test images", self._total, done=self._done)

    def end(self) -> None:
        if self._shown:
            self.progress.end()

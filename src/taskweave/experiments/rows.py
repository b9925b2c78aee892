"""From the records of runs to a row of the table."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.columns import Column
from taskweave.experiments.constant import marks
from taskweave.experiments.fingerprint import digest_of
from taskweave.experiments.plan import Entry
from taskweave.results.comparison import Row, Values
from taskweave.results.run_files import RunRecord


def row_of(entry: Entry, records: Sequence[RunRecord], constant: Values, *, columns: Sequence[Column]) -> Row:
    """One method with one seed: the metrics of all its runs side by side, their costs added.

    columns: those of the recipe; a record may hold further tests of other recipes.
    """
    found = {name: values for record in records for name, values in record.metrics.items()}
    ways = {name: dict(of) for record in records for name, of in record.directions.items()}
    names = [column.name for column in columns if column.name in found]
    metrics, directions = {name: found[name] for name in names}, {name: ways[name] for name in names}
    timed = [record.seconds_per_step for record in records if record.seconds_per_step > 0]
    digests = [record.digest for record in records]
    return Row(
        method=entry.row.title,
        seed=entry.seed,
        metrics=metrics,
        directions=directions,
        parameters=sum(record.parameters for record in records),
        flops=sum(record.flops for record in records),
        seconds_per_step=sum(timed) if timed else None,
        steps=max(record.steps for record in records),
        recipe_hash=digests[0] if len(digests) == 1 else digest_of(digests),
        runs=tuple(digests),
        marks=marks(metrics, directions, constant),
    )

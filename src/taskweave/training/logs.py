"""Logs of a training: CSV files that survive a resume, and TensorBoard where asked for."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

from taskweave.files import CannotSaveError, write_text
from taskweave.training.result import Validation


@final
class CsvLog:
    """A CSV file whose first column is the step. Opened at a step, it forgets what was written after that step.

    Of other columns than before (a monitor's, where a reference is there by now) it keeps those that are still there.
    """

    def __init__(self, path: Path, columns: Sequence[str], *, step: int) -> None:
        self.path, self.columns = path, ("step", *columns)
        kept = [row for row in _rows(path, self.columns) if int(row["step"]) <= step]
        write_text(path, _text(self.columns, kept))

    def write(self, row: Mapping[str, object]) -> None:
        """Append a row; a column that `row` lacks stays empty. Raises CannotSaveError."""
        try:
            with self.path.open("a", newline="") as file:
                csv.DictWriter(file, self.columns, lineterminator="\n").writerow(row)
        except OSError as error:
            raise CannotSaveError(
                f"could not write to {self.path} ({error.strerror or error}); free some space or make it writable, then "
                "start again: training resumes from the last checkpoint"
            ) from error


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        # a line cut short by a crash lacks its last columns
        whole = [row for row in csv.DictReader(file) if None not in row.values() and row.get("step", "").isdigit()]
    kept = [{column: row.get(column, "") for column in columns} for row in whole]
    return [row for row in kept if any(row[column] for column in columns[1:])]


def _text(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


@final
class RunLog:
    """`log.csv`: per-task losses unweighted (mean since the last row), weights, learning rates; `validation.csv`: metrics.

    monitored: the columns of `monitor.csv`, what a `taskweave.training.monitor.monitor.Monitor` sees; () for no such file.
    Raises ImportError where TensorBoard is asked for and not installed.
    """

    def __init__(
        self,
        folder: Path,
        tasks: Sequence[str],
        groups: Sequence[str],
        *,
        step: int,
        monitored: Sequence[str] = (),
        tensorboard: bool = False,
    ) -> None:
        columns = ["epoch", "seconds", *(f"loss.{t}" for t in tasks), *(f"weight.{t}" for t in tasks)]
        self._training = CsvLog(folder / "log.csv", [*columns, *(f"lr.{g}" for g in dict.fromkeys(groups))], step=step)
        self._validation = CsvLog(folder / "validation.csv", ["task", "metric", "value"], step=step)
        self._monitor = CsvLog(folder / "monitor.csv", monitored, step=step) if monitored else None
        self._board = _tensorboard(folder, step) if tensorboard else None

    def training(
        self,
        step: int,
        *,
        epoch: float,
        seconds: float,
        losses: Mapping[str, float],
        weights: Mapping[str, float],
        rates: Mapping[str, float],
    ) -> None:
        """One row after `step` steps."""
        values = {f"loss.{task}": value for task, value in losses.items()}
        values |= {f"weight.{task}": value for task, value in weights.items() if task in losses}
        values |= {f"lr.{group}": value for group, value in rates.items()}
        self._training.write({"step": step, "epoch": f"{epoch:.4f}", "seconds": f"{seconds:.2f}", **values})
        self._draw(step, values)

    def validation(self, found: Validation) -> None:
        """One row per metric."""
        for task, metrics in found.metrics.items():
            for metric, value in metrics.items():
                self._validation.write({"step": found.step, "task": task, "metric": metric, "value": value})
            self._draw(found.step, {f"validation.{task}.{metric}": value for metric, value in metrics.items()})

    def monitor(self, step: int, values: Mapping[str, float]) -> None:
        """One row of those columns that have a value after `step` steps; none where no column has."""
        if self._monitor is not None and values:
            self._monitor.write({"step": step, **values})
            self._draw(step, values)

    def _draw(self, step: int, values: Mapping[str, float]) -> None:
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name.replace(".", "/"), value, step)

    def close(self) -> None:
        if self._board is not None:
            self._board.close()


def _tensorboard(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ImportError(
            "tensorboard=True needs TensorBoard: pip install taskweave[logs]; the CSV logs are written without it"
        ) from error
    return SummaryWriter(str(folder / "tensorboard"), purge_step=step)

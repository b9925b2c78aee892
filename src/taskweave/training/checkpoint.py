"""What a training writes into its folder: logs, a checkpoint while it lasts, and what it found when it is done."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn

from taskweave.files import CannotSaveError, write_text, writing
from taskweave.training.validation import FitResult, Validation
from taskweave.training.weights import WrongCheckpointError, load_weights


@final
class CsvLog:
    """A CSV file whose first column is the step. Opened at a step, it drops rows written after that step.

    If the columns have changed (e.g. a monitor's, when a reference has become available), values of the remaining columns
    are kept.
    """

    def __init__(self, path: Path, columns: Sequence[str], *, step: int) -> None:
        self.path, self.columns = path, ("step", *columns)
        kept = [row for row in _rows(path, self.columns) if int(row["step"]) <= step]
        write_text(path, _text(self.columns, kept))

    def write(self, row: Mapping[str, object]) -> None:
        """Append a row; columns missing from `row` stay empty.

        Raises:
            CannotSaveError: The file cannot be written.
        """
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
    """Write the logs of a training: `log.csv`, `validation.csv`, and on request `monitor.csv` and TensorBoard.

    `log.csv` holds per-task losses (unweighted, mean since the last row), weights and learning rates; `validation.csv`
    holds metrics.

    Args:
        monitored: The columns of `monitor.csv`, see `taskweave.training.monitor.monitor.Monitor`. If empty, the file is not
            written.
        tensorboard: Also write TensorBoard logs.

    Raises:
        ImportError: TensorBoard is requested but not installed.
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


FORMAT = 1


def open_folder(folder: Path) -> None:
    """Create the folder and check that it is writable, before any work is done.

    Raises:
        CannotSaveError: The folder cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotSaveError(
            f"cannot write to the output folder {folder}: {error.strerror or error}; "
            "choose another folder, or make it writable"
        ) from error


def save_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Save plain values and tensors.

    Raises:
        CannotSaveError: The file cannot be written.
    """
    whole = {"format": FORMAT, **content}
    with writing(path, needed=_bytes_of(whole)) as file:
        try:
            torch.save(whole, file)
        except RuntimeError as error:  # how torch reports a full disk
            raise OSError(str(error)) from error


def _bytes_of(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, Mapping):
        return sum(_bytes_of(item) for item in value.values())
    return sum(_bytes_of(item) for item in value) if isinstance(value, list | tuple) else 8


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Load what `save_checkpoint` saved, with all tensors on the CPU.

    Raises:
        WrongCheckpointError: The file is not a checkpoint of this version of taskweave.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WrongCheckpointError(f"{path} cannot be read as a checkpoint ({error}); delete it to start anew") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise WrongCheckpointError(f"{path} is no checkpoint of this version of taskweave; delete it to start anew")
    return content


def check_known_by(stored: Mapping[str, Any], asked: Mapping[str, Any], *, source: str) -> None:
    """Check that a stored run was determined by the same settings as the requested one.

    Raises:
        WrongCheckpointError: A setting differs; the message lists all that do.
    """
    differing = [
        f"{key}: {stored.get(key)!r} there, {asked.get(key)!r} asked for"
        for key in dict.fromkeys((*stored, *asked))
        if stored.get(key) != asked.get(key)
    ]
    if differing:
        raise WrongCheckpointError(
            f"{source} belongs to another training; {'; '.join(differing)}. Choose another folder, or delete this one"
        )


WEIGHTS, STATISTICS, FINISHED = "weights.safetensors", "statistics.safetensors", "finished.json"


def write_finished(folder: Path, result: FitResult, *, known_by: Mapping[str, Any]) -> None:
    """Record that the training in `folder` has finished; call it after everything else has been written.

    Raises:
        CannotSaveError: The file cannot be written.
    """
    content = {
        "known_by": dict(known_by),
        "step": result.step,
        "metrics": result.metrics,
        "history": [{"step": v.step, "metrics": v.metrics} for v in result.history],
        "seconds": result.seconds,
        "waited": result.waited,
    }
    write_text(folder / FINISHED, json.dumps(content, indent=1))


def read_finished(folder: Path, net: nn.Module, *, known_by: Mapping[str, Any]) -> FitResult | None:
    """Load the final weights of a finished training into `net` and return its result.

    Returns:
        The result, or None if `folder` holds no finished training.

    Raises:
        WrongCheckpointError: The folder belongs to another network or another training, or its files are damaged.
    """
    path, weights = folder / FINISHED, folder / WEIGHTS
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text())
        stored = content.pop("known_by")
        history = tuple(Validation(**validation) for validation in content.pop("history"))
        statistics = folder / STATISTICS if (folder / STATISTICS).is_file() else None
        result = FitResult("finished", history=history, weights=weights, statistics=statistics, **content)
    except (ValueError, KeyError, TypeError) as error:
        raise WrongCheckpointError(f"{path} cannot be read ({error}); delete the folder to train anew") from error
    load_weights(net, weights)
    check_known_by(stored, known_by, source=str(folder))
    return result

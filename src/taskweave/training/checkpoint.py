"""What a training keeps in its folder: a checkpoint while it lasts, and what it found when it is done."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from taskweave.files import CannotSaveError, write_text, writing
from taskweave.training.result import FitResult, Validation
from taskweave.training.weights import WrongCheckpointError, load_weights

FORMAT = 1


def open_folder(folder: Path) -> None:
    """Make the folder and prove that it can be written to, before any work is done. Raises CannotSaveError."""
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
    """Store plain values and tensors. Raises CannotSaveError."""
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
    """What `save_checkpoint` stored, on the CPU. Raises WrongCheckpointError for a file that is none of ours."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WrongCheckpointError(f"{path} cannot be read as a checkpoint ({error}); delete it to start anew") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise WrongCheckpointError(f"{path} is no checkpoint of this version of taskweave; delete it to start anew")
    return content


def check_known_by(stored: Mapping[str, Any], asked: Mapping[str, Any], *, source: str) -> None:
    """Raise WrongCheckpointError unless a run in a folder was determined by the same things as the one asked for."""
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
    """Note that the training in `folder` is done; written last of all. Raises CannotSaveError."""
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
    """The result of the training that `folder` holds finished, its weights loaded into `net`; None where it holds none.

    Raises WrongCheckpointError for another network or another training.
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

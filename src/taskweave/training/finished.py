"""A finished training on disk: its kept weights, and what it found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from taskweave.files import write_text
from taskweave.training.checkpoint import WrongCheckpointError, check_known_by
from taskweave.training.result import FitResult, Validation
from taskweave.training.weights import load_weights

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

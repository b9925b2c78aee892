"""What a comparison has trained so far, for those who draw it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import Entry, Run
from taskweave.experiments.running import find_record, load_ensemble, load_network


def finished(rows: Sequence[Entry], root: Path, *, seed: int) -> list[Entry]:
    """The rows of a seed whose runs are all stored in `root`."""
    return [e for e in rows if e.seed == seed and all(find_record(run, root) is not None for run in e.runs)]


def network_behind(run: Run, bench: Bench, root: Path) -> nn.Module:
    """A finished run's network with its weights, in eval mode; an ensemble's members together."""
    return load_ensemble(run, bench, root) if run.role == "ensemble" else load_network(run, bench, root)

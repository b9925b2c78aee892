"""What a run's network begins with: the weights of the runs before it, and the recipe's start for the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from taskweave.training.checkpoint import WEIGHTS
from taskweave.training.weights import load_stream_weights, read_state
from taskweave.weaving.connected import Connected

if TYPE_CHECKING:
    from taskweave.experiments.plan import Run


def load_parents(net: nn.Module, run: Run, runs: Path) -> None:
    """Load what a run begins with; connections without a stored counterpart stay as built. See `Method.load`."""
    assert isinstance(net, Connected)
    before = [parent for parent in run.parents if not parent.first]
    for parent in before:
        stored = runs / parent.digest / WEIGHTS
        for name in parent.tasks:
            load_stream_weights(net.stream(name), stored, name=name)
        _load_gathering(net, parent, stored)
    loaded = {name for parent in before for name in parent.tasks}
    first = next((runs / parent.digest / WEIGHTS for parent in run.parents if parent.first), None)
    for name in net.streams:
        if name not in loaded:
            run.recipe.start(net.stream(name), first, run.recipe.network_of(name))


def _load_gathering(net: Connected, parent: Run, stored: Path) -> None:
    """The gathering connections that a single network brings (its shortcut), found by the stream that they serve."""
    state = read_state(stored)
    indices = [int(key.split(".")[1]) for key in state if key.startswith("connections.")]
    if not indices:
        return
    prefix = f"connections.{max(indices)}."
    own = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    for name in parent.tasks:
        ours = [c for c in (net.connection(i) for i in range(len(net.connections))) if c.gathers and list(c.at) == [name]]
        if ours:
            ours[-1].load_state_dict(own)

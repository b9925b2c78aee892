"""Random weights."""

from __future__ import annotations

from pathlib import Path

from taskweave.experiments.starts.start import Start
from taskweave.parts import states
from taskweave.streams.stream import Stream


@states(title="random weights")
def scratch(stream: Stream, stored: Path | None) -> Start:
    """Leave the network as the run's seed made it."""
    return Start()

"""ImageNet's weights of timm or torchvision."""

from __future__ import annotations

from pathlib import Path

from taskweave.experiments.starts.start import Start
from taskweave.networks.weights import load_pretrained
from taskweave.parts import states
from taskweave.streams.stream import Stream


@states(title="ImageNet's weights")
def library(stream: Stream, stored: Path | None) -> Start:
    """Load the ImageNet weights that timm or torchvision offers for the network's body; asks the network once."""
    load_pretrained(stream.net)
    return Start(source="ImageNet weights of timm or torchvision")

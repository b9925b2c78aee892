"""What networks on VGG-16's plain convolutions have in common."""

from __future__ import annotations

from pydantic import Field

from taskweave.experiments.choices.choice import Choice


class VGG16Choice(Choice):
    """What networks on VGG-16's plain convolutions state; stages conv1_1 ... conv5_3."""

    width: int = Field(default=64, ge=4)
    """Channels of conv1; VGG-16 has 64."""
    batch_norm: bool = False
    """After every convolution of the body."""
    bn_momentum: float = Field(default=0.1, gt=0.0, lt=1.0)
    bn_eps: float = Field(default=1e-5, gt=0.0)
    hidden: int = Field(default=512, ge=1)
    """Channels of the head's own layer."""

"""What many recipes have in common: where data lie, how training pictures are varied, and a short training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taskweave.parts import unknown

Given = Path | Mapping[str, Path] | None
"""Where data lie: nothing, one path, or a path for each data set by its name in the recipe."""
Seeds = Sequence[int] | None
"""Those of a recipe; None for its own."""


def place(given: Given, default: Path) -> Path:
    """Where the only data set of a recipe lies. Raises ValueError for places by name."""
    if isinstance(given, Mapping):
        raise ValueError(f"this recipe has one data set: --data takes its path, got names {list(given)}")
    return default if given is None else given


def places(given: Given, defaults: Mapping[str, Path]) -> dict[str, Path]:
    """Where each data set of a recipe lies. Raises ValueError for a path without a name, or an unknown name."""
    if given is None:
        return dict(defaults)
    if not isinstance(given, Mapping):
        wanted = " ".join(f"--data {name}=..." for name in defaults)
        raise ValueError(f"this recipe has {len(defaults)} data sets, got one path {given}; say whose it is: {wanted}")
    for name in given:
        if name not in defaults:
            raise ValueError(unknown(f"data set {name!r} in --data", name, list(defaults)))
    return {**defaults, **given}


def varied(crop: tuple[int, int], *, scale: tuple[float, float] = (0.8, 1.25), colour: float = 0.2) -> list[Any]:
    """Colour, scale, crop and mirror, in this order, as the `augment` of a recipe's data.

    Args:
        crop: (height, width).
        scale: The least and the largest.
        colour: Strength of the jitter; 0 leaves it out.
    """
    jitter = [{"use": "colour", "strength": colour}] if colour else []
    least, most = scale
    return [
        *jitter,
        {"use": "random_scale", "least": least, "most": most},
        {"use": "random_crop", "size": crop},
        "mirror",
    ]


def by_adam(steps: int, *, lr: float, batch_size: int = 8, **more: Any) -> dict[str, Any]:
    """A short training: Adam with polynomial decay, watched often. more: further options of the training."""
    return {
        "steps": steps,
        "batch_size": batch_size,
        "optimizer": {"use": "adam", "lr": lr},
        "schedule": "poly",
        "log_every": 5,
        "monitor_every": 10,
        **more,
    }

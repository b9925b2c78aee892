"""What many recipes have in common: how training pictures are varied, and a short training."""

from __future__ import annotations

from typing import Any


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

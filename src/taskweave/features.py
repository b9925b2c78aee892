"""What a feature looks like: the one fact about features that streams, units and heads share."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class FeatureShape:
    """Sizes of one feature without its batch axis, and which axis holds the channels.

    Args:
        sizes: Every axis after the batch, in order, e.g. ``(64, 80, 60)``.
        channel_axis: Counted with the batch axis, so 1 for (B, C, H, W) and 2 for tokens (B, N, C).
        stream: The stream that the feature belongs to; "" where that is not known. Not compared.
        stride: Pixels of the input per cell of the feature; 0 where that is not known. Not compared.

    Raises:
        ValueError: There is no such axis.
    """

    sizes: tuple[int, ...]
    channel_axis: int
    stream: str = field(default="", compare=False)
    stride: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= self.channel_axis <= len(self.sizes):
            raise ValueError(
                f"channel_axis {self.channel_axis} is outside a feature of {len(self.sizes) + 1} axes (axis 0 is the batch)"
            )

    @classmethod
    def image(cls, channels: int, height: int = 1, width: int = 1, *, stride: int = 0) -> FeatureShape:
        """A feature map (B, C, H, W); 1 x 1 where the size does not matter."""
        return cls((channels, height, width), 1, stride=stride)

    @classmethod
    def tokens(cls, count: int, channels: int) -> FeatureShape:
        """A token sequence (B, N, C)."""
        return cls((count, channels), 2)

    @classmethod
    def of(cls, feature: Tensor, channel_axis: int | None = None, *, stream: str = "") -> FeatureShape:
        """The shape of a feature; unless told, 3 axes are read as (B, N, C), any other number as (B, C, ...)."""
        axis = channel_axis if channel_axis is not None else (2 if feature.ndim == 3 else 1)
        return cls(tuple(int(size) for size in feature.shape[1:]), axis, stream)

    @property
    def channels(self) -> int:
        return self.sizes[self.channel_axis - 1]

    @property
    def extent(self) -> tuple[int, ...]:
        """The sizes that are not channels: (H, W) or (N,)."""
        return self.sizes[: self.channel_axis - 1] + self.sizes[self.channel_axis :]

    @property
    def is_image(self) -> bool:
        return len(self.sizes) == 3 and self.channel_axis == 1

    @property
    def is_tokens(self) -> bool:
        return len(self.sizes) == 2 and self.channel_axis == 2

    def __str__(self) -> str:
        letters = [str(size) for size in self.sizes]
        letters[self.channel_axis - 1] = f"C={self.channels}"
        return f"(B, {', '.join(letters)})"

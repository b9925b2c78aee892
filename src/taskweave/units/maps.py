"""What units that fuse feature maps share: which features they take, and tokens read as maps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.units.unit import Unit


class MapUnit(Unit):
    """A unit for feature maps (B, C, H, W), or for tokens (B, N, C), which it reads as maps (B, C, N, 1) without a copy.

    Raises ValueError for fewer than `fewest` features, a feature that is neither, and maps that meet tokens.
    """

    fewest = 2

    def __init__(self, shapes: Sequence[FeatureShape]) -> None:
        super().__init__(shapes)
        if len(self.shapes) < self.fewest:
            raise ValueError(f"{self.kind} needs at least {self.fewest} features to work on, got {len(self.shapes)}")
        for i, shape in enumerate(self.shapes):
            if not (shape.is_image or shape.is_tokens):
                raise ValueError(
                    f"{self.kind} takes feature maps (B, C, H, W) or tokens (B, N, C); feature {i} is {shape}; "
                    "connect at a stage whose feature is one of these, or give its Stream the right channel_axis"
                )
        self.tokens = self.shapes[0].is_tokens
        if any(shape.is_tokens is not self.tokens for shape in self.shapes):
            raise ValueError(
                f"{self.kind} takes either feature maps or tokens from all streams, got {self._listed()}; "
                "connect the stages where all streams have the same kind"
            )
        if self.tokens and len({shape.extent for shape in self.shapes}) > 1:
            raise ValueError(
                f"{self.kind} cannot resize tokens, whose grid it does not know, got {self._listed()}; "
                "connect streams with equal numbers of tokens"
            )

    @abstractmethod
    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        """`forward` on feature maps (B, C, H, W)."""

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        if len(features) != len(self.shapes):
            raise ValueError(f"{self.kind} was built for {len(self.shapes)} features, got {len(features)}")
        return [self.from_map(x) for x in self.fuse([self.to_map(x) for x in features])]

    @property
    def kind(self) -> str:
        """The unit's name in messages."""
        return type(self).__name__

    def to_map(self, feature: Tensor) -> Tensor:
        return feature.transpose(1, 2).unsqueeze(-1) if self.tokens else feature

    def from_map(self, x: Tensor) -> Tensor:
        return x.squeeze(-1).transpose(1, 2) if self.tokens else x

    def require_equal_channels(self, advice: str) -> None:
        channels = [shape.channels for shape in self.shapes]
        if len(set(channels)) > 1:
            raise ValueError(f"{self.kind} needs equal channels in every stream, got {channels}; {advice}")

    def require_equal_sizes(self, advice: str) -> None:
        if len({shape.extent for shape in self.shapes}) > 1:
            raise ValueError(f"{self.kind} needs equal sizes in every stream, got {self._listed()}; {advice}")

    def require_alike(self, maps: Sequence[Tensor]) -> None:
        """Raise ValueError unless the maps of this call have one shape: broadcasting would hide it."""
        if any(x.shape != maps[0].shape for x in maps[1:]):
            raise ValueError(
                f"{self.kind} was given features of different shapes, {[tuple(x.shape) for x in maps]} as (B, C, H, W); "
                "streams that meet here must be given inputs of one size"
            )

    def _listed(self) -> str:
        return ", ".join(str(shape) for shape in self.shapes)


def resized(x: Tensor, like: Tensor) -> Tensor:
    """`x` (B, C, H, W) at the height and width of `like`: bilinear, align_corners=False, no antialiasing."""
    size = like.shape[-2:]
    return x if x.shape[-2:] == size else F.interpolate(x, size=size, mode="bilinear", align_corners=False)

"""The contract of every unit, and what units for feature maps share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from itertools import permutations
from typing import ClassVar, final

from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.parts.words import snake_case

Link = tuple[str | int, str | int]
"""(source, destination), each the name of a stream or its position among those that meet."""


class Unit(nn.Module, ABC):
    """What happens where streams meet: a list of features in, one per stream (or gathered stage); one per stream out.

    A unit may change channel counts. One unit may serve several connections, which then share its parameters.

    Args:
        shapes: Shapes of the features that the unit will be given. Options of a subclass follow as keywords.
    """

    title: ClassVar[str]
    """What tables call a network that is connected by this unit; unless stated, the class name in words."""

    sgd_lr_multiplier: ClassVar[float] = 1.0
    """How many times the base learning rate the method's authors give this unit under SGD (1 under Adam)."""

    decays: ClassVar[bool] = False
    """Whether weight decay applies to the unit's weights (never to its biases and norms)."""

    exact_start: bool = False
    """Whether, as built, every stream's feature leaves exactly as it came (in eval mode, for finite features)."""

    needs_layer_weights: bool = False
    """Whether `penalty` needs the weights of the layers before the connection."""

    mixes_layers: ClassVar[bool] = False
    """Whether a method made of this unit also mixes the layers of each stream before its head (`LayerMixing`)."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "title" not in vars(cls):
            cls.title = snake_case(cls.__name__).replace("_", " ")

    def __init__(self, shapes: Sequence[FeatureShape]) -> None:
        super().__init__()
        self.shapes = tuple(shapes)

    @abstractmethod
    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """One feature per stream, in the order of the connection's streams."""

    def sources(self, target: int) -> frozenset[int]:
        """The streams, by position, that the output of stream `target` is computed from."""
        return frozenset(range(len(self.shapes)))

    def forward_some(self, features: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        """Only the outputs of `targets`, from only the features of their sources; by position."""
        outputs = self.forward([features[i] for i in range(len(self.shapes))])
        return {target: outputs[target] for target in targets}

    def penalty(self, weights: Sequence[Tensor]) -> Tensor | None:
        """A term for the loss, from the weights of the layers whose features meet here; None where there is none."""
        return None


class MapUnit(Unit):
    """A unit for feature maps (B, C, H, W), or for tokens (B, N, C), which it reads as maps (B, C, N, 1) without a copy.

    Raises:
        ValueError: There are fewer than `fewest` features, one is neither a map nor tokens, or maps meet tokens.
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

    def require_one_shape(self) -> None:
        self.require_equal_channels("use CrossConnection, which projects")
        if len({shape.extent for shape in self.shapes}) > 1:
            raise ValueError(
                f"{self.kind} needs equal sizes in every stream, got {self._listed()}; "
                "use CrossConnection or NDDR, which resize"
            )

    def require_equal_channels(self, advice: str) -> None:
        channels = [shape.channels for shape in self.shapes]
        if len(set(channels)) > 1:
            raise ValueError(f"{self.kind} needs equal channels in every stream, got {channels}; {advice}")

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


def positions_of(links: Sequence[Link], shapes: Sequence[FeatureShape], who: str) -> tuple[tuple[int, int], ...]:
    """Links between the streams that meet as (source, destination) positions; every ordered pair where none are given.

    Args:
        links: By names of streams or by positions.
        shapes: Of the features that meet; each knows its stream.
        who: The unit's name, for messages.

    Raises:
        ValueError: A link names no stream that meets here, does not exist, or is given twice.
    """
    names, every = [shape.stream for shape in shapes], list(permutations(range(len(shapes)), 2))

    def position(end: str | int) -> int:
        if isinstance(end, int):
            return end
        if end not in names:
            raise ValueError(f"{who}: links names {end!r}, which is none of the streams that meet here: {names}")
        return names.index(end)

    found = [(position(source), position(destination)) for source, destination in links]
    for link in found:
        if link not in every:
            raise ValueError(
                f"{who} has no link {link!r}; a link is (source, destination), two different positions "
                f"among the {len(shapes)} streams that meet: {every}"
            )
    if len(set(found)) < len(found):
        raise ValueError(f"{who} was given a link twice: {sorted(found)}; leave the second one out")
    return tuple(found or every)


@final
class Identity(Unit):
    """Hands every feature on unchanged: the control of every experiment. It has no options and no parameters."""

    exact_start = True

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return list(features)

    def sources(self, target: int) -> frozenset[int]:
        return frozenset((target,))

    def forward_some(self, features: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        return {target: features[target] for target in targets}

"""The body of torchvision's dense networks: children run in order, some of whose features are handed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import nn
from torchvision.models._utils import IntermediateLayerGetter


@final
@dataclass(frozen=True)
class Body:
    """stages: name -> paths, as a Stream takes them.  outputs: what the body calls a feature -> its stage, in order."""

    stages: dict[str, list[str]]
    outputs: dict[str, str]


def cut_body(body: nn.Module, path: str) -> Body:
    """A stage per child of a body; leading children that are single layers (ResNet: conv1 ... maxpool) make the stem.

    Raises TypeError for a body that is no IntermediateLayerGetter, which is what torchvision's own builders make.
    """
    if not isinstance(body, IntermediateLayerGetter):
        raise TypeError(
            f"the stages of a {type(body).__name__} as the body of a network are not known; "
            "torchvision's builders make an IntermediateLayerGetter. Write Stream(net, stages={...}, enter=..., exit=...)"
        )
    stages: dict[str, list[str]] = {}
    for name, child in body.named_children():
        single = not any(True for _ in child.children())
        stage = "stem" if single and set(stages) <= {"stem"} and name not in body.return_layers else name
        stages.setdefault(stage, []).append(f"{path}.{name}")
    outputs = {str(out): name for name in stages if (out := body.return_layers.get(name)) is not None}
    return Body(stages, outputs)

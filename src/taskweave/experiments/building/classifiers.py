"""From a choice of classifier of whole images to its network, and to where such networks meet."""

from __future__ import annotations

import functools

import torch
from torch import nn

from taskweave.experiments.choices.classifiers import VGG16, Classifier
from taskweave.heads.pooled import PooledLinear, VGGClassifier
from taskweave.networks.resnet.timm_classifier import timm_classifier
from taskweave.networks.vgg.vgg16 import VGG16 as VGG16Net  # noqa: N811 - the network's name is in capitals
from taskweave.networks.vgg.vgg16 import vgg16
from taskweave.parts import part
from taskweave.streams.convert import as_stream


def build_classifier(choice: Classifier, channels: int) -> nn.Module:
    """A network with so many outputs, random weights."""
    if not isinstance(choice, VGG16):
        return timm_classifier(channels, body=choice.body, dropout=choice.dropout)
    own = part(VGGClassifier, grid=choice.grid, hidden=choice.hidden, dropout=choice.dropout)
    return vgg16(
        channels,
        head=own if choice.head == "vgg" else part(PooledLinear),
        width=choice.width,
        batch_norm=choice.batch_norm,
        bn_momentum=choice.bn_momentum,
        bn_eps=choice.bn_eps,
    )


def classifier_places(choice: Classifier) -> tuple[str, ...]:
    """Where they usually meet: VGG-16's pools, and all stages of a timm network."""
    return VGG16Net.usual_stages if isinstance(choice, VGG16) else _stages(choice.body)


@functools.cache
def _stages(body: str) -> tuple[str, ...]:
    with torch.device("meta"):
        return tuple(as_stream(timm_classifier(1, body=body)).stages)

"""The common start: one body trained on generated scenes, and which network it is trained in."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from taskweave.experiments.choices.classifiers import VGG16, TimmClassifier
from taskweave.experiments.choices.data import ScenesData
from taskweave.experiments.choices.network import (
    RPNVGG16,
    DeepLabResNet,
    DeepLabVGG16,
    FastRCNNAlexNet,
    FCN32sAlexNet,
    OneNetwork,
    PerTask,
    PSPNetVGG16,
    SegNetVGG16,
    STANSegNet,
    STUNet,
    TorchvisionDetector,
)
from taskweave.experiments.choices.pet_net import PetNet
from taskweave.experiments.choices.start import PretrainedOnScenes
from taskweave.experiments.choices.task import DepthTask, NormalsTask, SegmentationTask, Tasks

if TYPE_CHECKING:
    from taskweave.experiments.recipe import Recipe

TASKS = ("segmentation", "depth", "normals")


def pretraining_network(network: OneNetwork | PerTask) -> OneNetwork:
    """The network for dense tasks whose body is that of all networks of a recipe: itself, or its dense counterpart.

    RPN, PSPNet and the classifier on VGG-16 share a body, Fast R-CNN and FCN-32s on AlexNet another, STAN and SegNet a
    third. Raises ValueError for a network that has no counterpart, or networks with different bodies.
    """
    if not isinstance(network, PerTask):
        return _counterpart(network)
    found = {task: _counterpart(one) for task, one in network.networks.items()}
    first = next(iter(found.values()))
    if other := next((task for task, one in found.items() if one != first), None):
        raise ValueError(
            f"start {{kind: scenes}} trains one body for all networks, but those of {next(iter(found))!r} and {other!r} "
            "have different ones; give them the same body (width, batch_norm), or start from scratch"
        )
    return first


def _counterpart(network: OneNetwork) -> OneNetwork:
    match network:
        case DeepLabVGG16() | DeepLabResNet() | FCN32sAlexNet() | STUNet() | SegNetVGG16():
            return network
        case PetNet():  # a sigmoid would keep depth and normals in (0, 1)
            return network.model_copy(update={"sigmoid": False, "batch_statistics": False, "hidden": (200, 80)})
        case STANSegNet():
            return SegNetVGG16(widths=network.widths)
        case RPNVGG16() | PSPNetVGG16() | VGG16():
            return PSPNetVGG16(
                width=network.width,
                batch_norm=network.batch_norm,
                bn_momentum=network.bn_momentum,
                bn_eps=network.bn_eps,
                hidden=8 * network.width,
            )
        case TimmClassifier():
            return DeepLabResNet(body=network.body, output_stride=32)  # which refuses what is no timm ResNet
        case FastRCNNAlexNet():
            return FCN32sAlexNet(body=network.body, hidden=network.hidden)
        case TorchvisionDetector():
            raise ValueError(
                "start {kind: scenes} has no dense counterpart of a torchvision_detector; start from scratch or the library"
            )
        case _:
            assert_never(network)


def pretraining(recipe: Recipe) -> Recipe:
    """The recipe of the pre-training on scenes: the same body, all dense tasks, generated data."""
    start = recipe.start
    assert isinstance(start, PretrainedOnScenes)
    data = ScenesData(size=start.size, train=start.images, test=1, seed=start.seed, augmentation=start.augmentation)
    tasks = Tasks(segmentation=SegmentationTask(), depth=DepthTask(), normals=NormalsTask())
    changed = {"data": data, "tasks": tasks, "network": pretraining_network(recipe.network), "further_tests": {}}
    return recipe.model_copy(update={**changed, "name": f"{recipe.name}: start"})

"""From a choice of network to one task's network."""

from __future__ import annotations

from typing import assert_never

from torch import nn

from taskweave.experiments.building.classifiers import build_classifier, classifier_places
from taskweave.experiments.building.pets import build_pet_net
from taskweave.experiments.choices.classifiers import VGG16, TimmClassifier
from taskweave.experiments.choices.detection import DetectionTask
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
from taskweave.heads.dense import ASPP, AsppV3, LargeFOV
from taskweave.heads.head import Head
from taskweave.networks.alexnet.fast_rcnn_alexnet import FastRCNNAlexNet as FastRCNNAlexNetNet
from taskweave.networks.alexnet.fast_rcnn_alexnet import fast_rcnn_alexnet
from taskweave.networks.alexnet.fcn32s_alexnet import FCN32sAlexNet as FCN32sAlexNetNet
from taskweave.networks.alexnet.fcn32s_alexnet import fcn32s_alexnet
from taskweave.networks.pets.pet_nets import PetMapNet
from taskweave.networks.resnet.deeplab_resnet import DeepLabResNet as DeepLabResNetNet
from taskweave.networks.resnet.deeplab_resnet import deeplab_resnet
from taskweave.networks.segnet.mtan_segnet import stan_segnet
from taskweave.networks.segnet.segnet_vgg16 import SegNetVGG16 as SegNetVGG16Net
from taskweave.networks.segnet.segnet_vgg16 import segnet_vgg16
from taskweave.networks.torchvision_detector import torchvision_detector
from taskweave.networks.unet.st_unet import STUNet as STUNetNet
from taskweave.networks.unet.st_unet import st_unet
from taskweave.networks.vgg.deeplab_vgg16 import DeepLabVGG16 as DeepLabVGG16Net
from taskweave.networks.vgg.deeplab_vgg16 import deeplab_vgg16
from taskweave.networks.vgg.pspnet_vgg16 import PSPNetVGG16 as PSPNetVGG16Net
from taskweave.networks.vgg.pspnet_vgg16 import pspnet_vgg16
from taskweave.networks.vgg.rpn_vgg16 import RPNVGG16 as RPNVGG16Net  # noqa: N811 - the network's name is in capitals
from taskweave.networks.vgg.rpn_vgg16 import rpn_vgg16
from taskweave.parts import Part, part
from taskweave.tasks.attributes import Attributes
from taskweave.tasks.task import Task
from taskweave.units.attention import Attention

_BODY = ("stem", "layer1", "layer2", "layer3", "layer4")


def build_plain(choice: OneNetwork, task: Task, *, detection: DetectionTask | None = None) -> nn.Module:
    """One task's network, random weights. detection: what torchvision's detectors, which suppress by themselves, go by."""
    match choice:
        case DeepLabVGG16():
            return deeplab_vgg16(
                task.channels,
                head=part(ASPP if choice.head == "aspp" else LargeFOV, hidden=choice.hidden, dropout=choice.dropout),
                batch_norm=choice.batch_norm,
                bn_momentum=choice.bn_momentum,
                bn_eps=choice.bn_eps,
            )
        case DeepLabResNet():
            return deeplab_on_resnet(choice)(task.channels)
        case FCN32sAlexNet():
            return fcn32s_alexnet(task.channels, body=choice.body, hidden=choice.hidden, dropout=choice.dropout)
        case RPNVGG16() | PSPNetVGG16():
            return _on_vgg16(choice, task)
        case FastRCNNAlexNet():
            boxes = not isinstance(task, Attributes)
            return fast_rcnn_alexnet(
                task.channels, boxes=boxes, body=choice.body, hidden=choice.hidden, dropout=choice.dropout
            )
        case STUNet() | SegNetVGG16() | STANSegNet():
            return _decoding(choice, task)
        case VGG16() | TimmClassifier():
            return build_classifier(choice, task.channels)
        case PetNet():
            return build_pet_net(choice, task)
        case TorchvisionDetector():
            return _torchvision(choice, task, detection or DetectionTask())
        case _:
            assert_never(choice)


def _decoding(choice: STUNet | SegNetVGG16 | STANSegNet, task: Task) -> nn.Module:
    if isinstance(choice, SegNetVGG16):
        return segnet_vgg16(task.channels, widths=choice.widths)
    if isinstance(choice, STANSegNet):
        return stan_segnet(task.channels, widths=choice.widths)
    return unet_of(choice)(task.channels)


def unet_of(choice: STUNet) -> Part[STUNetNet]:
    """The call that a choice stands for."""
    return part(
        st_unet,
        widths=choice.widths,
        decoder_widths=choice.decoder_widths,
        bottleneck=choice.bottleneck,
        dense=choice.dense,
        skip=choice.skip,
        upsampling=choice.upsampling,
        attention=part(Attention) if choice.attention else None,
        dropout=choice.dropout,
        bn_eps=choice.bn_eps,
    )


def _on_vgg16(choice: RPNVGG16 | PSPNetVGG16, task: Task) -> nn.Module:
    if isinstance(choice, RPNVGG16):
        return rpn_vgg16(
            task.channels,
            heights=choice.heights,
            ratios=choice.ratios,
            hidden=choice.hidden,
            width=choice.width,
            batch_norm=choice.batch_norm,
            bn_momentum=choice.bn_momentum,
            bn_eps=choice.bn_eps,
        )
    return pspnet_vgg16(
        task.channels,
        bins=choice.bins,
        output_stride=choice.output_stride,
        hidden=choice.hidden,
        dropout=choice.dropout,
        width=choice.width,
        batch_norm=choice.batch_norm,
        bn_momentum=choice.bn_momentum,
        bn_eps=choice.bn_eps,
    )


def deeplab_on_resnet(choice: DeepLabResNet) -> Part[DeepLabResNetNet]:
    """The call that a choice stands for."""
    head: Part[Head] = part(ASPP, hidden=None, rates=choice.rates, dropout=choice.dropout)
    if choice.head == "aspp_v3":
        head = part(AsppV3, hidden=choice.hidden, rates=choice.rates, dropout=choice.dropout)
    return part(deeplab_resnet, body=choice.body, output_stride=choice.output_stride, head=head)


def _torchvision(choice: TorchvisionDetector, task: Task, detection: DetectionTask) -> nn.Module:
    return torchvision_detector(
        task.channels,
        detector=choice.detector,
        body=choice.body,
        batch_norm=choice.batch_norm,
        min_size=choice.min_size,
        max_size=choice.max_size,
        nms=detection.nms,
        score=detection.score,
        detections=detection.detections,
    )


_PLACES: dict[type[OneNetwork], tuple[str, ...]] = {
    DeepLabVGG16: DeepLabVGG16Net.usual_stages,
    DeepLabResNet: DeepLabResNetNet.usual_stages,
    FCN32sAlexNet: FCN32sAlexNetNet.usual_stages,
    RPNVGG16: RPNVGG16Net.usual_stages,
    PSPNetVGG16: PSPNetVGG16Net.usual_stages,
    FastRCNNAlexNet: FastRCNNAlexNetNet.usual_stages,
    TorchvisionDetector: _BODY,
    STUNet: STUNetNet.usual_stages,
    SegNetVGG16: SegNetVGG16Net.usual_stages,
    STANSegNet: SegNetVGG16Net.usual_stages,
    PetNet: PetMapNet.usual_stages,
}


def places_of(choice: OneNetwork | PerTask) -> tuple[str, ...]:
    """Where streams of such networks usually meet. Raises ValueError for networks that do not meet at the same places."""
    if isinstance(choice, VGG16 | TimmClassifier):
        return classifier_places(choice)
    if not isinstance(choice, PerTask):
        return _PLACES[type(choice)]
    found = {task: places_of(one) for task, one in choice.networks.items()}
    if len(set(found.values())) > 1:
        raise ValueError(f"the networks of the tasks usually meet at different places {found}: say where with `places`")
    return next(iter(found.values()))


def body_end(choice: OneNetwork) -> str:
    """The last stage of a network that is no head of one task: as far as pre-training shares."""
    match choice:
        case RPNVGG16() | PSPNetVGG16() | VGG16():
            return "conv5_3"
        case STUNet():
            return "bottleneck"
        case SegNetVGG16() | STANSegNet():
            return "dec1_2"
        case PetNet():
            return "encoder5"
        case _:
            return places_of(choice)[-1]

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
from taskweave.heads.anchors import Anchors
from taskweave.networks.alexnet.fast_rcnn_alexnet import FastRCNNAlexNet as FastRCNNAlexNetNet
from taskweave.networks.alexnet.fast_rcnn_alexnet import fast_rcnn_alexnet
from taskweave.networks.alexnet.fcn32s_alexnet import FCN32sAlexNet as FCN32sAlexNetNet
from taskweave.networks.alexnet.fcn32s_alexnet import fcn32s_alexnet
from taskweave.networks.pets.pet_nets import PetMapNet
from taskweave.networks.resnet.deeplab_resnet import DeepLabResNet as DeepLabResNetNet
from taskweave.networks.resnet.deeplab_resnet import deeplab_resnet
from taskweave.networks.segnet.segnet_vgg16 import SegNetVGG16 as SegNetVGG16Net
from taskweave.networks.segnet.segnet_vgg16 import segnet_vgg16
from taskweave.networks.segnet.stan_segnet import stan_segnet
from taskweave.networks.unet.st_unet import STUNet as STUNetNet
from taskweave.networks.unet.st_unet import st_unet
from taskweave.networks.vgg.deeplab_vgg16 import DeepLabVGG16 as DeepLabVGG16Net
from taskweave.networks.vgg.deeplab_vgg16 import deeplab_vgg16
from taskweave.networks.vgg.pspnet_vgg16 import PSPNetVGG16 as PSPNetVGG16Net
from taskweave.networks.vgg.pspnet_vgg16 import pspnet_vgg16
from taskweave.networks.vgg.rpn_vgg16 import RPNVGG16 as RPNVGG16Net  # noqa: N811 - the network's name is in capitals
from taskweave.networks.vgg.rpn_vgg16 import rpn_vgg16
from taskweave.tasks.attributes import Attributes
from taskweave.tasks.task import Task

_BODY = ("stem", "layer1", "layer2", "layer3", "layer4")


def build_plain(choice: OneNetwork, task: Task, *, detection: DetectionTask | None = None) -> nn.Module:
    """One task's network, random weights. detection: what torchvision's detectors, which suppress by themselves, go by."""
    match choice:
        case DeepLabVGG16():
            return deeplab_vgg16(
                task.channels,
                head=choice.head,
                batch_norm=choice.batch_norm,
                dropout=choice.dropout,
                hidden=choice.hidden,
                bn_momentum=choice.bn_momentum,
                bn_eps=choice.bn_eps,
            )
        case DeepLabResNet():
            return deeplab_resnet(
                task.channels,
                body=choice.body,
                output_stride=choice.output_stride,
                head=choice.head,
                hidden=choice.hidden,
                rates=choice.rates,
                dropout=choice.dropout,
            )
        case FCN32sAlexNet():
            return fcn32s_alexnet(task.channels, body=choice.body, hidden=choice.hidden, dropout=choice.dropout)
        case RPNVGG16() | PSPNetVGG16():
            return _on_vgg16(choice, task)
        case FastRCNNAlexNet():
            attributes = task.channels if isinstance(task, Attributes) else None
            classes = None if attributes is not None else task.channels - 1
            return fast_rcnn_alexnet(
                classes, attributes=attributes, body=choice.body, hidden=choice.hidden, dropout=choice.dropout
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
    return st_unet(
        task.channels,
        widths=choice.widths,
        decoder_widths=choice.decoder_widths,
        bottleneck=choice.bottleneck,
        dense=choice.dense,
        skip=choice.skip,
        upsampling=choice.upsampling,
        attention=choice.attention,
        dropout=choice.dropout,
        bn_eps=choice.bn_eps,
    )


def _on_vgg16(choice: RPNVGG16 | PSPNetVGG16, task: Task) -> nn.Module:
    if isinstance(choice, RPNVGG16):
        return rpn_vgg16(
            task.channels - 1,  # background is none of the detector's classes
            anchors=Anchors(choice.heights, choice.ratios),
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


def _torchvision(choice: TorchvisionDetector, task: Task, detection: DetectionTask) -> nn.Module:
    from torchvision.models.detection import FasterRCNN, RetinaNet
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops import FrozenBatchNorm2d
    from torchvision.ops.feature_pyramid_network import LastLevelP6P7

    twice = choice.detector == "faster_rcnn"
    body = resnet_fpn_backbone(
        backbone_name=choice.body,
        weights=None,
        norm_layer=nn.BatchNorm2d if choice.batch_norm else FrozenBatchNorm2d,
        trainable_layers=5,
        returned_layers=None if twice else [2, 3, 4],
        extra_blocks=None if twice else LastLevelP6P7(256, 256),
    )
    build = FasterRCNN if twice else RetinaNet
    own = {"nms_thresh": detection.nms, "score_thresh": detection.score, "detections_per_img": detection.detections}
    rule = {f"box_{name}": value for name, value in own.items()} if twice else own
    net: nn.Module = build(body, num_classes=task.channels, min_size=choice.min_size, max_size=choice.max_size, **rule)
    return net


_PLACES: dict[type[OneNetwork], tuple[str, ...]] = {
    DeepLabVGG16: DeepLabVGG16Net.places,
    DeepLabResNet: DeepLabResNetNet.places,
    FCN32sAlexNet: FCN32sAlexNetNet.places,
    RPNVGG16: RPNVGG16Net.places,
    PSPNetVGG16: PSPNetVGG16Net.places,
    FastRCNNAlexNet: FastRCNNAlexNetNet.places,
    TorchvisionDetector: _BODY,
    STUNet: STUNetNet.places,
    SegNetVGG16: SegNetVGG16Net.places,
    STANSegNet: SegNetVGG16Net.places,
    PetNet: PetMapNet.places,
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

"""The networks that a recipe can build, one per task."""

from __future__ import annotations

from typing import Annotated, Literal, final

from pydantic import Field

from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.classifiers import VGG16, TimmClassifier
from taskweave.experiments.choices.pet_net import PetNet
from taskweave.experiments.choices.vgg import VGG16Choice

Rate = Annotated[float, Field(ge=0.0, lt=1.0)]


@final
class DeepLabVGG16(Choice):
    """DeepLab on VGG-16, as in the NDDR paper; stages are the paper's: conv1_1 ... pool5, fc6, fc7."""

    kind: Literal["deeplab_vgg16"] = "deeplab_vgg16"
    head: Literal["largefov", "aspp"] = "largefov"
    batch_norm: bool = True
    """After every convolution, as the authors' code has it."""
    bn_momentum: float = Field(default=0.05, gt=0.0, lt=1.0)
    bn_eps: float = Field(default=1e-3, gt=0.0)
    hidden: int = Field(default=1024, ge=1)
    """Channels of fc6 and fc7."""
    dropout: Rate = 0.5


@final
class DeepLabResNet(Choice):
    """DeepLab on any timm ResNet; stages: stem, layer1 ... layer4."""

    kind: Literal["deeplab_resnet"] = "deeplab_resnet"
    body: str = "resnet18"
    """timm's name of the ResNet."""
    output_stride: Literal[8, 16, 32] = 8
    head: Literal["aspp", "aspp_v3"] = "aspp"
    hidden: int = Field(default=256, ge=1)
    """Channels of the aspp_v3 head."""
    rates: tuple[int, ...] | None = None
    """Dilations of the head, in cells of the output; None: the papers', for 321 px and more."""
    dropout: Rate = 0.0


@final
class FCN32sAlexNet(Choice):
    """FCN-32s on AlexNet, as in the cross-stitch paper; stages conv1 ... conv5, pool1, pool2, pool5, fc6, fc7."""

    kind: Literal["fcn32s_alexnet"] = "fcn32s_alexnet"
    body: Literal["caffenet", "torchvision"] = "caffenet"
    hidden: int = Field(default=4096, ge=1)
    """Channels of fc6 and fc7."""
    dropout: Rate = 0.5


@final
class RPNVGG16(VGG16Choice):
    """A region proposal network as the detector, on conv5_3 at 1/16 (the cross-connected paper)."""

    kind: Literal["rpn_vgg16"] = "rpn_vgg16"
    heights: Annotated[tuple[Annotated[float, Field(gt=0.0)], ...], Field(min_length=1)] = tuple(
        round(40 * 1.3**k, 3) for k in range(9)
    )
    """Of the anchors, in pixels of the network's input: nine scales."""
    ratios: Annotated[tuple[Annotated[float, Field(gt=0.0)], ...], Field(min_length=1)] = (0.41,)
    """Width over height of the anchors; pedestrians have one."""


@final
class PSPNetVGG16(VGG16Choice):
    """Pyramid pooling over conv5_3 (the cross-connected paper)."""

    kind: Literal["pspnet_vgg16"] = "pspnet_vgg16"
    bins: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (1, 2, 3, 6)
    output_stride: Literal[8, 16] = 8
    dropout: Rate = 0.1


@final
class FastRCNNAlexNet(Choice):
    """Fast R-CNN on AlexNet for objects or attributes of regions; stages conv1 ... conv5, pool1, pool2, pool5, fc6, fc7."""

    kind: Literal["fast_rcnn_alexnet"] = "fast_rcnn_alexnet"
    body: Literal["caffenet", "torchvision"] = "caffenet"
    hidden: int = Field(default=4096, ge=1)
    """Channels of fc6 and fc7."""
    dropout: Rate = 0.5


@final
class TorchvisionDetector(Choice):
    """torchvision's Faster R-CNN or RetinaNet on a ResNet with a pyramid; stem, layer1 ... layer4."""

    kind: Literal["torchvision_detector"] = "torchvision_detector"
    detector: Literal["faster_rcnn", "retinanet"] = "faster_rcnn"
    body: Literal["resnet18", "resnet34", "resnet50", "resnet101"] = "resnet18"
    batch_norm: bool = True
    """Trained batch norm; else frozen, as torchvision has it for pre-trained bodies."""
    min_size: int = Field(default=800, ge=16)
    """Images are resized until their shorter side is so long, or their longer one `max_size`."""
    max_size: int = Field(default=1333, ge=16)


Width = Annotated[int, Field(ge=1)]
FourWidths = tuple[Width, Width, Width, Width]
FiveWidths = tuple[Width, Width, Width, Width, Width]


@final
class STUNet(Choice):
    """The single-task form of MT-UNet; stages encoder1 ... encoder4, bottleneck, decoder1, up1 ... decoder4."""

    kind: Literal["st_unet"] = "st_unet"
    widths: FourWidths = (64, 128, 256, 512)
    """Channels of each convolution in the encoder's blocks."""
    decoder_widths: FourWidths | None = None
    """Of the decoder's blocks, in their order; None: the encoder's reversed."""
    bottleneck: tuple[Width, Width] | None = None
    """Channels of its two convolutions and of its transposed one; None: twice the last width, both."""
    dense: Literal["encoder", "block"] = "encoder"
    """Whether a convolution sees all before it, or those of its own block."""
    skip: Literal["last", "all"] = "last"
    """What a decoder block gets of its encoder block: the last convolution, or all that it hands on."""
    upsampling: Literal["transposed", "bilinear"] = "transposed"
    attention: bool = True
    dropout: Rate = 0.2
    bn_eps: float = Field(default=1e-5, gt=0.0)
    """Of the batch norms behind a ReLU."""


@final
class SegNetVGG16(Choice):
    """SegNet on VGG-16 (the MTAN paper's); stages conv1_1 ... pool5, unpool5, dec5_1 ... dec1_2, hidden."""

    kind: Literal["segnet_vgg16"] = "segnet_vgg16"
    widths: FiveWidths = (64, 128, 256, 512, 512)
    """Channels of each block's convolutions."""


@final
class STANSegNet(Choice):
    """The single-task form of MTAN: SegNet with a column of attention; stages as SegNet's, then attend_conv1_2 ..."""

    kind: Literal["stan_segnet"] = "stan_segnet"
    widths: FiveWidths = (64, 128, 256, 512, 512)
    """Channels of each block's convolutions."""


OneNetwork = (
    DeepLabVGG16
    | DeepLabResNet
    | FCN32sAlexNet
    | RPNVGG16
    | PSPNetVGG16
    | FastRCNNAlexNet
    | TorchvisionDetector
    | STUNet
    | SegNetVGG16
    | STANSegNet
    | VGG16
    | TimmClassifier
    | PetNet
)


@final
class PerTask(Choice):
    """Another network for every task."""

    kind: Literal["per_task"] = "per_task"
    networks: Annotated[dict[str, Annotated[OneNetwork, Field(discriminator="kind")]], Field(min_length=1)]
    """By task."""


Network = Annotated[OneNetwork | PerTask, Field(discriminator="kind")]


def network_of(choice: OneNetwork | PerTask, task: str) -> OneNetwork:
    """The network that a task has. Raises ValueError where there is none."""
    if not isinstance(choice, PerTask):
        return choice
    if task not in choice.networks:
        raise ValueError(f"network.networks has none for the task {task!r}; it has {list(choice.networks)}")
    return choice.networks[task]

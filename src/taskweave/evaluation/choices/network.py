"""The networks that a recipe can build, one per task."""

from __future__ import annotations

from typing import Annotated, Literal, final

from pydantic import Field

from taskweave.evaluation.choices.choice import Choice

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


Network = Annotated[DeepLabVGG16 | DeepLabResNet | FCN32sAlexNet, Field(discriminator="kind")]

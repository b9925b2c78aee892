"""The networks that a recipe can build, one per task."""

from __future__ import annotations

from typing import Annotated, Literal, final

from pydantic import Field

from taskweave.evaluation.choices.choice import Choice

Rate = Annotated[float, Field(ge=0.0, lt=1.0)]


@final
class DeepLabVGG16(Choice):
    """DeepLab on VGG-16, as in the NDDR paper; stages are the paper's: pool1 ... pool5, fc6, fc7."""

    kind: Literal["deeplab_vgg16"] = "deeplab_vgg16"
    head: Literal["large_fov", "aspp"] = "large_fov"
    batch_norm: bool = True
    dropout: Rate = 0.5


@final
class DeepLabResNet(Choice):
    """DeepLab on any timm ResNet; stages: the stem and layer1 ... layer4."""

    kind: Literal["deeplab_resnet"] = "deeplab_resnet"
    body: str = "resnet18"
    """timm's name of the ResNet."""
    head_channels: int = Field(default=256, ge=1)


@final
class FCN32sAlexNet(Choice):
    """FCN-32s on AlexNet, as in the cross-stitch paper; stages conv1 ... conv5, pool1, pool2, pool5, fc6, fc7."""

    kind: Literal["fcn32s_alexnet"] = "fcn32s_alexnet"
    body: Literal["caffenet", "torchvision"] = "caffenet"
    dropout: Rate = 0.5


Network = Annotated[DeepLabVGG16 | DeepLabResNet | FCN32sAlexNet, Field(discriminator="kind")]

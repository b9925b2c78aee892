"""Small networks for the tests of streams: the libraries' own classes, with as few numbers as they allow."""

from functools import partial

import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import densenet, vgg
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.detection import FasterRCNN, RetinaNet
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.segmentation.fcn import FCNHead


def timm_net(name: str, **options: object) -> partial[nn.Module]:
    return partial(timm.create_model, name, num_classes=5, drop_rate=0.3, **options)


def timm_vgg(norm: type[nn.Module] | None) -> nn.Module:
    from timm.models.vgg import VGG

    return VGG([4, "M", 4, "M", 8, 8, "M", 8, "M", 8, "M"], num_classes=5, mlp_ratio=1 / 64, norm_layer=norm, drop_rate=0.3)


def small_classifier(net: nn.Module, width: int, first: list[nn.Module]) -> nn.Module:
    """The library's classifier 16 wide: its 59 million numbers would test nothing more."""
    net.classifier = nn.Sequential(
        *first, nn.Linear(width, 16), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(16, 16), nn.ReLU(inplace=True),
        nn.Linear(16, 5),
    )  # fmt: skip
    return net


def torchvision_alexnet() -> nn.Module:
    with torch.device("meta"):
        net = torchvision.models.alexnet()
    net.features.to_empty(device="cpu")
    for layer in net.features:
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()
    return small_classifier(net, 256 * 36, [nn.Dropout(0.5)])


def torchvision_vgg(batch_norm: bool) -> nn.Module:
    layers = vgg.make_layers([4, "M", 4, "M", 8, 8, "M", 8, "M", 8, "M"], batch_norm=batch_norm)
    with torch.device("meta"):
        net = torchvision.models.VGG(nn.Sequential(), init_weights=False)
    net.features = layers
    return small_classifier(net, 8 * 49, [])


def torchvision_densenet() -> nn.Module:
    return densenet.DenseNet(growth_rate=4, block_config=(1, 2, 1, 1), num_init_features=8, drop_rate=0.2, num_classes=5)


def segmentation_net(name: str, aux: bool) -> nn.Module:
    return getattr(torchvision.models.segmentation, name)(weights=None, weights_backbone=None, num_classes=4, aux_loss=aux)


def small_segmentation_net(kind: type[nn.Module], head: type[nn.Module]) -> nn.Module:
    """torchvision's classes on a ResNet-18 instead of a ResNet-50, with the second output."""
    body = IntermediateLayerGetter(torchvision.models.resnet18(), {"layer4": "out", "layer3": "aux"})
    return kind(body, head(512, 4), FCNHead(256, 4))


def _pyramid() -> nn.Module:
    return resnet_fpn_backbone(backbone_name="resnet18", weights=None, trainable_layers=5, norm_layer=nn.BatchNorm2d)


def faster_rcnn() -> nn.Module:
    return FasterRCNN(_pyramid(), 3, min_size=64, max_size=64, rpn_post_nms_top_n_train=50, rpn_post_nms_top_n_test=20)


def retinanet() -> nn.Module:
    net = RetinaNet(_pyramid(), 3, min_size=64, max_size=64, score_thresh=0.0, topk_candidates=20)
    assert isinstance(net.head, RetinaNetHead)
    return net


def images_and_targets() -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """Two pictures of different sizes, one box in each."""
    boxes = {"boxes": torch.tensor([[4.0, 4.0, 30.0, 30.0]]), "labels": torch.tensor([1])}
    return [torch.rand(3, 48, 64), torch.rand(3, 64, 40)], [boxes, boxes]


class UNet(nn.Module):
    """Skips, sizes read from tensors, functional dropout, an optional input and an output in a dict."""

    def __init__(self, channels: int = 4) -> None:
        super().__init__()
        self.down1 = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.down2 = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(inplace=True))
        self.up1 = nn.Conv2d(16 + 8, 8, 3, padding=1)
        self.scale = nn.Parameter(torch.rand(8, 1, 1))
        self.head = nn.Conv2d(8 + 3, channels, 1)

    def forward(self, x: Tensor, mask: Tensor | None = None, *, wide: bool = True) -> dict[str, Tensor]:
        if mask is not None:
            x = x * mask
        a = self.down1(x)
        b = self.down2(a)
        b = F.dropout(b, 0.3, training=self.training)
        c = self.up1(torch.cat([F.interpolate(b, size=a.shape[-2:]), a * self.scale], 1))
        return {"map": self.head(torch.cat([F.interpolate(c, size=x.shape[-2:]), x], 1)), "small": b[:, :2]}


class Skipping(nn.Module):
    """A skip to every later layer: each stage reads what all earlier ones left after fusion."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.a(x)
        b = self.b(a) + a
        c = self.c(b) * a.mean()
        return c + b + a

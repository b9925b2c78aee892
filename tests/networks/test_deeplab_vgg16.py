"""DeepLab on VGG-16: size, geometry, and what its weights compute."""

import functools

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

import taskweave as tw
from taskweave.heads import ASPP, Head, LargeFOV
from taskweave.networks import deeplab_vgg16, load_vgg16, load_weights
from taskweave.networks.vgg.networks import DeepLabVGG16
from taskweave.networks.weights import load_pretrained
from taskweave.parts import part

STAGES = (
    [f"conv1_{i}" for i in (1, 2)] + ["pool1"] + [f"conv2_{i}" for i in (1, 2)] + ["pool2"]
    + [f"conv3_{i}" for i in (1, 2, 3)] + ["pool3"] + [f"conv4_{i}" for i in (1, 2, 3)] + ["pool4"]
    + [f"conv5_{i}" for i in (1, 2, 3)] + ["pool5", "fc6", "fc7"]
)  # fmt: skip


def small(channels: int = 3, *, hidden: int = 8, batch_norm: bool = False) -> DeepLabVGG16:
    return deeplab_vgg16(channels, head=part(LargeFOV, hidden=hidden), batch_norm=batch_norm)


class LinearConv(nn.Module):
    """Ends a network, but is no head."""


@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_head_has_its_networks_batch_norm_unless_it_has_its_own(batch_norm: bool) -> None:
    for head in (LargeFOV, ASPP):
        net = deeplab_vgg16(3, head=part(head, hidden=4), batch_norm=batch_norm, bn_momentum=0.2, bn_eps=0.01)
        norms = [m for m in net.head.modules() if isinstance(m, nn.BatchNorm2d)]
        assert bool(norms) is batch_norm and all((m.momentum, m.eps) == (0.2, 0.01) for m in norms)
    own = deeplab_vgg16(3, head=part(LargeFOV, hidden=4, batch_norm=(0.3, 0.1)), batch_norm=batch_norm)
    assert {(m.momentum, m.eps) for m in own.head.modules() if isinstance(m, nn.BatchNorm2d)} == {(0.3, 0.1)}


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


FC6 = torch.randint(0, 255, (4096, 512 * 49), dtype=torch.uint8)
FC7 = torch.randint(0, 255, (4096, 4096), dtype=torch.uint8)


def imagenet_with_fc(normed: bool) -> dict[str, Tensor]:
    return imagenet(normed).state_dict() | {
        "classifier.0.weight": FC6,
        "classifier.0.bias": torch.arange(4096.0),
        "classifier.3.weight": FC7,
        "classifier.3.bias": -torch.arange(4096.0),
    }


@functools.cache
def imagenet(normed: bool) -> nn.Module:
    """torchvision's VGG-16 with random weights, running statistics not 0 and 1, and no classifier (500 MB)."""
    torch.manual_seed(7)
    with torch.device("meta"):
        net = torchvision.models.vgg16_bn(weights=None) if normed else torchvision.models.vgg16(weights=None)
    net.classifier = nn.Sequential()
    net.to_empty(device="cpu")
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            nn.init.normal_(module.bias, std=0.1)
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in (module.bias, module.running_mean):
                nn.init.normal_(tensor, std=0.1)
    return net.eval()


def test_counts() -> None:
    with torch.device("meta"):
        assert parameters(deeplab_vgg16(40, batch_norm=False)) == 20_524_904
        assert parameters(deeplab_vgg16(40)) == 20_531_176
        # DeepLab v2's VGG-16 ASPP: four times fc6, fc7 and fc8
        body, fc6, fc7, fc8 = 14_714_688, 512 * 1024 * 9 + 1024, 1024 * 1024 + 1024, 1024 * 40 + 40
        assert parameters(deeplab_vgg16(40, head=part(ASPP), batch_norm=False)) == body + 4 * (fc6 + fc7 + fc8)


def test_counts_of_units_on_it() -> None:
    """NDDR-CNN's table: 2,441,216 weights of 1x1 convolutions for two tasks at pool1 ... pool5; 5,888 of cross-stitch."""
    with torch.device("meta"):
        streams = {name: tw.as_stream(deeplab_vgg16(40, batch_norm=False)) for name in ("seg", "normals", "depth")}
    two, example = {name: streams[name] for name in ("seg", "normals")}, torch.empty(1, 3, 65, 65)
    for built, unit, expected in (
        (two, functools.partial(tw.NDDR, order="none"), 2_441_216),
        (two, tw.NDDR, 2_447_104),
        (streams, functools.partial(tw.NDDR, order="none"), 5_492_736),
        (two, tw.CrossStitch, 5_888),
        (two, functools.partial(tw.CrossStitch, per="layer"), 20),
    ):
        net = tw.connect(built, at=DeepLabVGG16.usual_stages, unit=unit, example=example)
        assert parameters(net.connections) == expected


def test_stages_shapes_and_head() -> None:
    with torch.device("meta"):
        net = deeplab_vgg16(40, batch_norm=False)
    stream = tw.as_stream(net)
    assert list(stream.stages) == STAGES
    assert stream.head == ("head.fc8",)
    shapes = stream.shapes(torch.empty(1, 3, 321, 321))
    sizes = {name: (shapes[name].channels, shapes[name].extent) for name in net.usual_stages}
    assert sizes == {  # 321 -> 161 -> 81 -> 41, then no more strides
        "pool1": (64, (161, 161)),
        "pool2": (128, (81, 81)),
        "pool3": (256, (41, 41)),
        "pool4": (512, (41, 41)),
        "pool5": (512, (41, 41)),
    }


def walk(net: nn.Module, x: Tensor) -> Tensor:
    """VGG-16's layers (torchvision's) in DeepLab's geometry: pools 3x3, the last two with stride 1, conv5 dilated."""
    pools = 0
    for layer in net.features:
        if isinstance(layer, nn.Conv2d):
            rate = 2 if pools == 4 else 1
            x = F.conv2d(x, layer.weight, layer.bias, padding=rate, dilation=rate)
        elif isinstance(layer, nn.MaxPool2d):
            pools += 1
            x = F.max_pool2d(x, 3, stride=2 if pools < 4 else 1, padding=1)
        else:
            x = F.relu(x) if isinstance(layer, nn.ReLU) else layer(x)
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


@pytest.mark.parametrize("ours", [False, True], ids=["plain", "batch norm"])
@pytest.mark.parametrize("theirs", [False, True], ids=["from plain", "from batch norm"])
def test_vgg_weights_compute_the_same_in_either_form(ours: bool, theirs: bool) -> None:
    source, x = imagenet(theirs), torch.randn(1, 3, 33, 40)
    net = small(batch_norm=ours).eval()
    load_vgg16(net, source)
    with torch.no_grad():
        expected = walk(source, x)
        torch.testing.assert_close(net.features(x), expected, rtol=1e-4, atol=1e-5 * expected.abs().max().item())
        # before the first pool the geometry is torchvision's own
        first = source.features[: 6 if theirs else 4](x)
        torch.testing.assert_close(net.features[:2](x), first, rtol=1e-5, atol=1e-5 * first.abs().max().item())


def test_plain_weights_into_the_plain_form_are_exact() -> None:
    source, x = imagenet(False), torch.randn(1, 3, 33, 40)
    net = small().eval()
    load_vgg16(net, source.state_dict())
    with torch.no_grad():
        assert torch.equal(net.features(x), walk(source, x))


def test_weights_without_norm_leave_its_statistics_neutral() -> None:
    net = small(batch_norm=True)
    load_vgg16(net, imagenet(False))
    norm = net.features.conv3_2.norm
    assert torch.equal(norm.weight, torch.ones(256))
    assert torch.equal(norm.bias, imagenet(False).features[12].bias)
    assert torch.equal(norm.running_mean, torch.zeros(256))
    torch.testing.assert_close(norm.running_var + norm.eps, torch.ones(256))


@pytest.mark.parametrize("head", [LargeFOV, ASPP])
def test_decimation_takes_every_fourth_channel_and_every_third_tap(head: type[Head]) -> None:
    net = deeplab_vgg16(3, head=part(head), batch_norm=False)
    load_vgg16(net, imagenet_with_fc(False), fc="decimated")
    layers = [(net.head.fc6, net.head.fc7)] if head is LargeFOV else list(zip(net.head.fc6, net.head.fc7, strict=True))
    assert len(layers) == (1 if head is LargeFOV else 4)
    for six, seven in layers:
        # output 5 was 20; input channel 3; row 1 was 3, column 2 was 6
        assert six[0].conv.weight[5, 3, 1, 2] == FC6[20, 3 * 49 + 3 * 7 + 6]
        assert six[0].conv.weight[1023, 511, 0, 0] == FC6[4092, 511 * 49]
        assert seven[0].conv.weight[7, 9, 0, 0] == FC7[28, 36]
        assert six[0].conv.bias[5] == 20 and seven[0].conv.bias[7] == -28


def test_fresh_leaves_the_head_alone() -> None:
    net = small()
    before = net.head.fc6[0].conv.weight.clone()
    load_vgg16(net, imagenet(False))
    assert torch.equal(net.head.fc6[0].conv.weight, before)


def test_timms_names_are_known() -> None:
    timm = pytest.importorskip("timm")
    source = timm.create_model("vgg16", pretrained=False)
    net = deeplab_vgg16(3, batch_norm=False)
    load_vgg16(net, source, fc="decimated")
    assert torch.equal(net.features.conv5_3.conv.weight, source.features[28].weight)
    assert torch.equal(net.head.fc6[0].conv.weight, source.pre_logits.fc1.weight[::4, :, ::3, ::3])


def test_weights_of_another_network_are_named() -> None:
    net = small()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    with pytest.raises(
        ValueError, match=r"another network than VGG-16: missing \['features.0.weight'.*unexpected \['conv1.wei"
    ):
        load_vgg16(net, torchvision.models.resnet18(weights=None))
    with pytest.raises(ValueError, match=r"missing \['features.17.weight'.*unexpected \['features.16.weight'"):
        with torch.device("meta"):
            deeper = torchvision.models.vgg19(weights=None)
        load_vgg16(net, deeper)
    wrong = imagenet(False).state_dict() | {"features.5.weight": torch.zeros(128, 32, 3, 3)}
    with pytest.raises(ValueError, match=r"'features.5.weight' is \(128, 32, 3, 3\) where \(128, 64, 3, 3\) was expected"):
        load_vgg16(net, wrong)
    with pytest.raises(ValueError, match="which these weights lack"):
        load_vgg16(net, imagenet(False), fc="decimated")
    with pytest.raises(ValueError, match="hidden must divide 4096; got 10"):
        load_vgg16(small(hidden=10), imagenet_with_fc(False), fc="decimated")
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_load_weights_names_what_differs() -> None:
    net = small()
    with pytest.raises(
        ValueError, match=r"'head.fc8.weight' is \(4, 8, 1, 1\) where \(3, 8, 1, 1\) was expected, and 1 more"
    ):
        load_weights(net, small(4))
    with pytest.raises(ValueError, match=r"holds a int; if this is a training checkpoint"):
        load_weights(net, {"step": 3})  # type: ignore[dict-item]
    other = small()
    load_weights(net, other.state_dict())
    assert torch.equal(net.features.conv1_1.conv.weight, other.features.conv1_1.conv.weight)


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="unknown head 'fpn'"):
        part(deeplab_vgg16, head="fpn")
    with pytest.raises(ValueError, match="is no head: it makes LinearConv; a head is a subclass of Head"):
        part(deeplab_vgg16, head=LinearConv)
    with pytest.raises(ValueError, match="'fresh', 'decimated' or 'loaded', got 'all'"):
        load_vgg16(small(), imagenet(False), fc="all")  # type: ignore[arg-type]


def test_pretrained_weights_that_cannot_be_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(**_: object) -> nn.Module:
        raise OSError("Name or service not known")

    monkeypatch.setattr(torchvision.models, "vgg16", offline)
    with pytest.raises(ConnectionError, match=r"could not download torchvision's VGG-16: OSError: Name .* load_vgg16"):
        load_pretrained(small())
    with pytest.raises(TypeError, match="no pre-trained weights are known for Linear"):
        load_pretrained(nn.Linear(1, 1))


class Downloaded(nn.Module):
    """Stands for what torchvision returns: only its state_dict is read."""

    def __init__(self, normed: bool) -> None:
        super().__init__()
        self.state = imagenet_with_fc(normed)

    def state_dict(self) -> dict[str, Tensor]:  # type: ignore[override]
        return self.state


@pytest.mark.parametrize("normed", [False, True])
def test_pretrained_weights_arrive(monkeypatch: pytest.MonkeyPatch, normed: bool) -> None:
    monkeypatch.setattr(torchvision.models, "vgg16_bn" if normed else "vgg16", lambda **_: Downloaded(normed))
    net = deeplab_vgg16(3, batch_norm=normed)
    load_pretrained(net)
    assert torch.equal(net.features.conv1_1.conv.weight, imagenet(normed).features[0].weight)
    assert torch.equal(net.head.fc7[0].conv.weight[..., 0, 0], FC7[::4, ::4].float())

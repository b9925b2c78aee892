"""MTAN on ResNet-DeepLab: the mask against its formula, sizes, what is shared, and the networks that it contains."""

from functools import partial
from itertools import pairwise

import pytest
import torch
from contracts.network_contract import assert_compiles_and_exports, assert_copies
from networks.segnets import count, lively, normed
from networks.test_mtan_segnet import Open, mask
from torch import Tensor, nn
from torch.nn import functional as F

import taskweave as tw
from taskweave.heads.dense import AsppV3
from taskweave.networks import load_pretrained, load_resnet, vgg16
from taskweave.networks.attending import attention_masks
from taskweave.networks.resnet.deeplab_resnet import DeepLabResNet, deeplab_resnet
from taskweave.networks.resnet.mtan_resnet import DEEPLAB_V3, STANResNet, mtan_resnet, stan_resnet, with_attention
from taskweave.parts import part

timm = pytest.importorskip("timm")

OUTPUTS = {"seg": 5, "depth": 1}
CHANNELS = (8, 12, 16, 20)
SMALL = part(deeplab_resnet, body="resnet18", head=part(AsppV3, hidden=8, rates=(1, 2)))
resnet18 = partial(mtan_resnet, network=SMALL)


def tiny(channels: int = 5, *, output_stride: int = 8, blocks: int = 2) -> STANResNet:
    """On a ResNet of few channels, with two blocks a layer."""
    body = timm.models.resnet.ResNet(
        timm.models.resnet.BasicBlock,
        (2, 2, blocks, 2),
        num_classes=0,
        global_pool="",
        output_stride=output_stride,
        channels=CHANNELS,
    )
    head = AsppV3(tw.FeatureShape.image(CHANNELS[3]), channels, hidden=4, rates=(1, 2))
    return with_attention(DeepLabResNet(body, head))


def network(net: tw.Connected, name: str) -> STANResNet:
    found = net.stream(name).net
    assert isinstance(found, STANResNet)
    return found


def projected(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """A residual bottleneck written out: 1x1, 3x3, 1x1, and a 1x1 beside them; batch norms in eval mode."""

    def layer(conv: str, bn: str, x: Tensor) -> Tensor:
        weight = state[f"{name}.{conv}.weight"]
        mean, var, gamma, beta = (
            state[f"{name}.{bn}.{key}"][None, :, None, None] for key in ("running_mean", "running_var", "weight", "bias")
        )
        return (F.conv2d(x, weight, padding=weight.shape[-1] // 2) - mean) / (var + 1e-5).sqrt() * gamma + beta

    inner = layer("conv2", "bn2", layer("conv1", "bn1", x).clamp_min(0)).clamp_min(0)
    return (layer("conv3", "bn3", inner) + layer("downsample.0", "downsample.1", x)).clamp_min(0)


@pytest.mark.parametrize(("layer", "pools"), [(2, True), (3, False)])
def test_attended_feature(layer: int, pools: bool) -> None:
    """a = m * p of a smaller layer (its f ends in a pool) and of a dilated one."""
    net = lively(tiny().double())
    assert isinstance(net, STANResNet)
    state = net.state_dict()
    before, width = CHANNELS[layer - 2], CHANNELS[layer - 1]
    u, p = torch.randn(2, 2, width, 3, 4, dtype=torch.float64)
    below = torch.randn(2, before, *((6, 8) if pools else (3, 4)), dtype=torch.float64)
    f = projected(state, f"path.{layer - 2}", below)
    if pools:
        f = torch.stack([f[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]).amax(0)
    expected = mask(state, layer - 1, torch.cat([u, f], 1)) * p
    torch.testing.assert_close(net.attend(layer - 1, below, {f"layer{layer}.0": u, f"layer{layer}.1": p}), expected)
    first = mask(state, 0, below[:, :8, :3]) * below[:, :8, 3:6] if pools else None
    if first is not None:
        seen = {"layer1.0": below[:, :8, :3], "layer1.1": below[:, :8, 3:6]}
        torch.testing.assert_close(net.attend(0, below, seen), first)


@pytest.mark.parametrize(("output_stride", "sizes"), [(8, [9, 5, 5, 5]), (16, [9, 5, 3, 3]), (32, [9, 5, 3, 2])])
def test_every_output_stride(output_stride: int, sizes: list[int]) -> None:
    """f shrinks where the ResNet does, odd sizes too."""
    net, x = tiny(output_stride=output_stride).eval(), torch.rand(2, 3, 35, 64)
    stream = tw.as_stream(net)
    found = stream.shapes(x)
    assert [found[f"attend_layer{layer}"].extent[0] for layer in (1, 2, 3, 4)] == sizes
    stream.prove(x)
    with torch.no_grad():
        assert net(x).shape == (2, 5, 35, 64)


def size(outputs: dict[str, int], widths: tuple[int, ...], body: int, hidden: int) -> int:
    """The shared ResNet and f; per task four attention blocks, ASPP with five branches and the last layer."""
    path = 0
    for before, after in pairwise(widths):
        middle = after // 4
        path += normed(before, middle, 1) + normed(middle, middle) + normed(middle, after, 1) + normed(before, after, 1)
    reads = [widths[0], *(2 * width for width in widths[1:])]
    column = sum(
        normed(read, width // 4, 1) + normed(width // 4, width, 1) for read, width in zip(reads, widths, strict=True)
    )
    top = widths[3]
    aspp = normed(top, hidden, 1) + 3 * normed(top, hidden) + top * hidden + hidden + normed(5 * hidden, hidden, 1)
    return body + path + sum(column + aspp + hidden * channels + channels for channels in outputs.values())


@pytest.mark.parametrize(
    ("backbone", "widths", "body"),
    [
        ("resnet50", (256, 512, 1024, 2048), 25_557_032 - 2_049_000),
        ("resnet18", (64, 128, 256, 512), 11_689_512 - 513_000),
    ],
)
def test_parameter_count(backbone: str, widths: tuple[int, ...], body: int) -> None:
    """torchvision's printed sizes without their classifiers, and the rest by hand."""
    outputs = {"seg": 13, "depth": 1, "normals": 3}
    with torch.device("meta"):
        assert count(mtan_resnet(outputs, network=DEEPLAB_V3.replace(body=backbone))) == size(outputs, widths, body, 256)
        assert count(stan_resnet(13, network=DEEPLAB_V3.replace(body=backbone))) == size({"seg": 13}, widths, body, 256)
    if backbone == "resnet50":
        assert (size({"seg": 13}, widths, body, 256), size(outputs, widths, body, 256)) == (51_148_749, 90_561_745)


def test_with_masks_of_one_each_task_is_a_deeplab_on_the_shared_resnet() -> None:
    net, x = lively(resnet18(OUTPUTS, attention=Open)), torch.rand(2, 3, 40, 33)
    assert isinstance(net, tw.Connected)
    with torch.no_grad():
        outputs = net(x)
        for name in OUTPUTS:
            own = network(net, name)
            logits = DeepLabResNet(own.body, own.head).eval()(x)
            assert logits.shape[2:] == (5, 5)
            expected = F.interpolate(logits, size=(40, 33), mode="bilinear", align_corners=False)
            assert torch.equal(outputs[name], expected)


def test_every_task_is_a_stan_on_shared_parts() -> None:
    net, x = lively(resnet18(OUTPUTS)), torch.rand(2, 3, 40, 33)
    assert isinstance(net, tw.Connected)
    seg, depth = network(net, "seg"), network(net, "depth")
    assert seg.body is depth.body
    assert seg.path is depth.path
    calls: list[int] = []
    seg.body.get_submodule("layer4").get_submodule("1").register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        outputs = net(x)
        assert len(calls) == 1
        for name, channels in OUTPUTS.items():
            alone = stan_resnet(channels, network=SMALL)
            alone.load_state_dict(network(net, name).state_dict())
            assert torch.equal(outputs[name], alone.eval()(x))
            assert torch.equal(outputs[name], net(x, tasks=(name,))[name])
    masks = attention_masks(net, x)
    assert all([m.shape[1] for m in masks[name]] == [64, 128, 256, 512] for name in OUTPUTS)


def test_gradients() -> None:
    """One task's loss reaches what is shared and its own, not the other's; all losses reach everything."""
    net, x = resnet18(OUTPUTS), torch.rand(2, 3, 64, 64)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):  # timm's residual branches start at zero
            nn.init.normal_(module.weight, mean=1.0, std=0.1)
    net(x)["depth"].square().mean().backward()
    assert not [name for name, p in net.stream("depth").named_parameters() if p.grad is None or not p.grad.any()]
    mine = {id(p) for p in net.stream("depth").parameters()}
    assert all(p.grad is None for p in net.parameters() if id(p) not in mine)
    sum(output.square().mean() for output in net(x).values()).backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())


def test_weights_load_into_the_shared_resnet() -> None:
    net, source = resnet18(OUTPUTS), timm.create_model("resnet18")
    load_resnet(network(net, "depth"), source)
    expected = source.state_dict()
    for name in OUTPUTS:
        assert all(torch.equal(v, expected[key]) for key, v in network(net, name).body.state_dict().items())
    with pytest.raises(ValueError, match="another network than the body resnet18"):
        load_resnet(network(net, "seg"), timm.create_model("resnet34"))
    with pytest.raises(TypeError, match="this STANResNet was built from a body without a name"):
        load_pretrained(tiny())


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match=r"last two residual blocks of every layer, and this backbone has \[2, 2, 1, 2\]"):
        tiny(blocks=1)
    with pytest.raises(ValueError, match="no_such_net"):
        mtan_resnet(OUTPUTS, network=SMALL.replace(body="no_such_net"))
    for build in (mtan_resnet, stan_resnet):
        with pytest.raises(ValueError, match="deeplab_resnet with the head aspp_v3, got 'aspp'"):
            part(build, network=part(deeplab_resnet))
        with pytest.raises(ValueError, match="network is a deeplab_resnet with options of its own, got 'vgg16'"):
            build(OUTPUTS, network=part(vgg16))
    with pytest.raises(ValueError, match="at least one stream"):
        mtan_resnet({})


def test_the_same_deeplab_has_the_same_body_and_head() -> None:
    net = SMALL(5)
    stan = with_attention(net)
    assert stan.body is net.body
    assert stan.head is net.head


@pytest.mark.slow
def test_compiles_and_exports() -> None:
    streams = {}
    nets = {name: tiny(channels) for name, channels in OUTPUTS.items()}
    for name, own in nets.items():
        own.body, own.path = nets["seg"].body, nets["seg"].path
        streams[name] = tw.as_stream(own)
    net, x = tw.Connected(streams, trunk="layer4.1"), torch.rand(2, 3, 33, 40)
    assert_compiles_and_exports(net, x)
    assert_copies(net, x)

"""Dense and Split on ResNet-DeepLab: sizes, what each task reads, what is shared, and that all of it learns."""

from functools import partial

import pytest
import torch
from networks.segnets import count, lively, normed
from torch.nn import functional as F

import taskweave as tw
from taskweave.heads import AsppV3
from taskweave.networks import deeplab_resnet, dense_resnet, load_resnet, split_resnet
from taskweave.networks.resnet.baselines import DenseResNet
from taskweave.parts import part

timm = pytest.importorskip("timm")

OUTPUTS = {"seg": 5, "depth": 1}
NETWORK = part(deeplab_resnet, body="resnet18", head=part(AsppV3, hidden=8, rates=(1, 2)))
SMALL = {"network": NETWORK}
RESNET18 = 11_689_512 - 513_000
"""torchvision's printed size without its classifier."""
STEM_AND_LAYERS = (64, 64, 128, 256, 512)


def head_size(top: int, channels: int, hidden: int = 8, rates: int = 2) -> int:
    """ASPP: 1x1, a 3x3 per rate, the picture's mean with a bias, the projection; then the last layer."""
    branches = normed(top, hidden, 1) + rates * normed(top, hidden) + top * hidden + hidden
    return branches + normed((rates + 2) * hidden, hidden, 1) + hidden * channels + channels


def test_dense_size() -> None:
    """A ResNet for all, one for each task, five 1x1 convolutions from twice the channels, and a head."""
    merges = sum(normed(2 * width, width, 1) for width in STEM_AND_LAYERS)
    expected = RESNET18 + sum(RESNET18 + merges + head_size(512, channels) for channels in OUTPUTS.values())
    with torch.device("meta"):
        assert count(dense_resnet(OUTPUTS, **SMALL)) == expected


def basic_block(sources: int, channels: int) -> int:
    projected = normed(sources, channels, 1) if sources != channels else 0
    return normed(sources, channels) + normed(channels, channels) + projected


def test_split_sizes() -> None:
    """layer4 of 1024 channels instead of 512; or four residual blocks a layer instead of two."""
    layer4 = basic_block(256, 512) + basic_block(512, 512)
    wide = RESNET18 - layer4 + basic_block(256, 1024) + basic_block(1024, 1024)
    deep = RESNET18 + 2 * sum(basic_block(width, width) for width in STEM_AND_LAYERS[1:])
    for kind, body, top in (("standard", RESNET18, 512), ("wide", wide, 1024), ("deep", deep, 512)):
        with torch.device("meta"):
            net = split_resnet(OUTPUTS, grown=kind, **SMALL)  # type: ignore[arg-type]
        assert count(net) == body + sum(head_size(top, channels) for channels in OUTPUTS.values())


def test_dense_reads_every_feature_of_the_shared_resnet() -> None:
    """A task's network written out: behind each own feature stands the shared one."""
    net, x = lively(dense_resnet(OUTPUTS, **SMALL)), torch.rand(2, 3, 40, 33)
    assert isinstance(net, tw.Connected)
    with torch.no_grad():
        outputs = net(x)
        for name, channels in OUTPUTS.items():
            one = net.stream(name).net
            assert isinstance(one, DenseResNet)
            shared, own = x, x
            for i, stage in enumerate(("stem", "layer1", "layer2", "layer3", "layer4")):
                for path in ("conv1", "bn1", "act1", "maxpool") if stage == "stem" else (stage,):
                    shared, own = one.body.get_submodule(path)(shared), one.own.get_submodule(path)(own)
                both, layer = torch.cat([own, shared], 1), one.merge[i]
                norm = layer.norm
                own = F.conv2d(both, layer.conv.weight)
                own = F.batch_norm(own, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=1e-5).relu()
            expected = F.interpolate(one.head(own), size=(40, 33), mode="bilinear", align_corners=False)
            assert expected.shape == (2, channels, 40, 33)
            torch.testing.assert_close(outputs[name], expected)
            assert torch.equal(outputs[name], one(x))
            assert torch.equal(outputs[name], net(x, tasks=(name,))[name])


def test_split_is_tw_share() -> None:
    net, x = lively(split_resnet(OUTPUTS, grown="standard", **SMALL)), torch.rand(2, 3, 40, 33)
    assert isinstance(net, tw.Connected)
    streams = {name: tw.as_stream(NETWORK(channels)) for name, channels in OUTPUTS.items()}
    for name in OUTPUTS:
        streams[name].net.load_state_dict(net.stream(name).net.state_dict())
    shared = tw.share(streams, until="layer4").eval()
    assert count(shared) == count(net)
    with torch.no_grad():
        outputs, expected = net(x), shared(x)
        assert all(torch.equal(outputs[name], expected[name]) for name in OUTPUTS)


@pytest.mark.parametrize("build", [dense_resnet, partial(split_resnet, grown="deep"), partial(split_resnet, grown="wide")])
def test_gradients(build: partial[tw.Connected]) -> None:
    """One task's loss reaches what is shared and its own, not the others'; all losses reach everything."""
    torch.manual_seed(0)
    net, x = build(OUTPUTS, **SMALL), torch.rand(2, 3, 32, 32)
    net(x)["depth"].square().mean().backward()
    mine = {id(p) for p in net.stream("depth").parameters()}
    assert all(p.grad is None for p in net.parameters() if id(p) not in mine)
    sum(output.square().mean() for output in net(x).values()).backward()
    assert all(p.grad is not None for p in net.parameters())
    for name in OUTPUTS:
        net.stream(name).prove(x)


def test_weights_of_a_resnet_load_into_what_all_tasks_share() -> None:
    source = timm.create_model("resnet18")
    for build in (dense_resnet, partial(split_resnet, grown="standard")):
        net = build(OUTPUTS, **SMALL)
        load_resnet(net.stream("seg").net, source)
        assert torch.equal(net.stream("depth").net.body.layer3[1].conv2.weight, source.layer3[1].conv2.weight)


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="grown is 'standard', 'wide' or 'deep', got 'narrow'"):
        split_resnet(OUTPUTS, grown="narrow")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"one of \('resnet18', .*got 'resnet50d'"):
        split_resnet(OUTPUTS, network=NETWORK.replace(body="resnet50d"))

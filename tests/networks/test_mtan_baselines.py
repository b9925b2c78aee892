"""Split and Dense: their sizes, what each task reads, and the networks that they contain."""

from functools import partial
from itertools import pairwise

import pytest
import torch
from contracts.network_contract import assert_compiles_and_exports, assert_copies
from networks.segnets import DEPTHS, TINY, WIDTHS, Source, body_size, count, handed_on, head_size, lively, normed
from torch import Tensor, nn
from torch.nn import functional as F

import taskweave as tw
from taskweave.networks.segnet.baselines import DenseSegNet, dense_segnet, split_segnet
from taskweave.networks.segnet.segnet_vgg16 import segnet_vgg16
from taskweave.networks.vgg.weights import load_vgg16

OUTPUTS = {"seg": 5, "depth": 1, "normals": 3}
SINGLE = 24_973_901


def heads(width: int, outputs: dict[str, int]) -> int:
    return sum(head_size(width, channels) for channels in outputs.values())


def column(widths: tuple[int, ...]) -> int:
    """A task's own SegNet in Dense: the first convolution of every block but the picture's sees twice the channels, and
    the first of the last two has them still."""
    plain, out = body_size(widths), handed_on(widths)
    wider = sum(9 * w * o for w, o in [*pairwise(widths), *zip(widths, out, strict=True)])
    w = widths[0]
    last = normed(2 * w, 2 * w) + normed(2 * w, w) - normed(2 * w, w) - normed(w, w)
    return plain + wider + last


def dense_size(widths: tuple[int, ...], outputs: dict[str, int]) -> int:
    unread = 2 * normed(widths[0], widths[0])
    return body_size(widths) - unread + len(outputs) * column(widths) + heads(widths[0], outputs)


def split_size(widths: tuple[int, ...], kind: str, outputs: dict[str, int]) -> int:
    grown = (*widths[:4], 2 * widths[4]) if kind == "wide" else widths
    depths = [2 * depth for depth in DEPTHS] if kind == "deep" else DEPTHS
    return body_size(grown, depths) + heads(widths[0], outputs)


@pytest.mark.parametrize("widths", [WIDTHS, TINY])
def test_parameter_counts(widths: tuple[int, ...]) -> None:
    with torch.device("meta"):
        for kind in ("standard", "wide", "deep"):
            assert count(split_segnet(OUTPUTS, grown=kind, widths=widths)) == split_size(widths, kind, OUTPUTS)
        assert count(dense_segnet(OUTPUTS, widths=widths)) == dense_size(widths, OUTPUTS)


def test_sizes_of_the_docstrings() -> None:
    outputs = {"seg": 13, "depth": 1, "normals": 3}
    splits = [split_size(WIDTHS, kind, outputs) for kind in ("standard", "wide", "deep")]
    assert splits == [
        25_048_017,
        43_925_457,
        50_793_425,
    ]
    assert dense_size(WIDTHS, outputs) == 123_670_673


def test_sizes_against_single_networks() -> None:
    """The parameter columns of MTAN's tables as we remember them (neither the MT-UNet paper nor our spec prints them), in
    single-task SegNets: Split 1.75 wide and 2 deep, truncated; Dense 4.95 for three tasks, 3.63 for two."""
    three = {"seg": 13, "depth": 1, "normals": 3}
    two = {"seg": 13, "depth": 1}
    assert int(100 * split_size(WIDTHS, "wide", two) / SINGLE) == 175
    assert int(split_size(WIDTHS, "deep", two) / SINGLE) == 2
    assert [round(dense_size(WIDTHS, outputs) / SINGLE, 2) for outputs in (three, two)] == [4.95, 3.63]


def test_split_is_tw_share() -> None:
    """One SegNet up to its last convolution; of the same weights, the same outputs."""
    split, x = lively(split_segnet(OUTPUTS, grown="standard", widths=TINY)), torch.rand(2, 3, 40, 33)
    assert isinstance(split, tw.Connected)
    streams = {name: tw.as_stream(segnet_vgg16(channels, widths=TINY)) for name, channels in OUTPUTS.items()}
    for name in OUTPUTS:
        streams[name].net.load_state_dict(split.stream(name).net.state_dict())
    shared = tw.share(streams, until="dec1_2").eval()
    assert count(shared) == count(split)
    with torch.no_grad():
        outputs, expected = split(x), shared(x)
        assert all(torch.equal(outputs[name], expected[name]) for name in OUTPUTS)


@pytest.mark.parametrize("kind", ["wide", "deep"])
def test_split_grows(kind: str) -> None:
    net, x = split_segnet(OUTPUTS, grown=kind, widths=TINY), torch.rand(2, 3, 33, 40)  # type: ignore[arg-type]
    for name, channels in OUTPUTS.items():
        assert net(x)[name].shape == (2, channels, 33, 40)
        net.stream(name).prove(x)
    assert len({id(net.stream(name).net.get_submodule("body")) for name in OUTPUTS}) == 1


def block(layers: nn.Module, x: Tensor) -> Tensor:
    """The convolutions of a block, written out; eval mode."""
    for layer in layers.children():
        x = F.conv2d(x, layer.conv.weight, padding=1)
        norm = layer.norm
        x = F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=1e-5).relu()
    return x


def test_dense_reads_every_feature_of_the_shared_network() -> None:
    """A task's network written out: behind each own pooled or unpooled map stands the shared one."""
    net, x = lively(dense_segnet(OUTPUTS, widths=TINY)), torch.rand(2, 3, 40, 33)
    assert isinstance(net, tw.Connected)
    pool, unpool = nn.MaxPool2d(2, ceil_mode=True, return_indices=True), nn.MaxUnpool2d(2)
    with torch.no_grad():
        outputs = net(x)
        for name in OUTPUTS:
            own = net.stream(name).net
            assert isinstance(own, DenseSegNet)
            shared, y, found = own.shared(x), x, []
            for i in range(5):
                y = block(own.encoder[i], y if i == 0 else torch.cat([y, shared[f"pool{i}"]], 1))
                size = y.shape
                y, places = pool(y)
                found.append((places, size))
            for i in (5, 4, 3, 2, 1):
                places, size = found.pop()
                y = block(own.decoder[i - 1], torch.cat([unpool(y, places, output_size=size), shared[f"unpool{i}"]], 1))
            torch.testing.assert_close(outputs[name], own.head(y))
            assert torch.equal(outputs[name], own(x))
            assert torch.equal(outputs[name], net(x, tasks=(name,))[name])


def test_dense_without_the_shared_features_is_a_segnet_of_its_own() -> None:
    """Filters of zero for what is shared: nothing of it arrives."""
    net = lively(dense_segnet({"seg": 2}, widths=TINY)).stream("seg").net  # type: ignore[operator, union-attr]
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        for layers in [*net.encoder[1:], *net.decoder]:
            weight = layers[0].conv.weight
            weight[:, weight.shape[1] // 2 :] = 0
        before = net(x)
        for p in net.shared.parameters():
            p.add_(0.01)
        assert torch.equal(net(x), before)


@pytest.mark.parametrize("build", [partial(split_segnet, grown="wide"), dense_segnet])
def test_gradients(build: partial[tw.Connected]) -> None:
    """One task's loss reaches what is shared and its own, not the others'; all losses reach everything."""
    net, x = build(OUTPUTS, widths=TINY), torch.rand(4, 3, 64, 64)
    net(x)["depth"].square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.stream("depth").parameters())
    mine = {id(p) for p in net.stream("depth").parameters()}
    assert all(p.grad is None for p in net.parameters() if id(p) not in mine)
    sum(output.square().mean() for output in net(x).values()).backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())


def test_vgg16_weights_load_into_what_all_tasks_share() -> None:
    source, x = lively(Source(batch_norm=True)), torch.rand(2, 3, 32, 32)
    for build, body in ((partial(split_segnet, grown="standard"), "body"), (dense_segnet, "shared")):
        net = build(OUTPUTS, widths=TINY).eval()
        load_vgg16(net.stream("depth").net, source)  # type: ignore[arg-type]
        with torch.no_grad():
            found = net.stream("seg").net.get_submodule(body)(x)["conv5_3"]
            torch.testing.assert_close(found, source.features[:-1](x))


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="grown is 'standard', 'wide' or 'deep', got 'narrow'"):
        split_segnet(OUTPUTS, grown="narrow")  # type: ignore[arg-type]
    for build in (split_segnet, dense_segnet):
        with pytest.raises(ValueError, match=r"5 blocks, all positive; got \(4,\)"):
            build(OUTPUTS, widths=(4,))


@pytest.mark.slow
def test_compiles_and_exports() -> None:
    net, x = dense_segnet({"seg": 2, "depth": 1}, widths=TINY), torch.rand(2, 3, 33, 40)
    assert_compiles_and_exports(net, x)
    assert_copies(net, x)

"""MTAN and STAN against their formulas written out, their sizes, what is shared, and networks that they contain."""

from functools import partial

import pytest
import torch
from contracts.network_contract import assert_compiles_and_exports, assert_copies
from networks.segnets import TINY, WIDTHS, Source, body_size, column_size, conv, count, head_size, lively, path_size
from torch import Tensor, nn
from torch.nn import functional as F

import taskweave as tw
from taskweave.networks.attending import attention_masks
from taskweave.networks.segnet.mtan_segnet import STANSegNet, mtan_segnet, stan_segnet
from taskweave.networks.segnet.segnet_vgg16 import SegNetVGG16, segnet_vgg16
from taskweave.networks.vgg.weights import load_vgg16
from taskweave.training.groups import parameters_by_role
from taskweave.units.attention import Attention

OUTPUTS = {"seg": 5, "depth": 1, "normals": 3}


def tiny(**options: object) -> tw.Connected:
    return mtan_segnet(OUTPUTS, widths=TINY, **options)  # type: ignore[arg-type]


def network(net: tw.Connected, name: str) -> STANSegNet:
    found = net.stream(name).net
    assert isinstance(found, STANSegNet)
    return found


def product(weight: Tensor, x: Tensor) -> Tensor:
    """A 1x1 convolution as what it is."""
    return torch.einsum("oi,bihw->bohw", weight[:, :, 0, 0], x)


def norm(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    mean, var, gamma, beta = (
        state[f"{name}.{key}"][None, :, None, None] for key in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / (var + 1e-5).sqrt() * gamma + beta


def mask(state: dict[str, Tensor], block: int, read: Tensor) -> Tensor:
    """sigmoid(BN(W_2 ReLU(BN(W_1 read))))."""
    at = f"attention.{block}.mask"
    hidden = norm(state, f"{at}.1", product(state[f"{at}.0.weight"], read)).clamp_min(0)
    return 1 / (1 + (-norm(state, f"{at}.4", product(state[f"{at}.3.weight"], hidden))).exp())


def enlarged(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear with corner on corner: row i of n out of m is at i (m - 1) / (n - 1)."""
    for axis, n in ((2, size[0]), (3, size[1])):
        m = x.shape[axis]
        at = torch.arange(n, dtype=x.dtype) * (m - 1) / max(n - 1, 1)
        low = at.floor().clamp_max(max(m - 2, 0)).long()
        high = (low + 1).clamp_max(m - 1)
        share = (at - low).reshape([-1 if a == axis else 1 for a in range(4)])
        x = x.index_select(axis, low) * (1 - share) + x.index_select(axis, high) * share
    return x


def test_mask_of_an_encoder_block() -> None:
    """a_2 = m_2 * p_2, m_2 from u_2 and f(a_1)."""
    net = lively(stan_segnet(3, widths=TINY).double())
    assert isinstance(net, STANSegNet)
    state = net.state_dict()
    u, p, below = (torch.randn(2, c, *size, dtype=torch.float64) for c, size in ((4, (6, 8)), (4, (6, 8)), (4, (12, 16))))
    f = conv(state, "path.down.0", below).clamp_min(0)
    f = torch.stack([f[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]).amax(0)
    expected = mask(state, 1, torch.cat([u, f], 1)) * p
    torch.testing.assert_close(net.attend(1, below, {"conv2_1": u, "conv2_2": p}), expected)


def test_mask_of_the_first_block_reads_the_shared_feature_alone() -> None:
    net = lively(stan_segnet(3, widths=TINY).double())
    assert isinstance(net, STANSegNet)
    u, p, below = torch.randn(3, 2, 4, 6, 8, dtype=torch.float64)
    expected = mask(net.state_dict(), 0, u) * p
    torch.testing.assert_close(net.attend(0, below, {"conv1_1": u, "conv1_2": p}), expected)


def test_mask_of_a_decoder_block() -> None:
    """The map from below is enlarged, then f, then beside the unpooled map."""
    net = lively(stan_segnet(3, widths=TINY).double())
    assert isinstance(net, STANSegNet)
    state = net.state_dict()
    u, p, below = (torch.randn(2, c, *size, dtype=torch.float64) for c, size in ((6, (5, 8)), (4, (5, 8)), (6, (3, 4))))
    f = conv(state, "path.up.2", enlarged(below, (5, 8))).clamp_min(0)
    expected = mask(state, 7, torch.cat([u, f], 1)) * p
    torch.testing.assert_close(net.attend(7, below, {"unpool3": u, "dec3_3": p}), expected)


def test_between_encoder_and_decoder_f_goes_down_and_up() -> None:
    net = lively(stan_segnet(3, widths=TINY).double())
    assert isinstance(net, STANSegNet)
    state = net.state_dict()
    u, p, below = (torch.randn(2, c, 4, 6, dtype=torch.float64) for c in (8, 6, 8))
    f = conv(state, "path.down.4", below).clamp_min(0)
    f = torch.stack([f[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]).amax(0)
    f = conv(state, "path.up.0", enlarged(f, (4, 6))).clamp_min(0)
    expected = mask(state, 5, torch.cat([u, f], 1)) * p
    torch.testing.assert_close(net.attend(5, below, {"unpool5": u, "dec5_3": p}), expected)


@pytest.mark.parametrize("widths", [WIDTHS, TINY])
def test_parameter_count(widths: tuple[int, ...]) -> None:
    with torch.device("meta"):
        alone, whole = stan_segnet(13, widths=widths), mtan_segnet({"seg": 13, "depth": 1, "normals": 3}, widths=widths)
    shared, column = body_size(widths) + path_size(widths), column_size(widths)
    heads = [head_size(widths[0], channels) for channels in (13, 1, 3)]
    assert count(alone) == shared + column + heads[0]
    assert count(whole) == shared + 3 * column + sum(heads)
    if widths == WIDTHS:
        assert (count(alone), count(whole)) == (38_170_701, 44_203_985)


def test_sizes_against_single_networks() -> None:
    """The parameter columns of MTAN's tables as we remember them (neither the MT-UNet paper nor our spec prints them), in
    single-task SegNets: STAN 4.56 for three tasks and 3.04 for two, which is 1.52 each, truncated; MTAN 1.77 and 1.65."""
    heads = [head_size(64, channels) for channels in (13, 1, 3)]
    single = body_size(WIDTHS) + heads[0]
    stan = body_size(WIDTHS) + path_size(WIDTHS) + column_size(WIDTHS) + heads[0]
    mtan = [body_size(WIDTHS) + path_size(WIDTHS) + k * column_size(WIDTHS) + sum(heads[:k]) for k in (2, 3)]
    assert int(100 * stan / single) == 152
    assert [round(size / single, 2) for size in mtan] == [1.65, 1.77]


def test_vgg16_weights_load_into_what_all_tasks_share() -> None:
    source, net, x = lively(Source(batch_norm=True)), tiny(), torch.rand(2, 3, 32, 32)
    load_vgg16(network(net, "depth"), source)
    with torch.no_grad():
        for name in OUTPUTS:
            torch.testing.assert_close(network(net, name).eval().body(x)["conv5_3"], source.features[:-1](x))


def test_roles_of_parameters() -> None:
    """Heads are the last layers; everything else, what is shared once, is of the streams."""
    net = tiny()
    roles = parameters_by_role(net)
    assert sum(p.numel() for role in ("streams", "heads") for p in roles[role]) == count(net)
    assert sum(p.numel() for p in roles["heads"]) == sum(TINY[0] * channels + channels for channels in OUTPUTS.values())


class Open(tw.Unit):
    """An attention block whose mask is 1."""

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return features[-1:]


def test_with_masks_of_one_each_task_is_a_segnet_on_the_shared_body() -> None:
    net, x = lively(tiny(attention=Open)), torch.rand(2, 3, 40, 33)
    assert isinstance(net, tw.Connected)
    with torch.no_grad():
        outputs = net(x)
        for name in OUTPUTS:
            own = network(net, name)
            assert torch.equal(outputs[name], SegNetVGG16(own.body, own.head).eval()(x))


def test_with_masks_of_one_it_is_hard_sharing() -> None:
    """Split: one SegNet up to its last convolution, and a head per task."""
    net, x = lively(tiny(attention=Open)), torch.rand(2, 3, 32, 32)
    assert isinstance(net, tw.Connected)
    streams = {name: tw.as_stream(segnet_vgg16(channels, widths=TINY)) for name, channels in OUTPUTS.items()}
    split = tw.share(streams, until="dec1_2").eval()
    for name in OUTPUTS:
        split.stream(name).net.body.load_state_dict(network(net, name).body.state_dict())
        split.stream(name).net.head.load_state_dict(network(net, name).head.state_dict())
    with torch.no_grad():
        expected = split(x)
        assert all(torch.equal(output, expected[name]) for name, output in net(x).items())


def test_every_task_is_a_stan_on_shared_parts() -> None:
    net, x = lively(tiny()), torch.rand(2, 3, 40, 33)
    assert isinstance(net, tw.Connected)
    bodies = {id(network(net, name).body) for name in OUTPUTS}
    paths = {id(network(net, name).path) for name in OUTPUTS}
    assert (len(bodies), len(paths)) == (1, 1)
    with torch.no_grad():
        outputs = net(x)
        for name, channels in OUTPUTS.items():
            alone = stan_segnet(channels, widths=TINY)
            alone.load_state_dict(network(net, name).state_dict())
            assert torch.equal(outputs[name], alone.eval()(x))
            assert torch.equal(outputs[name], net(x, tasks=(name,))[name])


def test_the_shared_network_runs_once() -> None:
    net, calls = tiny(), []
    body, path = network(net, "seg").body, network(net, "seg").path
    body.features.conv3_2.register_forward_hook(lambda *_: calls.append("body"))
    body.decoder.dec1_2.register_forward_hook(lambda *_: calls.append("body"))
    path.down[2].register_forward_hook(lambda *_: calls.append("path"))
    net(torch.rand(2, 3, 32, 32))
    assert sorted(calls) == ["body"] * 2 + ["path"] * 3


def test_gradients() -> None:
    """One task's loss reaches what is shared and its own blocks, not the others'; all losses reach everything."""
    net, x = tiny(), torch.rand(4, 3, 64, 64)
    nn.init.normal_(network(net, "depth").head.get_submodule("classifier").weight)  # type: ignore[arg-type]
    net(x)["depth"].square().mean().backward()
    reached = {name for name, p in network(net, "depth").named_parameters() if p.grad is not None and p.grad.any()}
    assert reached == {name for name, _ in network(net, "depth").named_parameters()}
    others = [network(net, name) for name in ("seg", "normals")]
    assert all(p.grad is None for other in others for p in [*other.attention.parameters(), *other.head.parameters()])
    sum(output.square().mean() for output in net(x).values()).backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())


def test_masks_can_be_looked_at() -> None:
    """Ten per task, between 0 and 1, as wide as what they weigh."""
    masks = attention_masks(tiny(), torch.rand(2, 3, 32, 48))
    assert list(masks) == list(OUTPUTS)
    for found in masks.values():
        assert [m.shape[1] for m in found] == [4, 4, 6, 6, 8, 6, 6, 4, 4, 4]
        assert [m.shape[3] for m in found] == [48, 24, 12, 6, 3, 3, 6, 12, 24, 48]
        assert all(0 <= m.min() <= m.max() <= 1 for m in found)


def test_another_attention_and_a_unit_between_columns() -> None:
    net = lively(tiny(attention=partial(Attention, per="pixel")))
    assert isinstance(net, tw.Connected)
    x = torch.rand(2, 3, 32, 32)
    streams = {name: net.stream(name) for name in net.streams}
    place = dict.fromkeys(streams, "attend_dec2_2")
    stitch = tw.CrossStitch([tw.FeatureShape.image(4, 16, 16)] * 3, self_weight=1.0)
    met = tw.Connected(streams, [tw.Connection(place, stitch)], trunk=net.trunk).eval()
    with torch.no_grad():
        before = net(x)
        assert all(torch.equal(output, before[name]) for name, output in met(x).items())
        stitch.alpha.fill_(1 / 3)
        assert not any(torch.equal(output, before[name]) for name, output in met(x).items())


def test_sizes_are_checked() -> None:
    for build in (partial(stan_segnet, 2), partial(mtan_segnet, OUTPUTS)):
        with pytest.raises(ValueError, match=r"5 blocks, all positive; got \(4,\)"):
            build(widths=(4,))
    with pytest.raises(ValueError, match="at least one stream"):
        mtan_segnet({}, widths=TINY)


def test_references_can_fail() -> None:
    """The written-out enlargement is torch's with corners aligned, and is not torch's without."""
    x = torch.rand(1, 2, 3, 4, dtype=torch.float64)
    torch.testing.assert_close(enlarged(x, (5, 8)), F.interpolate(x, size=(5, 8), mode="bilinear", align_corners=True))
    with pytest.raises(AssertionError):
        torch.testing.assert_close(enlarged(x, (5, 8)), F.interpolate(x, size=(5, 8), mode="bilinear"))


@pytest.mark.slow
def test_compiles_and_exports() -> None:
    net, x = mtan_segnet({"seg": 2, "depth": 1}, widths=TINY), torch.rand(2, 3, 33, 40)
    assert_compiles_and_exports(net, x)
    assert_copies(net, x)

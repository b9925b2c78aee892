"""MT-UNet: what it equals, what reaches what, how many numbers it learns, and any unit between its decoders."""

import copy
from functools import partial
from typing import Any

import pytest
import torch
from contracts.network_contract import assert_compiles_and_exports, assert_copies, assert_gradient_everywhere
from networks.test_st_unet import count, decoder_size, trunk_size
from torch import Tensor, nn

import taskweave as tw
from taskweave.networks import mt_unet, segnet_vgg16, st_unet
from taskweave.parts import Part, part

WIDTHS = (4, 4, 8, 8)
TASKS = {"seg": 5, "depth": 1, "normals": 3}
PAIR = {"seg": 5, "depth": 1}


def given(attention: bool) -> Part[tw.Unit] | None:
    return part(tw.Attention) if attention else None


def small(outputs: dict[str, int], *, attention: bool = True, dropout: float = 0.2, **options: Any) -> tw.Connected:
    return mt_unet(outputs, network=part(st_unet, widths=WIDTHS, attention=given(attention), dropout=dropout), **options)


def picture(batch: int = 2, height: int = 32, width: int = 48) -> Tensor:
    return torch.rand(batch, 3, height, width) - 0.5


def shaken(net: nn.Module) -> nn.Module:
    """Every vector (norms, biases, running moments) away from its start."""
    for tensor in [*net.parameters(), *(b for b in net.buffers() if b.is_floating_point())]:
        if tensor.ndim == 1:
            tensor.data = torch.rand_like(tensor) + 0.5
    return net


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_without_cross_talk_it_is_st_unets_with_one_encoder(attention: bool, training: bool) -> None:
    """Exactly, in float64, weights copied; so are the running moments after, and the gradient of the trunk is the sum."""
    torch.manual_seed(0)
    alone = {
        name: shaken(st_unet(c, widths=WIDTHS, attention=given(attention), dropout=0.0).double())
        for name, c in PAIR.items()
    }
    for shared in ("encoder", "bottleneck"):
        getattr(alone["depth"], shared).load_state_dict(getattr(alone["seg"], shared).state_dict())
    net = small(PAIR, cross_talk=False, attention=attention, dropout=0.0).double()
    for name, one in alone.items():
        net.stream(name).net.load_state_dict(one.state_dict())
    net.train(training)
    x = picture().double()
    outputs = net(x)
    expected = {name: one.train(training)(x) for name, one in alone.items()}
    assert list(outputs) == list(expected)
    for name, one in expected.items():
        assert torch.equal(outputs[name], one)
        for key, value in alone[name].state_dict().items():
            assert torch.equal(net.stream(name).net.state_dict()[key], value), key
    sum(output.square().sum() for output in outputs.values()).backward()
    sum(output.square().sum() for output in expected.values()).backward()
    trunk = net.stream("seg").net.encoder[0].conv1[0].weight.grad
    both = [one.encoder[0].conv1[0].weight.grad for one in alone.values()]
    torch.testing.assert_close(trunk, both[0] + both[1], rtol=1e-9, atol=1e-12)


def test_cross_talk_hears_block_2_of_the_others() -> None:
    """By hand: block 3 is given its own up2, behind it the others' in turn, and the encoder's feature."""
    torch.manual_seed(0)
    net, x = shaken(small(TASKS).double()).eval(), picture().double()
    with torch.no_grad():
        outputs = net(x)
        encoded = [x]
        for block in net.stream("seg").net.encoder:
            encoded.append(block(encoded[-1]))
        skips = [e[:, -w:] for e, w in zip(encoded[1:], WIDTHS, strict=True)][::-1]
        halfway = {}
        for name in TASKS:
            one = net.stream(name).net
            y = one.decoder[0](net.stream("seg").net.bottleneck(encoded[-1]), skips[0])
            halfway[name] = one.up[1](one.decoder[1](one.up[0](y), skips[1]))
        names = list(TASKS)
        for i, name in enumerate(names):
            one = net.stream(name).net
            heard = torch.cat([halfway[n] for n in names[i:] + names[:i]], 1)
            y = one.decoder[2](heard, skips[2])
            y = one.head(one.decoder[3](one.up[2](y), skips[3]))
            torch.testing.assert_close(outputs[name], y, rtol=1e-12, atol=1e-12)


def test_cross_talk_without_weight_is_no_cross_talk() -> None:
    """With zeros where block 3 hears the others, both networks are one; and a stream alone hears zeros."""
    torch.manual_seed(0)
    net, x = shaken(small(PAIR).double()).eval(), picture().double()
    plain = small(PAIR, cross_talk=False).double().eval()
    with torch.no_grad():
        for name in PAIR:
            state = net.stream(name).net.state_dict()
            weight = state["decoder.2.conv1.0.weight"]  # (4, 8 own + 8 heard + 4 of the encoder, 3, 3)
            assert weight.shape == (4, 20, 3, 3)
            weight[:, 8:16] = 0
            narrow = torch.cat([weight[:, :8], weight[:, 16:]], 1)
            plain.stream(name).net.load_state_dict(state | {"decoder.2.conv1.0.weight": narrow})
        for name, output in plain(x).items():
            torch.testing.assert_close(net(x)[name], output, rtol=1e-12, atol=1e-12)
            torch.testing.assert_close(net.stream(name).net(x), output, rtol=1e-12, atol=1e-12)


def reached(net: tw.Connected, task: str) -> set[str]:
    """The parts of the other stream that a task's loss reaches."""
    net.zero_grad()
    net(picture())[task].square().mean().backward()
    other = next(net.stream(name).net for name in net.streams if name != task)
    found = {name: p for name, p in other.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    return {".".join(name.split(".")[:2]) for name in found if not name.startswith(("encoder", "bottleneck"))}


@pytest.mark.parametrize("task", list(PAIR))
def test_what_a_loss_reaches_of_the_other_decoder(task: str) -> None:
    assert reached(small(PAIR), task) == {"decoder.0", "up.0", "decoder.1", "up.1"}
    assert reached(small(PAIR, cross_talk=False), task) == set()


@pytest.mark.parametrize(
    ("tasks", "options"),
    [(PAIR, {}), (TASKS, {}), (PAIR, {"cross_talk": False, "attention": False}), (PAIR, {"unit": tw.NDDR})],
    ids=["two", "three", "plain", "unit"],
)
def test_gradients_reach_all(tasks: dict[str, int], options: dict) -> None:
    class Flat(nn.Module):
        def __init__(self, net: tw.Connected) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat(list(self.net(x).values()), 1)

    torch.manual_seed(0)
    assert_gradient_everywhere(Flat(small(tasks, **options)), picture())


@pytest.mark.parametrize(
    ("tasks", "cross_talk", "attention"),
    [(TASKS, True, True), (TASKS, False, True), (PAIR, True, False), (PAIR, False, False)],
)
def test_parameter_count(tasks: dict[str, int], cross_talk: bool, attention: bool) -> None:
    """One trunk and a decoder per task; cross-talk widens block 3 by 9 * C * C of block 2 for every other task."""
    for widths in (WIDTHS, (64, 128, 256, 512)):
        with torch.device("meta"):
            own = part(st_unet, widths=widths, attention=given(attention))
            net = mt_unet(tasks, network=own, cross_talk=cross_talk)
        guests = (len(tasks) - 1) * cross_talk
        decoders = [decoder_size(c, widths, attention=attention, guests=guests) for c in tasks.values()]
        assert count(net) == trunk_size(widths) + sum(decoders)
        assert count(net.connections) == 0


def test_parameter_counts_in_words() -> None:
    """The docstring's."""
    with torch.device("meta"):
        assert count(mt_unet({"seg": 13, "depth": 1})) == 85_761_742
        assert count(mt_unet({"seg": 13, "depth": 1}, cross_talk=False)) == 85_171_918


UNITS = {"stitch": tw.CrossStitch, "nddr": tw.NDDR, "cross-connection": tw.CrossConnection, "sluice": tw.Sluice}


@pytest.mark.parametrize("unit", UNITS)
def test_any_unit_between_the_decoders(unit: str) -> None:
    net = small(TASKS, unit=UNITS[unit], at=["decoder4", "decoder1", "up1", "decoder2", "decoder3"])
    stages = [next(iter(net.connection(i).at.values())) for i in range(len(net.connections))]
    assert stages == ["decoder1", "up1", "decoder2", "up2", "decoder3", "decoder4"]
    kinds = [type(net.connection(i).unit) for i in range(len(net.connections))]
    assert kinds == [tw.CrossTalk if stage == "up2" else UNITS[unit] for stage in stages]
    shapes = {stage: tuple(s.channels for s in net.connection(i).unit.shapes) for i, stage in enumerate(stages)}
    widths = {"decoder1": 8, "up1": 8, "decoder2": 8, "up2": 8, "decoder3": 4, "decoder4": 4}
    assert shapes == {stage: (width,) * 3 for stage, width in widths.items()}
    assert {name: y.shape[1] for name, y in net(picture()).items()} == TASKS


def test_a_unit_that_hands_on_is_no_unit_and_one_that_mixes_is_felt() -> None:
    x = picture()
    plain = small(PAIR, cross_talk=False).eval()
    state = {f"streams.{key}": value for key, value in plain.streams.state_dict().items()}
    for unit, same in ((tw.Identity, True), (partial(tw.CrossStitch, self_weight=1.0), True), (tw.CrossStitch, False)):
        net = small(PAIR, cross_talk=False, unit=unit).eval()
        net.load_state_dict(state, strict=False)
        for name, output in plain(x).items():
            assert torch.equal(net(x)[name], output) is same


def test_one_unit_object_serves_all_places() -> None:
    shapes = [tw.FeatureShape.image(1, 1, 1)] * 2
    unit = tw.CrossStitch(shapes, per="layer")
    net = small(PAIR, unit=lambda _: unit, at=["decoder1", "decoder4"])
    assert net.connection(0).unit is unit and net.connection(2).unit is unit
    assert count(net.connections) == 4


def test_adding_instead_of_concatenating() -> None:
    """What the docstring says of another cross-talk."""
    net = small(PAIR, cross_talk=False, at=["up2"], unit=partial(tw.CrossConnection, linear=True))
    assert net.connection(0).at == {"seg": "up2", "depth": "up2"}
    assert net(picture())["seg"].shape == (2, 5, 32, 48)
    assert reached(net, "seg") == {"decoder.0", "up.0", "decoder.1", "up.1"}


def test_one_task_alone_runs_the_other_decoder_up_to_block_2_only() -> None:
    net, x = small(PAIR).eval(), picture()
    ran: list[str] = []
    for i, block in enumerate(net.stream("depth").net.decoder):
        block.register_forward_hook(lambda *_, i=i: ran.append(f"decoder{i + 1}"))
    with torch.no_grad():
        some = net(x, tasks=("seg",))
        assert list(some) == ["seg"] and ran == ["decoder1", "decoder2"]
        assert torch.equal(some["seg"], net(x)["seg"])


def test_the_trunk_is_one_and_every_stream_is_whole() -> None:
    net = small(TASKS)
    first = net.stream("seg").net
    for name, channels in TASKS.items():
        one = net.stream(name).net
        assert one.encoder[3] is first.encoder[3] and one.bottleneck is first.bottleneck
        st_unet(channels, widths=WIDTHS, guests=2).load_state_dict(one.state_dict())


def test_predict() -> None:
    net, tasks = small(PAIR), {"seg": tw.tasks.Segmentation(5), "depth": tw.tasks.Depth()}
    image = torch.randint(0, 256, (3, 37, 50), dtype=torch.uint8)
    found = tw.predict(net, tasks, image)
    assert found["seg"].shape == (37, 50) and found["seg"].max() < 5
    assert found["depth"].shape[-2:] == (37, 50)
    statistics = tw.ImageStatistics((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    bare = small(PAIR)
    bare.load_state_dict(net.state_dict())
    plain = tw.predict(net, tasks, image, statistics=statistics)["depth"]
    assert torch.equal(tw.predict(bare, tasks, image, statistics=statistics)["depth"], plain)
    assert not torch.equal(plain, found["depth"])


@pytest.mark.slow
def test_compiles_and_exports() -> None:
    net = shaken(small(PAIR, unit=tw.CrossStitch, at=["decoder1"]))
    assert_compiles_and_exports(net, picture(1, 18, 37), strict=False)
    assert_copies(net, picture(1, 18, 37))


def test_builds_without_memory_and_in_float64() -> None:
    with torch.device("meta"):
        net: Any = small(PAIR, unit=tw.NDDR)
    assert all(p.is_meta for p in net.parameters())
    assert net.state_dict().keys() == small(PAIR, unit=tw.NDDR).state_dict().keys()
    torch.set_default_dtype(torch.float64)
    try:
        net = small(PAIR, unit=tw.NDDR)
    finally:
        torch.set_default_dtype(torch.float32)
    assert {p.dtype for p in net.parameters()} == {torch.float64}
    assert net(picture().double())["seg"].dtype == torch.float64


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least two tasks, got \{'seg': 5\}; for one there is st_unet"):
        small({"seg": 5})
    with pytest.raises(ValueError, match=r"at='encoder2'.*can meet at \['decoder1', 'up1', .*all before is shared"):
        small(PAIR, unit=tw.Identity, at=["encoder2"])
    with pytest.raises(ValueError, match=r"meets 'seg' at 'up2', which it has already passed"):
        small(PAIR, unit=tw.Identity, at=["up2"])
    with pytest.raises(ValueError, match=r"'seg' cannot go on"):
        small(PAIR, unit=tw.CrossTalk, at=["decoder1"])
    with pytest.raises(ValueError, match=r"'seg' cannot go on"):
        small(PAIR, unit=tw.CrossTalk, at=["decoder4"])
    with pytest.raises(ValueError, match="network is an st_unet with options of its own, got 'segnet_vgg16'"):
        part(mt_unet, network=part(segnet_vgg16))


def test_copies_are_apart() -> None:
    net = small(PAIR)
    twin = copy.deepcopy(net)
    assert twin.stream("seg").net.encoder is not net.stream("seg").net.encoder
    assert twin.stream("seg").net.encoder[0] is twin.stream("depth").net.encoder[0]

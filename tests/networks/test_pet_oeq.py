"""The network of the open-ended question: by hand, one way only, its auxiliaries stored, frozen and fine-tuned."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from contracts.network_contract import assert_compiles_and_exports, assert_copies
from torch import Tensor

import taskweave as tw
from taskweave.networks import pet_auxiliaries, pet_oeq
from taskweave.parts import part
from taskweave.training.groups import Freezing
from taskweave.training.options import Freeze
from taskweave.training.stages import load_streams
from taskweave.training.weights import save_weights

pytestmark = pytest.mark.slow

ALL = ("species", "box", "segmentation")
OUTPUTS = {"species": 2, "box": 4, "segmentation": 2}


def small(branches: Sequence[str] = ALL, *, outputs: Mapping[str, int] = OUTPUTS, **options: Any) -> tw.Connected:
    return pet_oeq(outputs, branches=branches, width=2, hidden=(6, 4), **options)


def picture(batch: int = 2, height: int = 64, width: int = 70) -> Tensor:
    return torch.rand(batch, 3, height, width)


def test_by_hand() -> None:
    """Three lanes, a 3 x 3 stitch, two pairs, two lanes, a 2 x 2 stitch, a pair, one lane."""
    torch.manual_seed(0)
    net, x = small().double().eval(), picture().double()
    own, others = net.stream("segmentation").net, [net.stream(name).net for name in ALL[:2]]

    def encoded(one: torch.nn.Module) -> Tensor:
        y = one.stem(x)
        for stage in one.encoder:
            y = stage(y)
        return y

    def stages(index: int, lanes: list[Tensor]) -> list[Tensor]:
        return [stage(y) for stage, y in zip(own.decoder[index].stages, lanes, strict=True)]

    with torch.no_grad():
        ends = [encoded(one) for one in (own, *others)]
        x0, x1, x2 = stages(0, ends)
        lanes = stages(
            1,
            [
                0.5 * x0 + 0.25 * x1 + 0.25 * x2,
                0.25 * x0 + 0.5 * x1 + 0.25 * x2,
                0.25 * x0 + 0.25 * x1 + 0.5 * x2,
            ],
        )
        two = stages(2, [0.5 * lanes[0] + 0.5 * lanes[1], 0.5 * lanes[0] + 0.5 * lanes[2]])
        both = 0.5 * two[0] + 0.5 * two[1]
        last = stages(3, [both, both])
        (y,) = stages(5, stages(4, [0.5 * last[0] + 0.5 * last[1]]))
        outputs = net(x)
        torch.testing.assert_close(outputs["segmentation"], own.last(y)[..., :64, :70], rtol=1e-9, atol=1e-9)
        for one, name, end in zip(others, ALL, ends[1:], strict=False):
            torch.testing.assert_close(outputs[name], one.head(end), rtol=1e-9, atol=1e-9)
            assert torch.equal(one(x), outputs[name])


def learned(net: tw.Connected, name: str) -> bool:
    return any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.stream(name).parameters())


@pytest.mark.parametrize("frozen", [True, False])
def test_one_way(frozen: bool) -> None:
    """The target's loss reaches the auxiliaries where they are not frozen; theirs never reaches it, nor each other."""
    torch.manual_seed(0)
    net, x = small(frozen=frozen), picture()
    net(x)["segmentation"].square().mean().backward()
    assert learned(net, "segmentation")
    assert [learned(net, name) for name in ALL[:2]] == [not frozen] * 2
    if not frozen:
        heads = [p.grad for name in ALL[:2] for p in net.stream(name).net.head.parameters()]
        assert heads == [None] * len(heads)
        net.zero_grad()
        net(x)["box"].square().mean().backward()
        assert [learned(net, name) for name in ALL] == [False, True, False]
        assert all(p.grad is None for p in net.connections.parameters())


def test_an_auxiliary_alone_runs_nothing_else() -> None:
    net, x = small().eval(), picture()
    ran: list[str] = []
    for name in ALL:
        net.stream(name).net.stem.register_forward_hook(lambda *_, name=name: ran.append(name))
    with torch.no_grad():
        assert list(net(x, tasks=("box",))) == ["box"] and ran == ["box"]
        ran.clear()
        assert list(net(x, tasks=("segmentation",))) == ["segmentation"] and sorted(ran) == sorted(ALL)


def state(net: tw.Connected, name: str) -> dict[str, Tensor]:
    return copy.deepcopy(net.stream(name).net.state_dict())


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> list[bool]:
    return [torch.equal(value, other[key]) for key, value in one.items()]


@pytest.mark.parametrize("frozen", [True, False])
def test_what_moves(frozen: bool) -> None:
    """Told to train, with momentum and decay: frozen auxiliaries keep parameters, statistics and counters."""
    torch.manual_seed(0)
    net = small(frozen=frozen)
    net.train()
    freezing = Freezing(net, Freeze(connections=1), hold_norms=False)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    before = {name: state(net, name) for name in ALL}
    for step in range(2):
        freezing.enforce(step)
        optimizer.zero_grad()
        net(picture(), tasks=("segmentation",))["segmentation"].square().mean().backward()
        optimizer.step()
    freezing.release()
    same = {name: equal(before[name], state(net, name)) for name in ALL}
    assert not all(same["segmentation"])
    for name in ALL[:2]:
        assert all(same[name]) is frozen
        counters = [v for k, v in state(net, name).items() if k.endswith("num_batches_tracked")]
        assert {int(counter) for counter in counters} == ({0} if frozen else {2})
        assert net.stream(name).net.training is not frozen


def test_stored_auxiliaries_are_loaded_stream_by_stream(tmp_path) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    first = pet_auxiliaries(OUTPUTS, branches=ALL[:2], width=2, hidden=(6, 4), unused_matrix=True).eval()
    save_weights(first, tmp_path / "first.safetensors")
    net, x = small().eval(), picture()
    load_streams(net, dict.fromkeys(ALL[:2], tmp_path / "first.safetensors"))
    for name, output in first(x).items():
        assert torch.equal(net(x)[name], output)


def test_the_unused_matrix_is_never_used() -> None:
    torch.manual_seed(0)
    net = small(unused_matrix=True, frozen=False)
    sum(y.square().mean() for y in net(picture()).values()).backward()
    idle = [name for name, p in net.named_parameters() if p.grad is None]
    assert [name.rsplit(".", 1)[-1] for name in idle] == ["alpha"]
    assert sum(p.numel() for n, p in net.named_parameters() if n in idle) == 4
    with torch.no_grad():
        plain = small(frozen=False).eval()
        plain.streams.load_state_dict(net.streams.state_dict())
        x = picture()
        assert all(torch.equal(plain(x)[name], net.eval()(x)[name]) for name in ALL)


def test_the_target_alone_reads_its_own_encoder() -> None:
    torch.manual_seed(0)
    net, x = small().eval(), picture()
    net.stream("segmentation").prove(x)
    with torch.no_grad():
        assert not torch.allclose(net.stream("segmentation")(x), net(x)["segmentation"])


def test_more_auxiliaries_and_what_is_refused() -> None:
    outputs = {"species": 2, "breed": 37, "box": 4, "segmentation": 3}
    net = small(tuple(outputs), outputs=outputs)
    assert {name: y.shape[1] for name, y in net(picture()).items()} == outputs
    numbers = [sum(p.numel() for p in net.connection(i).parameters()) for i in range(len(net.connections))]
    assert numbers == [0, 16, 6, 9, 3]
    with pytest.raises(ValueError, match=r"reads two auxiliary networks or more, got branches=\('box', 'segmentation'\)"):
        small(("box", "segmentation"))
    with pytest.raises(ValueError, match="branches are some of"):
        pet_auxiliaries(OUTPUTS, branches=("box", "age"))
    before = part(pet_oeq, branches=ALL, frozen=False, width=2, sigmoid=True).fact("trained_first", ALL)
    assert before == part(pet_auxiliaries, branches=ALL[:2], width=2)


@pytest.mark.slow
def test_compiles_and_exports() -> None:
    net = small()
    assert_compiles_and_exports(net, picture(2, 64, 50), strict=False)
    assert_copies(net, picture(2, 64, 50))

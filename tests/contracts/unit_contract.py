"""What every unit must keep. A new one joins by one line in test_unit_contract.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import torch
from torch import Tensor

from taskweave.features import FeatureShape
from taskweave.units.unit import Unit

Shapes = list[FeatureShape]


@dataclass(frozen=True)
class UnitCase:
    """A unit as the contract sees it.

    build: from shapes.  parameters: how many numbers it learns, from the channels of its features.
    channels, sizes: whether features of different channels, of maps of different sizes, may meet.
    gathers: whether it takes one stream's stages and gives one feature.
    widens: whether every feature leaves with the channels of all.
    anything: whether it takes features of any kind, number and shape.
    """

    name: str
    build: Callable[[Shapes], Unit]
    parameters: Callable[[Sequence[int]], int]
    channels: bool
    sizes: bool
    gathers: bool = False
    widens: bool = False
    anything: bool = False

    def __str__(self) -> str:
        return self.name


def maps(count: int, *, channels: int = 4, size: int = 6) -> Shapes:
    return [FeatureShape.image(channels, size, size - 1) for _ in range(count)]


def tokens(count: int) -> Shapes:
    return [FeatureShape.tokens(7, 4) for _ in range(count)]


def mixed(count: int, *, channels: bool, sizes: bool) -> Shapes:
    """Maps of different channels and sizes, as far as asked."""
    return [FeatureShape.image(4 + 2 * i * channels, 6 - i * sizes, 5 + i * sizes) for i in range(count)]


def features(shapes: Shapes) -> list[Tensor]:
    """Features in float64, as after a ReLU, some zero."""
    return [torch.randn(3, *shape.sizes, dtype=torch.float64).clamp_min(-0.2) + 0.2 for shape in shapes]


def built(case: UnitCase, shapes: Shapes) -> Unit:
    return case.build(shapes).double().eval()


def assert_list_in_list_out(case: UnitCase, shapes: Shapes) -> None:
    """As many features out as streams (one for a gathering), each of its stream's batch, extent and channels (all streams'
    where the case says so); the list that was given and its tensors stay as they were."""
    unit, given = built(case, shapes), features(shapes)
    kept, copies = list(given), [x.clone() for x in given]
    out = unit(given)
    assert isinstance(out, list)
    expected = shapes[-1:] if case.gathers else shapes
    assert len(out) == len(expected), f"{len(out)} features out, not {len(expected)}"
    for y, shape in zip(out, expected, strict=True):
        assert y.shape[0] == 3
        assert FeatureShape.of(y).extent == shape.extent, f"{FeatureShape.of(y)} out for {shape}"
        channels = sum(s.channels for s in shapes) if case.widens else shape.channels
        assert case.gathers or FeatureShape.of(y).channels == channels, f"{FeatureShape.of(y)} out for {shape}"
    assert len(given) == len(kept)
    assert all(a is b and torch.equal(a, c) for a, b, c in zip(given, kept, copies, strict=True)), "an input was changed"


def assert_maps_and_tokens_agree(case: UnitCase, count: int) -> None:
    """Tokens (B, N, C) come out as maps (B, C, N, 1) do."""
    torch.manual_seed(1)
    for_tokens = built(case, tokens(count))
    for_maps = built(case, [FeatureShape.image(4, 7, 1) for _ in range(count)])
    for_maps.load_state_dict(for_tokens.state_dict())
    given = features(tokens(count))
    out = for_maps([x.transpose(1, 2).unsqueeze(-1) for x in given])
    for a, b in zip(for_tokens(given), out, strict=True):
        torch.testing.assert_close(a, b.squeeze(-1).transpose(1, 2), rtol=1e-12, atol=1e-12)


def assert_relabelling(case: UnitCase, count: int) -> None:
    """Streams given in another order come out in that order, at initial values. Random values are made alike first."""
    unit, given = built(case, maps(count)), features(maps(count))
    _make_alike(unit)
    order = [*range(1, count), 0]
    out, moved = unit(given), unit([given[i] for i in order])
    for position, i in enumerate(order):
        torch.testing.assert_close(moved[position], out[i], rtol=1e-12, atol=1e-12)


def _make_alike(unit: Unit) -> None:
    """Where a unit's convolutions of one shape started at random, give all of them the first's values."""
    first: dict[torch.Size, Tensor] = {}
    for module in unit.modules():
        if isinstance(module, torch.nn.Conv2d) and module.weight.detach().unique().numel() > 3:
            module.weight.data.copy_(first.setdefault(module.weight.shape, module.weight.detach()))


def assert_start(case: UnitCase, count: int) -> None:
    """`exact_start` is the truth: claimed, every stream's feature leaves bit for bit as it came, and conversely."""
    unit, given = built(case, maps(count)), features(maps(count))
    own = given[-1:] if case.gathers else given
    out = unit(list(given))
    same = all(torch.equal(a, b) for a, b in zip(out, own, strict=True))
    assert unit.exact_start == same, f"exact_start says {unit.exact_start}, the features say {same}"


def assert_every_parameter_learns(case: UnitCase, shapes: Shapes) -> None:
    """Every parameter gets a gradient that is not all zero within two optimiser steps."""
    unit, given = case.build(shapes).double().train(), features(shapes)
    optimiser = torch.optim.SGD(unit.parameters(), lr=0.1) if list(unit.parameters()) else None
    reached: set[str] = set()
    for _ in range(2):
        loss = sum(((y * torch.randn_like(y)) ** 2).sum() for y in unit(list(given)))
        if optimiser is None:
            return
        optimiser.zero_grad()
        loss.backward()
        reached |= {name for name, p in unit.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        optimiser.step()
    silent = {name for name, _ in unit.named_parameters()} - reached
    assert not silent, f"{sorted(silent)} get no gradient"


def assert_parameter_count(case: UnitCase, shapes: Shapes) -> None:
    found = sum(p.numel() for p in case.build(shapes).parameters())
    expected = case.parameters([shape.channels for shape in shapes])
    assert found == expected, f"{found} numbers, not {expected}"


def assert_some_agree_with_all(case: UnitCase, count: int) -> None:
    """`forward_some` gives what `forward` gives, from the features of `sources` alone."""
    unit, given = built(case, maps(count)), features(maps(count))
    out = unit(list(given))
    for targets in chain.from_iterable(combinations(range(count), n) for n in range(1, count + 1)):
        needed = frozenset[int]().union(*(unit.sources(t) for t in targets))
        some = unit.forward_some({i: given[i] for i in needed}, targets)
        assert sorted(some) == sorted(targets)
        assert all(torch.equal(some[t], out[t]) for t in targets)
        assert set(targets) <= needed


def assert_refuses(build: Callable[[Shapes], object], shapes: Shapes, *words: str) -> None:
    """ValueError whose message names the unit, what was given, and what to do (`words`)."""
    try:
        unit = build(shapes)
    except ValueError as error:
        for word in words:
            assert re.search(re.escape(word), str(error)), f"{word!r} is not in: {error}"
        return
    raise AssertionError(f"{unit} was built from {[str(shape) for shape in shapes]}")


def assert_refuses_what_it_cannot(case: UnitCase) -> None:
    """Vectors, volumes, maps with tokens, too many or too few features, and what the case says it does not adapt."""
    if case.anything:
        return
    name = type(case.build(maps(2))).__name__
    vector, volume = FeatureShape((8,), 1), FeatureShape((4, 2, 3, 3), 1)
    assert_refuses(case.build, [vector, vector], name, "(B, C=8)", "connect at a stage")
    assert_refuses(case.build, [volume, volume], name, "(B, C=4, 2, 3, 3)", "connect at a stage")
    assert_refuses(case.build, [FeatureShape((5, 5, 4), 3)] * 2, name, "(B, 5, 5, C=4)", "channel_axis")
    assert_refuses(case.build, [*maps(1), *tokens(1)], name, "(B, 7, C=4)", "same kind")
    assert_refuses(case.build, [FeatureShape.tokens(7, 4), FeatureShape.tokens(9, 4)], name, "equal numbers of tokens")
    assert_refuses(case.build, [], name, "got 0")
    assert_refuses(lambda shapes: case.build(shapes)(features(maps(3))), maps(2), name, "got 3")
    if not case.channels:
        assert_refuses(case.build, mixed(2, channels=True, sizes=False), name, "equal channels", "[4, 6]", "use ")
    if not case.sizes:
        assert_refuses(case.build, mixed(2, channels=False, sizes=True), name, "equal sizes", "(B, C=4, 5, 6)", "use ")
        assert_refuses(
            lambda s: case.build(s)([x.float() for x in features(mixed(2, channels=False, sizes=True))]), maps(2), name
        )


def assert_builds_without_memory(case: UnitCase) -> None:
    """On the meta device too, and its numbers load back strictly."""
    with torch.device("meta"):
        empty = case.build(maps(2))
    assert all(p.is_meta for p in empty.parameters())
    real = case.build(maps(2))
    case.build(maps(2)).load_state_dict(real.state_dict())
    assert empty.state_dict().keys() == real.state_dict().keys()


def assert_keeps_precision(case: UnitCase) -> None:
    """Under bfloat16 autocast bfloat16 features stay bfloat16."""
    unit = case.build(maps(2))
    with torch.autocast("cpu", torch.bfloat16):
        out = unit([x.bfloat16() for x in features(maps(2))])
    assert all(y.dtype == torch.bfloat16 for y in out), [y.dtype for y in out]

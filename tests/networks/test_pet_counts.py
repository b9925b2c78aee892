"""How many numbers the pet networks learn, and how the paper's table comes to print others."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

import taskweave as tw
from taskweave.networks import pet_auxiliaries, pet_oeq, pet_segnet

OUTPUTS = {"species": 2, "box": 4, "segmentation": 2}
ALL = ("species", "box", "segmentation")
BINARY, BOX, BASELINE = ("species", "segmentation"), ("box", "segmentation"), ("segmentation",)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def of_pair(c: int) -> int:
    """Two residual blocks: two 3x3 convolutions without bias and two batch norms each."""
    return 2 * (2 * 9 * c * c + 2 * 2 * c)


def of_stem(kernel: int, width: int = 16) -> int:
    return 3 * width * kernel**2 + 2 * width


def of_encoder(width: int = 16) -> int:
    return sum(of_pair(c) + 9 * c * 2 * c + 2 * 2 * c for c in (width << i for i in range(5)))


def of_up(c: int, out: int) -> int:
    return of_pair(c) + 9 * c * out + out + 2 * out


def of_decoder(width: int = 16) -> int:
    return sum(of_up(a, b) for a, b in pairwise([*(width << i for i in (5, 4, 3, 2, 1, 0)), 3]))


def of_head(outputs: int) -> int:
    return 2048 * 200 + 200 + 200 * 80 + 80 + 80 * outputs + outputs


HEADS = {"species": of_head(2), "box": of_head(4)}


@pytest.mark.parametrize(
    ("branches", "shared", "separate"),
    [
        (BASELINE, 18_881_615, 18_881_615),
        (BINARY, 24_027_597, 24_028_061),
        (BOX, 24_027_759, 24_028_223),
        (ALL, 29_173_742, 29_174_670),
    ],
    ids=["baseline", "binary", "box", "all"],
)
def test_unique_parameters(branches: tuple[str, ...], shared: int, separate: int) -> None:
    heads = sum(HEADS[name] for name in branches[:-1])
    t = len(branches)
    own = t * of_encoder() + of_decoder() + 3 * 2 * 9 + heads + (t * t if t > 1 else 0)
    assert (shared, separate) == (own + of_stem(3), own + t * of_stem(3))
    with torch.device("meta"):
        assert count(pet_segnet(OUTPUTS, branches=branches)) == shared
        assert count(pet_segnet(OUTPUTS, branches=branches, stem="separate")) == separate


def test_stitches_of_other_kinds() -> None:
    """One matrix: 9 numbers; one per stage: 45; per stage and channel: 9 * (16 + 32 + 64 + 128 + 256)."""
    with torch.device("meta"):
        for stitch, numbers in (("one", 9), ("per_stage", 45), ("per_channel", 9 * 496)):
            assert count(pet_segnet(OUTPUTS, stitch=stitch).connections) == numbers
        net = pet_segnet(OUTPUTS)
        assert len({id(net.connection(i).unit) for i in range(len(net.connections))}) == 1
        assert [next(iter(net.connection(i).at.values())) for i in range(5)] == [
            "branch", "encoder1", "encoder2", "encoder3", "encoder4",
        ]  # fmt: skip


def test_oeq() -> None:
    lanes = 3 * (of_up(512, 256) + of_up(256, 128)) + 2 * (of_up(128, 64) + of_up(64, 32))
    target = of_stem(7) + of_encoder() + lanes + of_up(32, 16) + of_up(16, 3) + 3 * 2 * 9 + 2 + 6 + 9 + 4
    before = 2 * of_stem(7) + 2 * of_encoder() + sum(HEADS.values())
    assert (target, before) == (46_271_492, 10_296_886)
    with torch.device("meta"):
        net = pet_oeq(OUTPUTS)
        assert count(net.stream("segmentation").net) + count(net.connections) == target
        assert count(net) == target + before == 56_568_378
        assert count(pet_oeq(OUTPUTS, unused_matrix=True)) == 56_568_382
        assert count(pet_auxiliaries(OUTPUTS, branches=ALL[:2])) == before
        assert count(pet_auxiliaries(OUTPUTS, branches=ALL[:2], unused_matrix=True)) == 10_296_890


# The printed counts: sum over leaf modules with a weight of numbers x paths of registration x calls.


def printed(net: nn.Module, x: Tensor) -> int:
    """What a summary by forward hooks prints that meets each module at every path it is registered at."""
    paths: dict[nn.Module, int] = {}
    for _, module in net.named_modules(remove_duplicate=False):
        if not list(module.children()) and any(name in module._parameters for name in ("weight", "bias")):
            paths[module] = paths.get(module, 0) + 1
    calls = dict.fromkeys(paths, 0)

    def called(module: nn.Module, args: object, output: object) -> None:
        calls[module] += 1

    for module in paths:
        module.register_forward_hook(called)
    net(x)
    return sum(count(module) * paths[module] * calls[module] for module in paths)


class AsPublished(nn.Module):
    """Our network, its modules registered and called as the public code does it: the stem as an attribute and in a list of
    branches, called for each of them; the last convolution as an attribute and in the decoder."""

    def __init__(self, net: tw.Connected) -> None:
        super().__init__()
        nets = [net.stream(name).net for name in net.streams]
        self.stem = nets[0].stem
        self.branches = nn.ModuleList(nn.ModuleList([one.stem, one.encoder]) for one in nets)
        self.heads = nn.ModuleList(one.head for one in nets[:-1])
        self.decoder, self.last = nn.ModuleList([*nets[-1].decoder, nets[-1].last]), nets[-1].last

    def forward(self, x: Tensor) -> list[Tensor]:
        features = [self.stem(x) for _ in self.branches]
        for i, (_, encoder) in enumerate(self.branches):  # type: ignore[misc]
            for stage in encoder:
                features[i] = stage(features[i])
        y = features[-1]
        for stage in self.decoder:
            y = stage(y)
        return [y, *(head(z) for head, z in zip(self.heads, features, strict=False))]


@pytest.mark.parametrize(
    ("branches", "table"),
    [(BASELINE, 18_882_133), (BINARY, 24_029_967), (BOX, 24_030_129), (ALL, 29_178_891)],
    ids=["baseline", "binary", "box", "all"],
)
def test_the_printed_count_follows_from_modules_counted_again(branches: Sequence[str], table: int) -> None:
    with torch.device("meta"):
        assert printed(AsPublished(pet_segnet(OUTPUTS, branches=branches)), torch.zeros(1, 3, 256, 256)) == table


def test_the_printed_count_of_oeq_lacks_its_scalars_and_its_auxiliaries() -> None:
    with torch.device("meta"):
        assert printed(pet_oeq(OUTPUTS).stream("segmentation").net, torch.zeros(1, 3, 256, 256)) == 46_271_473

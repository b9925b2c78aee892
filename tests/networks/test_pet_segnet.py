"""The pet network: its blocks by hand, its stitches, its stem, what it refuses."""

import copy
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from contracts.network_contract import assert_copies, assert_gradient_everywhere
from torch import Tensor, nn

import taskweave as tw
from taskweave.networks import pet_map_net, pet_numbers_net, pet_segnet
from taskweave.networks.pets.pet_blocks import ResidualPair, doubling, halving
from taskweave.parts import part
from taskweave.training import TrainingOptions
from taskweave.training.groups import groups_of

ALL = ("species", "box", "segmentation")
OUTPUTS = {"species": 2, "box": 4, "segmentation": 2}


def small(branches: Sequence[str] = ALL, *, outputs: Mapping[str, int] = OUTPUTS, **options: Any) -> tw.Connected:
    return pet_segnet(outputs, branches=branches, width=2, hidden=(6, 4), **options)


def picture(batch: int = 2, height: int = 64, width: int = 70) -> Tensor:
    return torch.rand(batch, 3, height, width)


def test_both_residual_blocks_add_the_pairs_input_and_no_relu_follows() -> None:
    """By hand, in float64: batch norm in train mode, 3x3 convolutions."""
    torch.manual_seed(0)
    pair, x = ResidualPair(2).double(), torch.randn(3, 2, 4, 5, dtype=torch.float64)

    def norm(y: Tensor) -> Tensor:
        mean, spread = y.mean((0, 2, 3), keepdim=True), y.var((0, 2, 3), keepdim=True, unbiased=False)
        return (y - mean) / (spread + 1e-5).sqrt()

    def block(y: Tensor, net: nn.Sequential) -> Tensor:
        y = norm(nn.functional.conv2d(y, net[0].conv.weight, padding=1)).clamp_min(0)
        return norm(nn.functional.conv2d(y, net[1].weight, padding=1))

    first = x + block(x, pair.first)
    expected = x + block(first, pair.second)
    found = pair(x)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    assert (found < 0).any()
    assert not torch.allclose(found, first + block(first, pair.second))


def test_a_stage_halves_by_a_pool_and_doubles_by_a_transposed_convolution() -> None:
    """Pair; convolution or its transpose; batch norm (here of fresh statistics: over sqrt(1 + eps)); ReLU; pool."""
    torch.manual_seed(0)
    down, up = halving(2, every=2).double().eval(), doubling(4, 2, every=2).double().eval()
    x, deep, scale = torch.randn(1, 2, 5, 4).double(), torch.randn(1, 4, 3, 2).double(), (1 + 1e-5) ** 0.5
    with torch.no_grad():
        y = nn.functional.conv2d(down[0](x), down[1].conv.weight, padding=1) / scale
        torch.testing.assert_close(down(x), nn.functional.max_pool2d(y.clamp_min(0), 2, ceil_mode=True))
        up[1].bias.uniform_(-1, 1)
        y = nn.functional.conv_transpose2d(up[0](deep), up[1].weight, up[1].bias, stride=2, padding=1, output_padding=1)
        torch.testing.assert_close(up(deep), y.clamp_min(0) / scale)


def test_a_head_is_affine_in_2_by_2_averages() -> None:
    """Three linear layers with nothing between them: one matrix product after another."""
    torch.manual_seed(0)
    head, x = pet_numbers_net(3, width=1, hidden=(6, 4)).head.double(), torch.randn(2, 32, 4, 6).double()
    y = x.reshape(2, 32, 2, 2, 2, 3).mean((3, 5)).flatten(1)
    with torch.no_grad():
        for layer in (head.fc1, head.fc2, head.last):
            y = y @ layer.weight.T + layer.bias
        torch.testing.assert_close(head(x), y)


def test_stages_halve_to_a_64th_and_double_back() -> None:
    shapes = tw.as_stream(pet_map_net(2, width=16)).shapes(torch.zeros(1, 3, 256, 256))
    assert [shapes[f"encoder{i}"].sizes for i in range(1, 6)] == [
        (32, 64, 64), (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4),
    ]  # fmt: skip
    assert [shapes[f"decoder{i}"].sizes for i in range(1, 7)] == [
        (256, 8, 8), (128, 16, 16), (64, 32, 32), (32, 64, 64), (16, 128, 128), (3, 256, 256),
    ]  # fmt: skip
    assert shapes["stem"] == shapes["branch"] == tw.FeatureShape.image(16, 128, 128)


def test_by_hand_with_one_matrix() -> None:
    """x'_i = sum_j A_ij x_j before each of five stages, the ends of the encoders not stitched; the stem runs once."""
    torch.manual_seed(0)
    net, x = small(ALL, initial="published").double().eval(), picture().double()
    nets = {name: net.stream(name).net for name in ALL}
    assert nets["box"].stem is nets["species"].stem is nets["segmentation"].stem
    a = torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.1, 0.3, 0.6]]).double()
    with torch.no_grad():
        features = [nets["species"].stem(x)] * 3
        for stage in range(5):
            mixed = [sum(a[i, j] * features[j] for j in range(3)) for i in range(3)]
            features = [nets[name].encoder[stage](y) for name, y in zip(ALL, mixed, strict=True)]
        y = features[2]
        for stage in nets["segmentation"].decoder:
            y = stage(y)
        expected = {
            "species": nets["species"].head(features[0]),
            "box": nets["box"].head(features[1]),
            "segmentation": nets["segmentation"].last(y)[..., :64, :70],
        }
        outputs = net(x)
    for name, value in expected.items():
        torch.testing.assert_close(outputs[name], value, rtol=1e-6, atol=1e-9)


def test_the_first_stitch_only_scales_with_a_shared_stem() -> None:
    """By the row sums of A: whatever else is in it."""
    torch.manual_seed(0)
    net, x = small(ALL).double(), picture().double()
    unit = net.connection(0).unit
    with torch.no_grad():
        unit.alpha.copy_(torch.rand(3, 3, 1))
        stem = net.stream("species").net.stem.eval()(x)
        fused = net.connection(0).unit([stem] * 3)
    for row, feature in zip(unit.alpha.detach()[:, :, 0], fused, strict=True):
        torch.testing.assert_close(feature, row.sum() * stem, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("branches", [("species", "segmentation"), ("box", "segmentation"), ALL])
def test_published_start(branches: tuple[str, ...]) -> None:
    theirs = {
        ("species", "segmentation"): [[1.5, 0.5], [0.5, 1.5]],
        ("box", "segmentation"): [[0.8, 0.2], [0.2, 0.8]],
        ALL: [[0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.1, 0.3, 0.6]],
    }
    published = small(branches, initial="published").connection(0).unit.alpha.detach()[:, :, 0]
    torch.testing.assert_close(published, torch.tensor(theirs[branches]))
    usual = small(branches).connection(0).unit.alpha.detach()[:, :, 0]
    torch.testing.assert_close(usual.sum(1), torch.ones(len(branches)))
    assert bool((usual > 0).all()) and bool((usual.diagonal() == 0.9).all())


def test_a_stem_of_its_own_for_each_branch() -> None:
    net = small(ALL, stem="separate")
    assert net.trunk is None and len({id(net.stream(name).net.stem) for name in ALL}) == 3


def test_sigmoid_and_logits() -> None:
    net = pet_map_net(2, width=2).eval()
    twin = pet_map_net(2, width=2, sigmoid=True).eval()
    twin.load_state_dict(net.state_dict())
    x = picture()
    torch.testing.assert_close(twin(x), net(x).sigmoid())
    assert net(x).min() < 0


def test_batch_statistics_are_those_of_the_batch_in_eval_mode_too() -> None:
    """As the same network in train mode; so a prediction depends on the pictures beside it."""
    net, x = small(ALL, batch_statistics=True), picture(4)
    twin = small(ALL)
    twin.load_state_dict(net.state_dict(), strict=False)
    with torch.no_grad():
        expected = twin.train()(x)
        outputs = net.eval()(x)
        for name, value in expected.items():
            torch.testing.assert_close(outputs[name], value)
        assert not torch.allclose(net(x[:2])["species"], outputs["species"][:2])
        torch.testing.assert_close(twin.eval()(x[:2])["species"], twin(x)["species"][:2])
    assert not [name for name in net.state_dict() if "running" in name]
    assert sum(p.numel() for p in net.parameters()) == sum(p.numel() for p in twin.parameters())


def test_tools_work() -> None:
    """A subset of the tasks; the units' own rate; a snapshot; prediction at the picture's size."""
    net, x = small(ALL).eval(), picture()
    with torch.no_grad():
        some = net(x, tasks=("box",))
        assert list(some) == ["box"] and torch.equal(some["box"], net(x)["box"])
    groups = {g.label: g for g in groups_of(net, TrainingOptions(steps=1, optimizer={"use": "sgd", "lr": 0.1}))}
    assert groups["CrossStitch connections"].multiplier == 100.0
    assert sum(p.numel() for p in groups["CrossStitch connections"].parameters) == 9
    twin = small(ALL).eval()
    twin.load_state_dict(copy.deepcopy(net.state_dict()))
    assert torch.equal(twin(x)["segmentation"], net(x)["segmentation"])
    alone, tasks = small(("segmentation",)), {"segmentation": tw.tasks.Segmentation(2)}
    assert tw.predict(alone, tasks, torch.zeros(3, 37, 50, dtype=torch.uint8))["segmentation"].shape == (37, 50)


@pytest.mark.parametrize("stitch", ["one", "per_stage", "per_channel"])
def test_gradients_reach_all(stitch: str) -> None:
    class Flat(nn.Module):
        def __init__(self, net: tw.Connected) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([y.flatten() for y in self.net(x).values()])

    torch.manual_seed(0)
    assert_gradient_everywhere(Flat(small(ALL, stitch=stitch)), picture())


def test_copies() -> None:
    """That the parts compile and export is shown by the OEQ, which has all of them and more."""
    assert_copies(small(ALL[1:]), picture(2, 64, 50))


def test_one_picture_too_small_for_batch_norms_of_its_own_batch() -> None:
    """At 64 px one value per channel is left for the decoder's first norm, at 32 px for the encoder's last ones."""
    build = {"map": partial(pet_map_net, 2), "numbers": partial(pet_numbers_net, 2)}
    for name, least in (("map", 64), ("numbers", 32)):
        theirs, ours = build[name](width=1, batch_statistics=True).eval(), build[name](width=1)
        words = rf"a single picture of at most {least} x {least} px .* give a picture of more than {least} px on a side"
        for net in (theirs, ours.train()):
            with pytest.raises(ValueError, match=words):
                net(picture(1, least, least - 3))
            net(picture(1, least, least + 1))
            net(picture(2, least, least))
        ours.eval()(picture(1, least, least))


def test_other_tasks_and_what_is_refused() -> None:
    outputs = {"age": 100, "gender": 2, "segmentation": 3}
    net = small(("age", "segmentation"), outputs=outputs)
    assert {name: y.shape[1] for name, y in net(picture()).items()} == {"age": 100, "segmentation": 3}
    assert list(small(()).streams) == list(ALL)
    assert small(("segmentation", "species"))(picture())["species"].shape == (2, 2, 64, 70), "the last one is decoded"
    for branches in (("x", "segmentation"), "segmentation"):
        with pytest.raises(ValueError, match=r"branches are some of \['species', 'box', 'segmentation'\], each once"):
            small(branches)
    with pytest.raises(ValueError, match=r"branches are some of \[\], each once"):
        small((), outputs={})
    twice = ("species", "species", "segmentation")
    for build in (small, lambda branches: part(pet_segnet, branches=branches)):
        with pytest.raises(ValueError, match=r"branches are different tasks, got \['species', 'species', 'segmentation'\]"):
            build(twice)
    with pytest.raises(ValueError, match=r"no start for the branches \('age', 'segmentation'\)"):
        small(("age", "segmentation"), outputs=outputs, initial="published")
    with pytest.raises(ValueError, match="stem is 'shared' or 'separate', got 'both'"):
        small(ALL, stem="both")
    with pytest.raises(ValueError, match="width is the channels of the stem"):
        pet_map_net(2, width=0)
    with pytest.raises(ValueError, match=r"hidden are the widths .* got \(\)"):
        pet_numbers_net(2, hidden=())

"""MTL-shared: last layers W_t = S_t L with one L."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import taskweave as tw
from taskweave.heads import ASPP, Head, LargeFOV
from taskweave.networks import deeplab_vgg16
from taskweave.parts import part
from taskweave.streams.stream import Stream
from taskweave.weaving import share_latent


class Net(nn.Module):
    def __init__(self, last: nn.Module) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 6, 3, padding=1)
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        if isinstance(self.last, nn.Linear):
            x = x.mean((2, 3))
        out: Tensor = self.last(x)
        return out


def _pooled(net: nn.Module, memory: dict) -> Tensor:
    out: Tensor = net.get_submodule("last")(memory["body"].mean((2, 3)))
    return out


def dense(outputs: int, kernel: int = 1, *, features: int = 6) -> Stream:
    net = Net(nn.Conv2d(features, outputs, kernel, padding=kernel // 2, dilation=1)).double()
    return Stream(net, {"body": ("body",), "last": ("last",)}, head=("last",))


def linear(outputs: int) -> Stream:
    return Stream(Net(nn.Linear(6, outputs)).double(), {"body": ("body",)}, exit=_pooled, head=("last",))


X = torch.randn(2, 3, 5, 7, dtype=torch.float64)


@pytest.mark.parametrize(
    ("streams", "full"),
    [
        (lambda: {"a": dense(5), "b": dense(3)}, 6),  # min(8 rows, 6 columns)
        (lambda: {"a": dense(4, 3), "b": dense(3, 3)}, 7),  # min(7, 54)
        (lambda: {"a": linear(2), "b": linear(2), "c": linear(1)}, 5),
    ],
    ids=["1x1", "3x3", "linear"],
)
def test_full_rank_starts_as_the_networks_given(streams, full: int) -> None:
    given = streams()
    for rank in (full, full + 3):
        outputs = share_latent(given, rank=rank)(X)
        for name, stream in given.items():
            torch.testing.assert_close(outputs[name], stream(X), rtol=1e-10, atol=1e-12)
    lower = share_latent(given, rank=full - 1)(X)
    assert any(not torch.allclose(lower[name], stream(X)) for name, stream in given.items())


def test_lower_rank_starts_at_the_best_approximation() -> None:
    given = {"a": dense(5), "b": dense(3)}
    net = share_latent(given, rank=2)
    stacked = np.concatenate([s.net.last.weight.detach().numpy()[:, :, 0, 0] for s in given.values()])
    u, values, v = np.linalg.svd(stacked, full_matrices=False)
    best = u[:, :2] * values[:2] @ v[:2]
    latent = net.stream("a").net.last.latent.weight[:, :, 0, 0]
    product = torch.cat([net.stream(name).net.last.own.weight[:, :, 0, 0] @ latent for name in "ab"])
    np.testing.assert_allclose(product.detach().numpy(), best, atol=1e-12)


def test_the_latent_matrix_is_one_and_counted_once() -> None:
    given = {"a": dense(5, 3), "b": dense(3, 3)}
    net = share_latent(given, rank=2)
    assert net.stream("a").net.last.latent is net.stream("b").net.last.latent
    body = 2 * (3 * 6 * 9 + 6)
    assert sum(p.numel() for p in net.parameters()) == body + 2 * 6 * 9 + (5 * 2 + 5) + (3 * 2 + 3)


def test_its_gradient_is_the_sum_of_the_tasks() -> None:
    net = share_latent({"a": dense(5), "b": dense(3)}, rank=2)
    latent = net.stream("a").net.last.latent.weight
    parts = [torch.autograd.grad(net(X)[name].square().sum(), latent)[0] for name in "ab"]
    whole = torch.autograd.grad(sum(output.square().sum() for output in net(X).values()), latent)[0]
    torch.testing.assert_close(whole, parts[0] + parts[1], rtol=1e-12, atol=1e-12)
    assert all(part.abs().sum() > 0 for part in parts)


def test_rows_beyond_the_rank_learn() -> None:
    """They are not read at first, but are reached within two steps."""
    net = share_latent({"a": linear(1), "b": linear(1)}, rank=4)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    before = net.stream("a").net.last.latent.weight.detach().clone()
    for _ in range(2):
        optimizer.zero_grad()
        sum(output.square().sum() for output in net(X).values()).backward()
        optimizer.step()
    assert (net.stream("a").net.last.latent.weight - before).abs().sum(1).gt(0).all()


def test_the_networks_given_stay_as_they_were() -> None:
    given = {"a": dense(5), "b": dense(3)}
    before = copy.deepcopy(given["a"].state_dict())
    net = share_latent(given, rank=2)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(1.0)
    assert isinstance(given["a"].net.last, nn.Conv2d)
    assert all(torch.equal(value, before[name]) for name, value in given["a"].state_dict().items())


@pytest.mark.parametrize("head", [LargeFOV, ASPP])
def test_deeplab(head: type[Head]) -> None:
    """With ASPP each of the four last layers is factorised by its own L."""
    given = {
        name: tw.as_stream(deeplab_vgg16(c, head=part(head, hidden=16), batch_norm=False))
        for name, c in {"seg": 5, "normals": 3}.items()
    }
    net, x = share_latent(given, rank=8).eval(), torch.randn(1, 3, 33, 33)
    plain = tw.Connected(given).eval()
    with torch.no_grad():
        for name, output in net(x).items():
            torch.testing.assert_close(output, plain(x)[name], rtol=1e-4, atol=1e-6)
    layers = 4 if head is ASPP else 1
    latents = {id(m) for path, m in net.named_modules() if path.endswith("latent")}
    assert len(latents) == layers
    extra = sum(p.numel() for p in net.parameters()) - sum(p.numel() for p in plain.parameters())
    assert extra == layers * (8 * 16 + (5 + 3) * 8 - (5 + 3) * 16)


def test_what_cannot_be_factorised_is_named() -> None:
    headless = Stream(Net(nn.Conv2d(6, 2, 1)).double(), {"body": ("body",), "last": ("last",)})
    with pytest.raises(ValueError, match="stream 'b' of Net names no last layer"):
        share_latent({"a": dense(5), "b": headless}, rank=2)
    with pytest.raises(ValueError, match=r"in the same way, but 'a' has .*'b' has"):
        share_latent({"a": dense(5), "b": dense(5, 3)}, rank=2)
    with pytest.raises(ValueError, match="at least 1; got 0"):
        share_latent({"a": dense(5), "b": dense(5)}, rank=0)
    grouped = Stream(Net(nn.Conv2d(6, 2, 1, groups=2)).double(), {"body": ("body",), "last": ("last",)}, head=("last",))
    with pytest.raises(ValueError, match="cannot factorise the grouped convolution 'last'"):
        share_latent({"a": grouped}, rank=2)
    aspp = tw.as_stream(deeplab_vgg16(2, head=part(ASPP, hidden=8)))
    with pytest.raises(ValueError, match=r"they have \{'a': 4, 'b': 1\} layers"):
        share_latent({"a": aspp, "b": tw.as_stream(deeplab_vgg16(2, head=part(LargeFOV, hidden=8)))}, rank=2)

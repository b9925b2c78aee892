"""The weighted sum that cross-stitch and sluice units share, and its written-out gradients."""

import pytest
import torch
from torch import Tensor

from taskweave.units.mixing import mix

SHAPES = {"maps": (3, 4, 5, 6), "tokens as maps": (3, 4, 7, 1), "many": (9, 8, 40, 40)}


def drawn(
    shape: tuple[int, ...], *, sources: int = 2, targets: int = 2, like: torch.memory_format = torch.contiguous_format
):
    weights = torch.randn(targets, sources, shape[1], dtype=torch.float64, requires_grad=True)
    features = [
        torch.randn(shape, dtype=torch.float64).contiguous(memory_format=like).requires_grad_() for _ in range(sources)
    ]
    return weights, features


def by_definition(weights: Tensor, features: list[Tensor]) -> Tensor:
    """(T, B, C, H, W)"""
    return torch.einsum("tsc,sbchw->tbchw", weights, torch.stack(features))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("like", [torch.contiguous_format, torch.channels_last], ids=["channels first", "channels last"])
@pytest.mark.parametrize(("targets", "sources"), [(2, 2), (3, 3), (1, 4)])
def test_equals_its_definition_with_gradients(shape, like, targets, sources) -> None:
    weights, features = drawn(shape, sources=sources, targets=targets, like=like)
    expected = by_definition(weights, features)
    out = mix(weights, features)
    assert len(out) == targets
    direction = torch.randn_like(expected)
    torch.testing.assert_close(torch.stack(out), expected, rtol=1e-12, atol=1e-12)
    found = torch.autograd.grad(out, [weights, *features], list(direction))
    wanted = torch.autograd.grad(expected, [weights, *features], direction)
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-11)


def test_memory_format_is_kept() -> None:
    weights, features = drawn((2, 4, 5, 6), like=torch.channels_last)
    assert all(y.is_contiguous(memory_format=torch.channels_last) for y in mix(weights, features))


@pytest.mark.parametrize("frozen", ["weights", "first", "features"])
def test_what_is_frozen_gets_no_gradient(frozen: str) -> None:
    weights, features = drawn((2, 4, 3, 3))
    for tensor in {"weights": [weights], "first": features[:1], "features": features}[frozen]:
        tensor.requires_grad_(False)
    sum(y.sum() for y in mix(weights, features)).backward()
    for tensor in (weights, *features):
        assert (tensor.grad is not None) == tensor.requires_grad


def test_gradients_of_gradients() -> None:
    weights, features = drawn((2, 2, 2, 2))
    assert torch.autograd.gradgradcheck(lambda w, *x: tuple(mix(w, x)), (weights, *features))


def test_several_gradients_at_once() -> None:
    """What gradient aggregation asks for: one backward pass with a batch of directions."""
    weights, features = drawn((2, 4, 3, 3))
    out = torch.stack(mix(weights, features))
    directions = torch.randn(5, *out.shape, dtype=torch.float64)
    together = torch.autograd.grad(out, weights, directions, is_grads_batched=True, retain_graph=True)[0]
    for direction, row in zip(directions, together, strict=True):
        torch.testing.assert_close(row, torch.autograd.grad(out, weights, direction, retain_graph=True)[0])


def test_function_transforms() -> None:
    weights, features = drawn((2, 4, 3, 3))
    found = torch.func.grad(lambda w: sum(y.square().sum() for y in mix(w, features)))(weights)
    loss = by_definition(weights, features).square().sum()
    torch.testing.assert_close(found, torch.autograd.grad(loss, weights)[0])


def test_mixed_precision_is_raised_to_the_highest() -> None:
    weights, (a, b) = drawn((2, 4, 3, 3))
    out = mix(weights.float(), [a.bfloat16(), b.float()])
    assert all(y.dtype == torch.float32 for y in out)
    low = mix(weights.float(), [a.bfloat16(), b.bfloat16()])
    assert all(y.dtype == torch.bfloat16 for y in low)


@pytest.mark.slow
def test_compiles_whole() -> None:
    weights, features = drawn((2, 4, 3, 3))
    compiled = torch.compile(lambda w, *x: mix(w, x), fullgraph=True, backend="aot_eager")
    for a, b in zip(compiled(weights, *features), mix(weights, features), strict=True):
        torch.testing.assert_close(a, b)

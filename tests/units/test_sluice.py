"""Sluice units: golden values, starts, the penalty, refusals."""

import pytest
import torch

from taskweave.features import FeatureShape
from taskweave.units import Sluice

TWO = [FeatureShape.image(4, 1, 1)] * 2


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values).reshape(1, -1, 1, 1)


def test_golden_values_blocks_are_task_and_subspace() -> None:
    """Output block (0, 1) takes 1 x block (0, 0), 10 x (0, 1), 100 x (1, 0), 1000 x (1, 1); the rest nothing."""
    matrix = [[0.0] * 4, [1.0, 10.0, 100.0, 1000.0], [0.0] * 4, [0.0] * 4]
    a, b = Sluice(TWO, matrix=matrix)([column(1, 2, 3, 4), column(5, 6, 7, 8)])
    assert a.flatten().tolist() == [0, 0, 1 + 30 + 500 + 7000, 2 + 40 + 600 + 8000]
    assert b.flatten().tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("streams", "options", "expected"),
    [
        (2, {"initial": "balanced"}, torch.full((4, 4), 0.25)),
        (3, {"initial": "balanced"}, torch.full((6, 6), 1 / 6)),
        (2, {}, torch.full((4, 4), 0.1 / 3).fill_diagonal_(0.9)),
        (2, {"initial": "imbalanced", "subspaces": 1}, torch.tensor([[0.9, 0.1], [0.1, 0.9]])),
        (3, {"initial": "imbalanced", "subspaces": 1}, torch.full((3, 3), 0.05).fill_diagonal_(0.9)),
        (
            2,
            {"initial": "imbalanced"},
            torch.tensor([[0.05, 0.95, 0.05, 0.95]] * 2 + [[0.95, 0.05, 0.95, 0.05]] * 2),
        ),
    ],
)
def test_starts(streams, options, expected) -> None:
    torch.testing.assert_close(Sluice([TWO[0]] * streams, **options).alpha.detach(), expected)


def test_penalty_is_the_squared_overlap_of_the_subspaces() -> None:
    """Rows (1, 2), (3, 4) make subspace 0; (5, 6), (7, 8) subspace 1: the products are 17, 23, 39, 53."""
    unit = Sluice(TWO, orthogonality=0.5)
    weight = torch.arange(1.0, 9.0).reshape(4, 2, 1, 1).requires_grad_()
    assert unit.needs_layer_weights
    term = unit.penalty([weight, 2 * weight])
    one = 17**2 + 23**2 + 39**2 + 53**2
    assert term.item() == pytest.approx(0.5 * (one + 16 * one))
    term.backward()
    assert weight.grad.abs().sum() > 0


def test_penalty_counts_every_pair_of_subspaces() -> None:
    unit = Sluice([FeatureShape.image(3, 1, 1)] * 2, subspaces=3, orthogonality=1.0)
    weight = torch.tensor([[1.0], [2.0], [4.0]])
    assert unit.penalty([weight]).item() == 2**2 + 4**2 + 8**2


@pytest.mark.parametrize("options", [{}, {"orthogonality": 1.0, "subspaces": 1}])
def test_no_penalty_without_a_factor_or_with_one_subspace(options) -> None:
    unit = Sluice(TWO, **options)
    assert not unit.needs_layer_weights
    assert unit.penalty([]) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subspaces": 3}, "splits 4 channels into equal subspaces, got subspaces=3; give a divisor"),
        ({"subspaces": 0}, "got subspaces=0"),
        ({"orthogonality": -1.0}, "orthogonality is a factor of a penalty, 0 or more, got -1.0"),
        ({"initial": "other"}, "starts 'own', 'balanced' or 'imbalanced', got 'other'"),
        ({"initial": "imbalanced", "subspaces": 4}, "imbalanced start .* got 2 streams with 4; use initial='own'"),
        ({"matrix": [[1.0, 0.0], [0.0, 1.0]]}, "mixes 4 features, so its matrix needs 4 rows of 4"),
    ],
)
def test_refusals(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        Sluice(TWO, **options)


def test_a_layer_that_does_not_split_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot split a layer of 5 outputs into 2"):
        Sluice(TWO, orthogonality=1.0).penalty([torch.ones(5, 2)])

"""The median against numpy's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from taskweave.metrics import exact_median

FLOATS = st.floats(0, 180, width=32)
CLOSE = st.integers(0, 40).map(lambda steps: float(np.float32(12.0) + np.float32(9.5367431640625e-07) * steps))


@given(st.lists(hnp.arrays(np.float32, st.integers(0, 7), elements=FLOATS | CLOSE), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_equals_numpy(chunks: list[np.ndarray]) -> None:
    values = np.concatenate(chunks).astype(np.float64)
    got = float(exact_median([torch.from_numpy(chunk) for chunk in chunks]))
    assert np.isnan(got) if not values.size else got == np.median(values)


def test_values_that_differ_in_the_last_bit() -> None:
    first = np.float32(12.0)
    values = np.array([first, np.nextafter(first, np.float32(13)), np.nextafter(first, np.float32(0))], dtype=np.float32)
    assert float(exact_median([torch.from_numpy(values)])) == 12.0
    assert float(exact_median([torch.from_numpy(values[:2])])) == float(values[:2].astype(np.float64).mean())


def test_many() -> None:
    values = np.random.default_rng(0).uniform(0, 180, 300_000).astype(np.float32)
    assert float(exact_median(torch.from_numpy(values).split(70_000))) == np.median(values.astype(np.float64))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_not_finite_is_nan(bad: float) -> None:
    assert exact_median([torch.tensor([1.0, 2.0, bad])]).isnan()


def test_parts_that_are_not_contiguous() -> None:
    grid = torch.arange(12.0).view(3, 4)
    assert float(exact_median([grid[:, 1]])) == 5.0

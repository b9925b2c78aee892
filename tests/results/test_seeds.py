"""Seeds as points, against tables of the t distribution."""

import math

import pytest

from taskweave.results.intervals import is_distinguishable, seed_interval


def test_the_interval_by_hand() -> None:
    # 3, 2, 4: mean 3, s = 1; t(.975, 2) = 4.302653 in printed tables
    half = 4.302653 / math.sqrt(3)
    assert seed_interval([3.0, 2.0, 4.0]) == pytest.approx((3 - half, 3 + half), abs=1e-6)
    # 1, 3: mean 2, s = sqrt(2), s / sqrt(2) = 1; t(.975, 1) = 12.706205
    assert seed_interval([1.0, 3.0]) == pytest.approx((2 - 12.706205, 2 + 12.706205), abs=1e-6)
    # -1, 0, 1, 2, 3: mean 1, s = sqrt(2.5); t(.975, 4) = 2.776445
    half = 2.776445 * math.sqrt(2.5 / 5)
    assert seed_interval([-1.0, 0.0, 1.0, 2.0, 3.0]) == pytest.approx((1 - half, 1 + half), abs=1e-6)


def test_one_seed_has_no_interval() -> None:
    assert seed_interval([]) is None
    assert seed_interval([3.0]) is None


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([], None),
        ([100.0], None),
        ([100.0, 100.1], None),  # however large: two seeds are no test
        ([3.0, 2.0, 4.0], True),  # 3 - 2.48 is above 0
        ([-3.0, -2.0, -4.0], True),
        ([3.0, 0.0, 6.0], False),  # 3 - 7.45
        ([0.0, 0.0, 0.0], False),
        ([1.0, 1.0, 1.0], True),
    ],
)
def test_what_is_called_a_difference(differences: list[float], expected: bool | None) -> None:
    assert is_distinguishable(differences) is expected


def test_equal_differences_have_an_interval_without_width() -> None:
    assert seed_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)

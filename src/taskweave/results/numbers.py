"""Numbers as text: one rule for every table and picture."""

from __future__ import annotations

from collections.abc import Iterable


def decimals_for(values: Iterable[float | None]) -> int:
    """How many decimals a column needs: 2 from 10 upwards, 3 from 1 upwards, 4 below, by its largest number."""
    largest = max((abs(value) for value in values if value is not None), default=10.0)
    return 2 if largest >= 10.0 else 3 if largest >= 1.0 else 4


def fixed(value: float, decimals: int) -> str:
    """With so many decimals; never "-0.00"."""
    return f"{value:z.{decimals}f}"


def signed(value: float, decimals: int) -> str:
    """With its sign, + too; a number that rounds to 0 has none."""
    text = f"{value:+z.{decimals}f}"
    return text.removeprefix("+") if float(text) == 0.0 else text


def short(count: float) -> str:
    """A large count for people: three digits and k, M, G, T, P or E."""
    for size, letter in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        # 999.5 of a unit would print as 1000: it belongs to the next.
        if abs(count) >= 0.9995 * size:
            value = count / size
            return f"{value:.{2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0}f} {letter}"
    return f"{count:.0f}"

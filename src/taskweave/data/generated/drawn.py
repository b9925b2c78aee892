"""Splits drawn by a seed, the same on every machine and with every version of Python and torch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence


def drawn(names: Iterable[str], *, seed: int) -> list[str]:
    """`names` in the order of a hash of (seed, name): whether one comes early hardly depends on which others are there."""
    return sorted(names, key=lambda name: hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest())


def held_out(groups: Sequence[str], share: float, *, seed: int) -> frozenset[str]:
    """The groups (a person's name, say) whose samples are the test part: the first round(share * n) of n drawn ones.

    groups: the group of each sample. A group is in one part as a whole, so nobody is in both. At least one group is held
    out and one is left. Raises ValueError for a share outside (0, 1) and for fewer than two groups.
    """
    if not 0 < share < 1:
        raise ValueError(f"test_share is the test part of the groups, between 0 and 1, got {share}")
    different = drawn(set(groups), seed=seed)
    if len(different) < 2:
        raise ValueError(f"all {len(groups)} samples are of {len(different)} group: none can be held out; open split='all'")
    return frozenset(different[: min(max(1, round(share * len(different))), len(different) - 1)])

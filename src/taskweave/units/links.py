"""Which stream's feature reaches which."""

from __future__ import annotations

from collections.abc import Collection
from itertools import permutations

Link = tuple[int, int]
"""(source, destination), by position."""


def checked_links(links: Collection[Link] | None, count: int, who: str) -> tuple[Link, ...]:
    """The links, all ordered pairs for None. Raises ValueError for one that does not exist or is given twice."""
    everything = list(permutations(range(count), 2))
    if links is None:
        return tuple(everything)
    for link in links:
        if link not in everything:
            raise ValueError(
                f"{who} has no link {link!r}; a link is (source, destination), two different positions "
                f"among the {count} streams that meet: {everything}"
            )
    if len(set(links)) < len(links):
        raise ValueError(f"{who} was given a link twice: {sorted(links)}; leave the second one out")
    return tuple(links)

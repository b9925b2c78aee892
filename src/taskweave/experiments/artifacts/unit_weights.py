"""What the units of a trained network learned, place by place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taskweave.experiments.plan import Run
from taskweave.results.run_files import PlaceLink, keep_units
from taskweave.units.lane_mixing import LaneMixing
from taskweave.units.learned import LearnedLink, learned_links
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection


def unit_weights(net: Connected) -> tuple[PlaceLink, ...]:
    """Every link of every connection, in the order in which the streams meet; () without units that have such weights.

    A place is called by its stage, or by all of them where streams meet at different ones; two connections at one stage
    are told apart by a number.
    """
    found: list[PlaceLink] = []
    seen: dict[str, int] = {}
    for index in range(len(net.connections)):
        connection = net.connection(index)
        links = learned_links(connection.unit)
        if not links:
            continue
        place = " / ".join(dict.fromkeys(connection.meets.values()))
        seen[place] = seen.get(place, 0) + 1
        told = place if seen[place] == 1 else f"{place} ({seen[place]})"
        found += _placed(connection, links, told)
    return tuple(found)


def keep_unit_weights(net: Connected, run: Run, folder: Path) -> None:
    """Write what the connections of a run's network learned to the run's own folder.

    Of a network that was trained for some of its tasks, what leads to their streams.
    """
    links = unit_weights(net)
    keep_units([one for one in links if one.destination in run.trained or one.destination not in run.tasks], folder)


def _placed(connection: Connection, links: tuple[LearnedLink, ...], place: str) -> Iterator[PlaceLink]:
    own = {link.destination: link.norm for link in links if link.source == link.destination}
    names = list(connection.at)
    if isinstance(connection.unit, LaneMixing):
        names = [f"lane {number + 1}" for number in range(connection.unit.lanes)]
    for link in links:
        base = own.get(link.destination, 0.0)
        yield PlaceLink(
            place=place,
            source=names[link.source],
            destination=names[link.destination],
            own=link.source == link.destination,
            norm=link.norm,
            relative=link.norm / base if base else None,
            alphas=link.alphas,
        )

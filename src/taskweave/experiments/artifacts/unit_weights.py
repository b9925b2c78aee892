"""What the units of a trained network learned, place by place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from taskweave.experiments.bench import Bench
from taskweave.experiments.building.networks import build_network
from taskweave.experiments.plan import Run
from taskweave.experiments.running import folder_of
from taskweave.reporting.learned import PlaceLink
from taskweave.training.checkpoint import WEIGHTS
from taskweave.training.weights import read_state
from taskweave.units.lane_mixing import LaneMixing
from taskweave.units.learned import LearnedLink, learned_links
from taskweave.weaving.connected import Connected
from taskweave.weaving.connection import Connection

_CONNECTIONS = "connections."


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


def stored_unit_weights(run: Run, bench: Bench, root: Path) -> tuple[PlaceLink, ...]:
    """Those of a finished run, of whose weights only the connections' are read; () for networks without connections.

    Of a network that was trained for some of its tasks, what leads to their streams.
    """
    if run.role == "ensemble":
        return ()
    here = bench.for_run(run)
    tasks = here.shapes_only
    with torch.device("meta"):
        net = build_network(run, tasks, here.example("meta"))
    if not any(_readable(net)):
        return ()
    state = read_state(folder_of(run, root) / WEIGHTS, under=_CONNECTIONS)
    net.connections.to_empty(device="cpu")
    net.connections.load_state_dict({name.removeprefix(_CONNECTIONS): value for name, value in state.items()})
    return tuple(link for link in unit_weights(net) if link.destination in run.trained or link.destination not in run.tasks)


def _readable(net: Connected) -> Iterator[bool]:
    """Whether there is a way to read its unit's weights, connection by connection."""
    nothing = learned_links.dispatch(object)
    for index in range(len(net.connections)):
        yield learned_links.dispatch(type(net.connection(index).unit)) is not nothing


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

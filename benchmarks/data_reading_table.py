"""The table of what `data_reading` measured."""

from __future__ import annotations

from data_reading_pictures import SIDE
from data_reading_readers import BATCH


def to_markdown(result: dict[str, object], cells: list[dict[str, object]], notes: str) -> str:
    """notes: how it was measured, said below the table."""
    facts = result["machine"]
    assert isinstance(facts, dict)
    lines = [
        "# Reading an epoch of pictures",
        "",
        f"{result['count']:,} pictures of {SIDE} x {SIDE} ({result['pictures']}) with a mask, a box and a class, batches "
        f"of {BATCH}; images a second, median of {result['rounds']} rounds (least to most). {facts['device']}, "
        f"{facts['cores']} cores, {facts['threads']} thread, torch {facts['torch']}, {facts['date']}, "
        f"commit {facts['commit']}. {result['note']}".rstrip(),
        "",
        "| reader | MB | as stored | as network input | first epoch | cold |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for cell in cells:
        spreads = [spread(cell, end) for end in ("as_stored", "as_input")]
        once = [f"{cell[name]:,.0f}" if cell[name] is not None else "-" for name in ("first_epoch", "cold")]
        lines.append(
            f"| {cell['reader']} | {cell['megabytes']:,.0f} | {spreads[0]} | {spreads[1]} | {once[0]} | {once[1]} |"
        )
    lines += ["", "How many times as fast as each (as stored; as network input):", "", *ratios(cells), ""]
    return "\n".join([*lines, *notes.splitlines(), ""])


def spread(cell: dict[str, object], end: str) -> str:
    rounds = cell[f"{end}_rounds"]
    assert isinstance(rounds, list)
    return f"{cell[end]:,.0f} ({min(rounds):,.0f} to {max(rounds):,.0f})" if rounds else "-"


def ratio(own: dict[str, object], other: dict[str, object], end: str) -> str:
    one, two = own[end], other[end]
    return f"{one / two:.1f}" if isinstance(one, float) and isinstance(two, float) else "-"


def ratios(cells: list[dict[str, object]]) -> list[str]:
    """Of ours over every other, where both were measured."""
    ours, others = cells[:4], cells[4:]
    lines = ["| | " + " | ".join(str(cell["reader"]) for cell in ours) + " |", "|---" + "|---:" * len(ours) + "|"]
    for other in others:
        speeds = ["; ".join(ratio(own, other, end) for end in ("as_stored", "as_input")) for own in ours]
        lines.append(f"| {other['reader']} | {' | '.join(speeds)} |")
    return lines

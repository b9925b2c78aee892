"""How to read a comparison's table, and what a paper prints beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from taskweave.results.comparison import ComparisonResult, Printed
from taskweave.results.gains import interval_of
from taskweave.results.intervals import LEAST_SEEDS
from taskweave.results.summary import MethodSummary

CONSTANT = "constant prediction"
DISTINGUISHABLE = (
    "distinguishable from no gain: the 95 % t-interval over seeds leaves 0 out; "
    "not corrected for how many gains are looked at"
)


def remarks_on(result: ComparisonResult, summaries: Sequence[MethodSummary]) -> Iterator[str]:
    """Sentences that stand below the table of a comparison."""
    base = result.baseline
    yield (
        "↑ higher is better, ↓ lower is better; shares in percent, angles in degrees, depth in metres (inverse as stored)."
    )
    yield _spread_remark(summaries)
    yield f"gain: method minus {base} with the same seed, mean over seeds, signed so that + is better."
    yield (
        f"relative gain: the mean over metrics of g = (method - {base}) / {base}, signed so that + is better. task_mean: "
        "over the metrics of a task, then over tasks, (1/T) Σ_t (1/M_t) Σ_m g_tm. flat_mean: over all metrics alike, "
        "Σ_tm g_tm / Σ_t M_t."
    )
    yield from _interval_remarks(summaries)
    yield "parameters and FLOPs: of all networks a method needs for all tasks; FLOPs of one forward pass of one picture."
    if any(result.constant.values()):
        yield f"{CONSTANT}: the best prediction that is the same for every pixel of every picture."
    if result.further:
        yield f"{', '.join(result.further)}: tests on data that were never trained on, not counted in the relative gains."
    if result.parts:
        yield (
            f"{', '.join(result.parts)}: measured on the pictures that were trained on, or on those held out of training; "
            "not counted in the relative gains."
        )
    if result.missing:
        yield f"not trained yet: {'; '.join(result.missing)}."
    yield from _printed_remarks(result)


def _spread_remark(summaries: Sequence[MethodSummary]) -> str:
    most = max((len(summary.seeds) for summary in summaries), default=0)
    if most < 2:
        return "one seed each, so no spread is known: the table does not say whether a difference is more than chance."
    if most < LEAST_SEEDS:
        return (
            f"mean ± sample standard deviation over seeds. No test was made: under {LEAST_SEEDS} seeds the table does not "
            "say whether a difference is more than chance."
        )
    return (
        "mean ± sample standard deviation over seeds. No test was made beyond each gain's own interval: none between two "
        "methods, none of all together."
    )


def _interval_remarks(summaries: Sequence[MethodSummary]) -> Iterator[str]:
    gains = [gain for s in summaries for gain in (*(cell.gained for cell in s.cells), *s.gains.values())]
    shown = [len(gain.seeds) for gain in gains if gain is not None and interval_of(gain) is not None]
    if any(count > 1 for count in shown):
        yield "[low, high] of several seeds: 95 % t-interval of their mean gain."
    if any(count == 1 for count in shown):
        yield (
            "[low, high] of one seed: 95 % paired bootstrap over the test images. It says how much the gain owes to the "
            "choice of these images, and nothing of training anew."
        )


BESIDE = "printed in the paper"


def _printed_remarks(result: ComparisonResult) -> Iterator[str]:
    """What the printed numbers are from, what has no counterpart, and how the set-up differs from the paper's."""
    printed, labels = result.printed, result.methods
    if printed is None:
        return
    here = {label: " and ".join(names) for label, names in printed.names.items() if label in labels}
    yield (
        f"{BESIDE}: {printed.paper}, {printed.table} ({printed.caption}), as printed; counted in no mean and no gain"
        + (f". Its rows: {', '.join(f'{theirs} at {ours}' for ours, theirs in here.items())}." if here else ".")
    )
    alone = [label for label in labels if label not in printed.names]
    if printed.only_printed:
        yield f"printed, but not here: {'; '.join(printed.only_printed)}."
    if alone and printed.rows:
        yield f"here, but not printed: {'; '.join(alone)}."
    if printed.set_up:
        yield _set_up(result, printed)
    yield from printed.notes
    if printed.doubts:
        yield f"in the printed table or its text: {' '.join(printed.doubts)}"


def _set_up(result: ComparisonResult, printed: Printed) -> str:
    """The line that says how the set-up differs from the paper's, which is as the recipe of full size reads it."""
    aspects = list(result.set_up)
    ours = [f"{part} {count:,}" for part, count in result.images.items()]
    theirs = [f"{part} {count:,}" for part, count in printed.pictures.items()]
    if ours and list(result.images.values()) != list(printed.pictures.values()):  # parts have other names there
        aspects.insert(0, f"number of pictures: {', '.join(ours)} [{', '.join(theirs) or 'not printed'}]")
    if not aspects:
        return f"set-up: the paper's, as our recipe of full size reads it. {result.notes}".strip()
    return f"set-up here [in the paper, as our recipe of full size reads it]: {'; '.join(aspects)}."

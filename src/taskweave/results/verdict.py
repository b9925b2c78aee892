"""What came out, in two sentences made from the numbers alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from taskweave.results.comparison import ComparisonResult, Gain, Mark
from taskweave.results.gains import GAIN_KIND, interval_of, known_gains, pairs_of
from taskweave.results.intervals import LEAST_SEEDS
from taskweave.results.numbers import signed

_NAMED = 3
_LONGEST = 80


def verdict_of(result: ComparisonResult) -> tuple[str, str]:
    """(which method gains most and how sure that is, which tasks get worse and what else a reader must know).

    By the relative gain `GAIN_KIND` of `taskweave.metrics.gain.relative_gain`. Nothing is called a difference under three
    seeds. Single networks trained on are no method but what methods are held against: a gain may be mere training time. The
    second sentence goes task by task: an average hides the task that pays for it.
    """
    gains = [gain for gain in known_gains(result) if gain.kind == GAIN_KIND]
    if not gains:
        return _why_no_gain(result), _sentence(_shortcomings(result)) or "No run failed and none is missing."
    methods = [gain for gain in gains if gain.method != result.control] or gains
    control = next((gain for gain in gains if gain not in methods), None)
    best = max(methods, key=lambda gain: gain.value)
    parts = [
        *_by_task(result, best.method),
        *_left_out(result, best.method),
        *_losing(result, methods),
        *_shortcomings(result),
    ]
    held = ""
    if control is not None:  # what the same further training gains without a connection
        order = "less" if control.value < best.value else "more" if control.value > best.value else "as much"
        held = f"; {_name(control.method)}, without a connection, gains {order}: {signed(control.value, 2)} %"
    first = f"{_most(result, best, len(methods))}{held}; {_claim(best, len(methods))}."
    return first, _sentence(parts) or "No run failed and none is missing."


def _why_no_gain(result: ComparisonResult) -> str:
    methods, base = [_name(name) for name in result.methods], _name(result.baseline)
    if not methods:
        what = f"{_counted(len(result.failed), 'run')} failed" if result.failed else "no run is finished"
        return f"Nothing can be compared: {what}."
    if result.baseline not in result.methods:
        return f"Nothing can be compared: {base}, the baseline, has no result for {_listed(methods)} to be compared with."
    if len(methods) == 1:
        return f"Only {base}, the baseline, has results, so there is no gain to speak of."
    return f"No method has a relative gain over {base}: they share no seed, or a metric is 0 or missing."


def _most(result: ComparisonResult, best: Gain, count: int) -> str:
    base, name = _name(result.baseline), _name(best.method)
    if _change(best.value) == "gains":
        lead = f"Of {count} methods, {name} gains most over {base}" if count > 1 else f"{name} gains over {base}"
    else:
        lead = f"None of {count} methods gains over {base}; the closest is {name}"
        lead = lead if count > 1 else f"{name} does not gain over {base}"
    said = f"{lead}: {signed(best.value, 2)} % relative gain ({GAIN_KIND})"
    interval, seeds = interval_of(best), len(best.seeds)
    if interval is None:
        return said
    over = f"{seeds} seeds" if seeds > 1 else "the test images of its one seed"
    return f"{said}, 95 % interval [{signed(interval.low, 2)}, {signed(interval.high, 2)}] over {over}"


def _claim(gain: Gain, picked_of: int) -> str:
    count = len(gain.seeds)
    if gain.distinguishable is None:
        return f"{_counted(count, 'seed')} cannot tell this from chance, {LEAST_SEEDS} or more could"
    picked = f", not corrected for picking the best of {picked_of}" if gain.distinguishable and picked_of > 1 else ""
    return f"this is {'' if gain.distinguishable else 'not '}distinguishable from no gain{picked}"


def _by_task(result: ComparisonResult, method: str) -> Iterator[str]:
    """What a method gains and loses, task by task; nothing where that is not known."""
    changes: dict[str, list[str]] = {}
    for task, gain in _task_gains(result, method).items():
        share = signed(abs(gain), 2).removeprefix("+")
        said = f"{share} % in {_plain(task)}" if _change(gain) != "is level" else f"in {_plain(task)}"
        changes.setdefault(_change(gain), []).append(said)
    if changes:
        yield f"by task, {_name(method)} {', and '.join(f'{how} {_joined(where)}' for how, where in changes.items())}"


def _left_out(result: ComparisonResult, method: str) -> Iterator[str]:
    """Metrics of the tasks' own tests that a method's average does not have: other methods' may have them."""
    pairs = pairs_of(result, method)
    left_out = [
        f"{_plain(task)} {_plain(metric)}"
        for task, metrics in result.directions.items()
        for metric, way in metrics.items()
        if task not in _aside(result) and any(pair.gain(task, metric, way) is None for pair in pairs)
    ]
    if left_out:
        yield f"not in its average, for want of a number: {_listed(left_out)}"


def _losing(result: ComparisonResult, gains: Sequence[Gain]) -> Iterator[str]:
    """Of several methods: how many lose in each task. Of one it is said already."""
    if len(gains) < 2:
        return
    losing: dict[str, int] = {}
    for gain in gains:
        for task, change in _task_gains(result, gain.method).items():
            losing[task] = losing.get(task, 0) + (_change(change) == "loses")
    lost = [f"{count} of {len(gains)} in {_plain(task)}" for task, count in losing.items() if count]
    yield f"methods that lose: {_joined(lost)}" if lost else "no method loses in any task"


def _change(percent: float) -> str:
    """What a gain reads like, rounded as it is shown."""
    text = signed(percent, 2)
    return "gains" if text.startswith("+") else "loses" if text.startswith("-") else "is level"


def _task_gains(result: ComparisonResult, method: str) -> dict[str, float]:
    """{task: percent}: the mean over seeds of the mean relative gain of the task's metrics."""
    seeds = [pair.task_gains(_aside(result)) for pair in pairs_of(result, method)]
    tasks = dict.fromkeys(task for gains in seeds for task in gains)
    return {task: fmean(gains[task] for gains in seeds if task in gains) for task in tasks}


def _aside(result: ComparisonResult) -> frozenset[str]:
    """Columns that count in no average."""
    return frozenset((*result.further, *result.parts))


def _shortcomings(result: ComparisonResult) -> Iterator[str]:
    """Numbers with a mark, of the tasks' own tests; runs that failed; runs that are not there yet."""
    aside = _aside(result)
    marks = [(row, mark) for row in result.rows for mark in row.marks if mark.task not in aside]
    for reason in dict.fromkeys(mark.reason for _, mark in marks):
        methods = dict.fromkeys(row.method for row, mark in marks if mark.reason == reason)
        of = {name: [mark for row, mark in marks if (row.method, mark.reason) == (name, reason)] for name in methods}
        texts = [f"{_name(name)} ({_numbers(result, name, of[name])})" for name in methods]
        yield f"{_plain(reason)}: {_listed(texts)}"
    if result.failed:
        lost = [f"{_name(one.method)} with seed {one.seed} ({_plain(one.reason)})" for one in result.failed]
        yield f"failed: {_listed(lost)}"
    if result.missing:
        yield f"not trained yet: {_listed([_plain(text) for text in result.missing])}"


def _numbers(result: ComparisonResult, method: str, marks: Sequence[Mark]) -> str:
    """Which of a method's numbers are marked."""
    names = list(dict.fromkeys(f"{_plain(mark.task)} {_plain(mark.metric)}" for mark in marks))
    own = [of for task, of in result.rows_of(method)[0].metrics.items() if task not in _aside(result)]
    every = sum(value is not None for of in own for value in of.values())
    return _listed(names) if len(names) < every else "in every metric"


def _sentence(parts: Iterator[str] | Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _joined(parts: Sequence[str]) -> str:
    """All of them, as a sentence lists them."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _name(method: str) -> str:
    """A method's name, in quotes where the sentence would not show its ends."""
    plain = _plain(method)
    return f'"{plain}"' if any(mark in plain for mark in ",;:") else plain


def _plain(text: str) -> str:
    """On one line, and not too long for a sentence."""
    whole = " ".join(text.split())
    return whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]}…"

"""When the monitor of negative transfer warns, of what, and how rarely it warns of nothing."""

import csv
import json
import random

import pytest
from training import toys
from training.test_monitor import train, trunk_and_tasks

from taskweave.training import Limits, Monitor, Reference
from taskweave.training.monitor.monitor import COSINE, GAP, Alarm
from taskweave.training.monitor.watch import Watch, read_warnings
from taskweave.units.unit import Identity
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection


def told(limits, values):
    alarm = Alarm(limits)
    said = [(step, alarm.add(step, value)) for step, value in enumerate(values, 1)]
    return [(step, what, alarm.since) for step, what in said if what], alarm


def test_an_alarm_begins_after_rows_in_a_row_and_knows_since_when():
    limits = Limits(threshold=1.0, window=2, rows=3, sure=5.0)
    events, alarm = told(limits, [0, 0, 3, 3, 3, 3])  # means of two: 0, 1.5, 3, 3, 3
    assert not events  # 0, 3, 3, 3, 3: t = 2.4 / (1.34 / sqrt(5)) = 4
    assert alarm.add(7, 3) is None  # 4.47 - 5 values and a sixth: t = 2.5 / (1.22 / sqrt(6)) = 5.0, not above
    assert alarm.add(8, 3) == "begins" and alarm.since == 3
    assert [alarm.add(step, value) for step, value in ((9, 0.5), (10, 0.5), (11, 0.5))] == [None, "ends", None]
    assert alarm.since is None


def test_a_short_stretch_above_the_limit_is_none():
    events, _ = told(Limits(threshold=1.0, window=2, rows=3, sure=0.0), [0, 3, 0, 0, 0, 3, 0, 0])
    assert events == []


def test_limits_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match="window >= 2"):
        Limits(threshold=0.1, window=1, rows=1, sure=0.0)


def rate(limits, mean, spread, *, values, trials=300):
    """The share of simulated trainings in which an alarm begins."""
    begun = 0
    for trial in range(trials):
        draws, alarm = random.Random(trial), Alarm(limits)
        begun += any(alarm.add(step, draws.gauss(mean, spread)) == "begins" for step in range(values))
    return begun / trials


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.05, 0.1, 0.2])
def test_noise_warns_in_few_trainings_and_a_real_gap_in_most(spread):
    """docs/transfer.md, 200 rows: at most 1 % of trainings, and 3 standard errors of 300 trials."""
    assert rate(GAP, 0.0, spread, values=200) <= 0.01 + 0.02
    assert rate(GAP, 0.2, spread, values=200) >= 0.9
    if spread == 0.05:
        assert rate(GAP, 0.1, spread, values=50) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.1, 0.2, 0.3])
def test_cosines_around_zero_warn_in_few_trainings_and_opposed_ones_in_most(spread):
    """docs/transfer.md, 100 looks: at most 1 % of trainings, and 3 standard errors of 300 trials."""
    assert rate(COSINE, 0.0, spread, values=100) <= 0.01 + 0.02
    assert rate(COSINE, 0.3, spread, values=100) >= 0.95


def test_opposed_tasks_are_warned_of_at_their_place_since_the_first_full_window(tmp_path):
    net, tasks = trunk_and_tasks((1.0, 0.0), (-1.0, 0.0))
    train(tmp_path, net, tasks=tasks, monitor=Monitor(cosine_every=2), steps=24)
    (warned,) = read_warnings(tmp_path)
    assert (warned.task, warned.place, warned.since, warned.until) == ("a and b", "fork at body", 20, None)
    assert "a and b point apart at fork at body since step 20: their cosine is -1.00" in warned.message
    assert json.loads((tmp_path / "warnings.json").read_text())[0]["since"] == 20


def test_a_task_behind_its_reference_is_warned_of_and_tasks_that_agree_are_not(tmp_path):
    """The reference is the training's own log, of `a` divided by 1.2: a gap of 20 % at every row."""
    usual = {"steps": 20, "log_every": 1}
    train(tmp_path / "first", toys.network(), **usual)
    with (tmp_path / "first" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    steps = tuple(float(row["step"]) for row in rows)
    marks = {t: tuple(float(row[f"loss.{t}"]) / by for row in rows) for t, by in (("a", 1.2), ("b", 1.0))}
    references = {task: Reference(f"single {task}", steps, losses) for task, losses in marks.items()}
    train(tmp_path / "again", toys.network(), monitor=Monitor(references, cosine_every=0), **usual)
    (warned,) = read_warnings(tmp_path / "again")
    assert (warned.task, warned.place, warned.since) == ("a", "", 5)
    assert "the loss of a is +20% from that of single a since step 5; no gradients were compared" in warned.message


class Notes(list):
    """A progress that keeps the notes."""

    def begin(self, what, total, *, done=0): ...

    def advance(self, done, losses=None): ...

    def end(self): ...

    note = list.append


def watch_of(folder, names="ab", **references):
    """Of streams that meet at two places."""
    streams = {name: toys.stream() for name in names}
    at = [Connection(dict.fromkeys(names, stage), Identity(toys.Mix(len(names)).shapes)) for stage in ("body", "last")]
    return Watch(Monitor(references), Connected(streams, at), list(names), folder=folder)


def test_the_first_line_tells_what_it_costs_and_what_the_training_is_too_short_for(tmp_path):
    """A look is measured to take a quarter of a step for each task; 14 rows and 10 looks are the fewest that can warn."""
    reference = Reference("single a", (1.0,), (1.0,))
    both, three = watch_of(tmp_path, a=reference), watch_of(tmp_path, "abc")
    long = both.describe(steps=500, log_every=20)
    assert "watching gap of a to single a; gradient cosines at body, last every 50 steps (about 1 % more time" in long
    assert "too short" not in long
    assert "about 1.5 % more time" in three.describe(steps=500, log_every=20)
    short = both.describe(steps=61, log_every=5)
    assert short.endswith("too short to warn of a gap (13 rows of the log, 14 needed) or of a place (1 looks, 10 needed)")
    assert "of a gap" not in both.describe(steps=66, log_every=5)


def test_a_damaged_file_is_named(tmp_path):
    assert read_warnings(tmp_path) == ()
    for text in ("[{", '[{"who": 1}]'):
        (tmp_path / "warnings.json").write_text(text)
        with pytest.raises(ValueError, match=r"warnings\.json is damaged .*delete it"):
            read_warnings(tmp_path)


def test_a_gap_is_put_down_to_the_place_where_gradients_agree_least_and_ends(tmp_path):
    watch = watch_of(tmp_path, a=Reference("single a", tuple(range(1, 40)), (1.0,) * 39))
    assert watch.columns == ["gap.a", "cosine.body.a|b", "cosine.last.a|b"]
    for step, (body, last) in enumerate([(-0.05, 0.3), (0.01, -0.02)]):
        watch.opposed["body", ("a", "b")].add(step, -body)
        watch.opposed["last", ("a", "b")].add(step, -last)
    notes = Notes()
    for step in range(1, 16):
        watch.report(step, {"a": 1.1, "b": 1.0}, notes)
    (note,) = notes
    assert "+10% from that of single a since step 5; its gradient agrees least at body (cosine -0.02 with b" in note
    for step in range(16, 21):
        watch.report(step, {"a": 1.0, "b": 1.0}, notes)
    (warned,) = read_warnings(tmp_path)
    assert (warned.task, warned.place, warned.since, warned.until) == ("a", "body", 5, 19)
    assert warned.message.endswith("; it ended at step 19") and len(notes) == 1

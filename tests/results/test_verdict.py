"""A verdict made from the numbers alone, for every case of a comparison."""

import pytest
from results.rows import comparison, row

from taskweave.results.comparison import Failure, Gain, Mark, SeedGain
from taskweave.results.verdict import verdict_of

REASON = "no better than a constant prediction"


def rows(method: str, *gains: float) -> tuple:  # type: ignore[type-arg]
    """A row per seed: segmentation gains so many percent in both metrics, depth loses 1 percent."""
    return tuple(
        row(method, seed, miou=40.0 * (1 + gain / 100), pixacc=80.0 * (1 + gain / 100), error=2.02)
        for seed, gain in enumerate(gains)
    )


def test_one_seed_is_never_a_difference() -> None:
    first, second = verdict_of(comparison(row("single"), *rows("nddr", 50.0), *rows("split", 10.0)))
    assert first == (
        "Of 2 methods, nddr gains most over single: +24.50 % relative gain (task_mean); "
        "1 seed cannot tell this from chance, 3 or more could."
    )
    assert second == (
        "By task, nddr gains 50.00 % in segmentation, and loses 1.00 % in depth; methods that lose: 2 of 2 in depth."
    )


def test_the_interval_over_test_images_is_told_with_one_seed() -> None:
    gain = Gain(method="nddr", kind="task_mean", value=24.5, seeds=(SeedGain(seed=0, value=24.5, low=-1.0, high=50.004),))
    first, _ = verdict_of(comparison(row("single"), *rows("nddr", 50.0), gains=(gain,)))
    assert (
        "+24.50 % relative gain (task_mean), 95 % interval [-1.00, +50.00] over the test images of its one seed;" in first
    )
    assert first.startswith("nddr gains over single:")


@pytest.mark.parametrize(
    ("gains", "words"),
    [
        ((50.0, 51.0), "2 seeds cannot tell this from chance, 3 or more could."),
        ((50.0, 51.0, 49.0), "this is distinguishable from no gain."),
        ((50.0, 1.0, -30.0), "this is not distinguishable from no gain."),
    ],
)
def test_what_is_said_of_several_seeds(gains: tuple[float, ...], words: str) -> None:
    base = [row("single", seed) for seed in range(len(gains))]
    first, _ = verdict_of(comparison(*base, *rows("nddr", *gains)))
    assert first.endswith(words)
    assert f"over {len(gains)} seeds" in first


@pytest.mark.parametrize(
    ("control", "words"), [(40.0, "less: +19.50 %"), (60.0, "more: +29.50 %"), (50.0, "as much: +24.50 %")]
)
def test_training_on_is_what_methods_are_held_against_and_no_method(control: float, words: str) -> None:
    made = comparison(
        row("single"), *rows("single, trained on", control), *rows("nddr", 50.0), control="single, trained on"
    )
    first, second = verdict_of(made)
    assert first == (
        "nddr gains over single: +24.50 % relative gain (task_mean); "
        f'"single, trained on", without a connection, gains {words}; '
        "1 seed cannot tell this from chance, 3 or more could."
    )
    assert second == "By task, nddr gains 50.00 % in segmentation, and loses 1.00 % in depth."
    alone, _ = verdict_of(comparison(row("single"), *rows("single, trained on", control), control="single, trained on"))
    assert alone.startswith('"single, trained on" gains over single:')


def test_no_method_gains() -> None:
    first, second = verdict_of(comparison(row("single"), *rows("nddr", -9.0), *rows("a, b", -5.0)))
    assert first.startswith('None of 2 methods gains over single; the closest is "a, b": -3.00 % relative gain')
    assert second == (
        'By task, "a, b" loses 5.00 % in segmentation and 1.00 % in depth; '
        "methods that lose: 2 of 2 in segmentation and 2 of 2 in depth."
    )
    alone, _ = verdict_of(comparison(row("single"), *rows("nddr", -9.0)))
    assert alone.startswith("nddr does not gain over single: -5.00 %")
    same, second = verdict_of(comparison(row("single"), row("nddr")))
    assert same.startswith("nddr does not gain over single: 0.00 %")
    assert second == "By task, nddr is level in segmentation and in depth."


def test_an_average_never_hides_the_task_that_pays() -> None:
    _, second = verdict_of(comparison(row("single"), row("nddr", miou=80.0, pixacc=160.0, error=2.1)))
    assert second == "By task, nddr gains 100.00 % in segmentation, and loses 5.00 % in depth."


def test_what_rounds_to_nothing_is_no_gain() -> None:
    first, second = verdict_of(comparison(row("single"), row("nddr", miou=40.001, pixacc=80.002)))
    assert first.startswith("nddr does not gain over single: 0.00 %")
    assert second == "By task, nddr is level in segmentation and in depth."


def test_the_best_of_several_is_not_corrected_for_having_been_picked() -> None:
    base = [row("single", seed) for seed in range(3)]
    first, second = verdict_of(comparison(*base, *rows("nddr", 50.0, 51.0, 49.0), *rows("split", 40.0, 41.0, 39.0)))
    assert first.endswith("this is distinguishable from no gain, not corrected for picking the best of 2.")
    up = tuple(one.model_copy(update={"metrics": {**one.metrics, "depth": {"abs": 1.0}}}) for one in rows("nddr", 5.0))
    more = tuple(one.model_copy(update={"method": "more"}) for one in up)
    _, second = verdict_of(comparison(row("single"), *up, *more))
    assert second.endswith("; no method loses in any task.")


def test_what_the_average_lacks_is_named() -> None:
    first, second = verdict_of(comparison(row("single", error=None), row("nddr", pixacc=None, miou=44.0)))
    assert "+10.00 % relative gain" in first
    assert second == (
        "By task, nddr gains 10.00 % in segmentation; "
        "not in its average, for want of a number: segmentation pixacc, depth abs."
    )


def test_numbers_at_the_constant_and_failed_and_missing_runs_are_named() -> None:
    every = tuple(
        Mark(task=task, metric=metric, reason=REASON)
        for task, metric in (("segmentation", "mIoU"), ("segmentation", "pixacc"), ("depth", "abs"))
    )
    failed = (Failure(method="split", seed=0, run="r", reason="out\nof memory " + "x" * 200),)
    result = comparison(
        row("single"), row("nddr", marks=every[2:]), row("a", marks=every), failed=failed, missing=("mtan, seed 0",)
    )
    _, second = verdict_of(result)
    assert "; no better than a constant prediction: nddr (depth abs), a (in every metric);" in second
    assert "; failed: split with seed 0 (out of memory xxx" in second
    assert second.endswith("…); not trained yet: mtan, seed 0.")
    assert len(second) < 400
    _, second = verdict_of(result.model_copy(update={"further": ("depth",), "failed": (), "missing": ()}))
    assert second.endswith("constant prediction: a (in every metric)."), "further tests are aside"


def test_many_names_are_counted() -> None:
    failed = tuple(Failure(method=f"m{i}", seed=0, run="r", reason="x") for i in range(9))
    _, second = verdict_of(comparison(row("single"), failed=failed))
    assert second == "Failed: m0 with seed 0 (x), m1 with seed 0 (x), m2 with seed 0 (x) and 6 more."


def test_nothing_to_compare() -> None:
    assert verdict_of(comparison())[0] == "Nothing can be compared: no run is finished."
    failed = tuple(Failure(method="nddr", seed=seed, run="r", reason="x") for seed in range(2))
    assert verdict_of(comparison(failed=failed)) == (
        "Nothing can be compared: 2 runs failed.", "Failed: nddr with seed 0 (x), nddr with seed 1 (x).",
    )  # fmt: skip
    no_base = verdict_of(comparison(row("nddr"), failed=failed[:1]))
    assert no_base[0] == "Nothing can be compared: single, the baseline, has no result for nddr to be compared with."
    only = verdict_of(comparison(row("single")))
    assert only[0] == "Only single, the baseline, has results, so there is no gain to speak of."
    assert only[1].endswith(".")
    apart, _ = verdict_of(comparison(row("single", 0), row("nddr", 1)))
    assert apart.startswith("No method has a relative gain over single: they share no seed")


def test_it_is_two_sentences_on_one_line_each() -> None:
    odd = 'x\ny <b>"'
    for sentence in verdict_of(comparison(row("single"), row(odd, miou=50.0))):
        assert "\n" not in sentence
        assert sentence.endswith(".")
        assert sentence[0].isupper() or sentence.startswith("x y")

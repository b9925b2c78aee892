"""Which samples the batches of a mixture hold."""

import pickle
from collections import Counter
from itertools import islice

import pytest
import torch
from data.mixture_toys import Noise, noise

from taskweave.data.mixture import Mixture
from taskweave.data.mixture_order import ConstantInterval, Proportional, RoundRobin, Temperature
from taskweave.data.order import BatchOrder, EpochOrder
from taskweave.data.transformed import Transformed
from taskweave.training.batches import batches_in_order, training_batches

SIZES = {"a": 10.0, "b": 6.0}
SCHEDULES = [
    ConstantInterval(batches=3),
    ConstantInterval(batches={"a": 1, "b": 2}),
    RoundRobin(),
    Proportional(),
    Temperature(t=3.0),
]


def mixture(schedule=None, **options):
    sets = {"a": noise(10, ["a"]), "b": noise(6, ["b"], start=500)}
    return Mixture(sets, schedule or RoundRobin(), **options)


def turns(schedule, count, *, sizes=SIZES, seed=0):
    return list(islice(schedule.turns(sizes, seed=seed), count))


def test_constant_interval_switches_after_so_many():
    assert turns(ConstantInterval(batches=2), 9) == list("aabbaabba")
    assert turns(ConstantInterval(batches={"b": 3, "a": 1}), 9) == list("abbbabbba")
    assert turns(RoundRobin(), 5) == list("ababa")
    assert turns(RoundRobin(), 5, sizes={"x": 1, "y": 9, "z": 2}) == list("xyzxy")


@pytest.mark.parametrize(
    ("schedule", "share"),
    [
        (Proportional(), 10 / 16),
        (Temperature(t=1.0), 10 / 16),
        (Temperature(t=2.0), 10**0.5 / (10**0.5 + 6**0.5)),
        (Temperature(t=0.5), 100 / 136),
        (Temperature(t=float("inf")), 0.5),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, float) else f"{value:.2f}",
)
def test_drawn_schedules_have_their_shares(schedule, share):
    """20,000 draws: the standard deviation of a share is at most .0036."""
    drawn = turns(schedule, 20_000)
    assert Counter(drawn)["a"] / 20_000 == pytest.approx(share, abs=0.015)
    assert drawn == turns(schedule, 20_000) != turns(schedule, 20_000, seed=1)


def test_proportional_counts_in_batches():
    """Ten samples in batches of five are two turns, six in batches of one are six: one in four turns is a's."""
    order = mixture(Proportional(), batch_sizes={"a": 5, "b": 1}).order(8, seed=0, first=0, last=8000)
    share = sum(len(batch) == 5 for batch in order) / 8000
    assert share == pytest.approx(0.25, abs=0.02)


def test_every_set_is_read_in_whole_epochs():
    batches = list(mixture(ConstantInterval(batches=2)).order(4, seed=3, first=0, last=20))
    assert [len(batch) for batch in batches] == [4] * 20
    for first, size, of in ((0, 10, range(10)), (10, 6, range(10, 16))):
        read = [at for batch in batches for at in batch if at[0] in of]
        assert len(read) == 40
        for epoch in range(40 // size):
            some = read[epoch * size : (epoch + 1) * size]
            assert sorted(index for index, _ in some) == list(range(first, first + size))
            assert {draw for _, draw in some} == {epoch}
    assert [batch[0][0] < 10 for batch in batches[:8]] == [True, True, False, False] * 2


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)
def test_reading_may_start_at_any_batch(schedule, mixed):
    mix = mixture(schedule, mixed=mixed)
    whole = list(mix.order(4, seed=5, first=0, last=30))
    for first in (1, 7, 29):
        assert list(mix.order(4, seed=5, first=first, last=30)) == whole[first:]
    assert list(mix.order(4, seed=6, first=0, last=30)) != whole


def test_mixed_batches_hold_samples_of_several_sets():
    batches = mixture(ConstantInterval(batches={"a": 2, "b": 6}), mixed=True).order(8, seed=0, first=0, last=12)
    assert [sum(index < 10 for index, _ in batch) for batch in batches] == [2] * 12


def test_batch_sizes_per_set():
    batches = list(mixture(batch_sizes={"b": 3}).order(4, seed=0, first=0, last=4))
    assert [len(batch) for batch in batches] == [4, 3, 4, 3]


def test_mixture_of_one_is_read_as_the_set_alone():
    alone = BatchOrder(EpochOrder(10, 4), 3, first=2, last=9)
    mix = Mixture({"a": noise(10, ["a"])}, RoundRobin())
    assert list(mix.order(3, seed=4, first=2, last=9)) == list(alone)


def test_samples_know_where_they_are_from():
    mix = mixture()
    assert len(mix) == 16 and mix.labels == ("a", "b")
    keys = [mix[i]["key"] for i in (0, 9, 10, 15)]
    assert keys == ["a/0", "a/9", "b/0", "b/5"]
    assert [mix[i]["source"] for i in (9, 10)] == ["a", "b"]
    assert set(mix[3]) == {"image", "key", "source", "a"} and set(mix[12]) == {"image", "key", "source", "b"}
    assert torch.equal(mix[12, 4]["image"], noise(6, ["b"], start=500)[2, 4]["image"])
    assert not torch.equal(mix[12, 4]["image"], mix[12, 5]["image"])
    for index in (-1, 16):
        with pytest.raises(IndexError, match=r"outside 0\.\.15"):
            mix[index]


def test_only_the_labels_in_use_are_taken():
    sets = {"one": noise(4, ["a", "b"]), "two": noise(4, ["b", "c"])}
    mix = Mixture(sets, RoundRobin(), use={"two": ["c"]})
    assert set(mix[0]) >= {"a", "b"} and "b" not in mix[4] and "c" in mix[4]
    assert mix.labels == ("a", "b", "c")


def test_batches_of_a_mixture():
    batch = next(training_batches(mixture(ConstantInterval(batches=3), mixed=True), batch_size=4, seed=0, first=0, last=1))
    assert batch.sources == ("a", "a", "a", "b") and batch.rows["a"].tolist() == [0, 1, 2]
    in_order = list(batches_in_order(mixture(), batch_size=4))
    assert [len(batch.keys) for batch in in_order] == [4, 4, 2, 4, 2]
    assert [key for batch in in_order for key in batch.keys] == [f"a/{i}" for i in range(10)] + [f"b/{i}" for i in range(6)]
    assert all(len(set(batch.sources)) == 1 for batch in in_order)


def test_workers_and_pickles_change_nothing():
    mix = mixture(Proportional())
    images = [
        [batch.image for batch in training_batches(m, batch_size=4, seed=0, first=2, last=6, workers=workers)]
        for m, workers in ((mix, 0), (mix, 2), (pickle.loads(pickle.dumps(mix)), 0))
    ]
    for other in images[1:]:
        assert all(torch.equal(one, two) for one, two in zip(images[0], other, strict=True))


def test_processes_share_every_batch():
    mix = mixture(ConstantInterval(batches={"a": 2, "b": 3}), mixed=True)
    whole = [batch.keys for batch in training_batches(mix, batch_size=5, seed=0, first=0, last=3)]
    parts = [
        [b.keys for b in training_batches(mix, batch_size=5, seed=0, first=0, last=3, rank=r, ranks=2)] for r in (0, 1)
    ]
    assert [len(keys) for keys in parts[0]] == [2, 2, 2]
    assert [one + two for one, two in zip(*parts, strict=True)] == whole
    with pytest.raises(ValueError, match="a batch of 1 samples cannot be shared by 2 processes"):
        next(training_batches(mix, batch_size=1, seed=0, first=0, last=1, rank=1, ranks=2))


def test_reach_by_hand():
    """Interval 2, batches of four: a a b b a | 4 8 . . 12 of a's ten, . . 4 8 . of b's six; 16 samples in four batches."""
    reach = mixture(ConstantInterval(batches=2)).reach(4, seed=0, batches=20)
    assert (reach.epoch, reach.covered, reach.visited) == (4, 5, {"a", "b"})
    short = mixture(ConstantInterval(batches=2)).reach(4, seed=0, batches=2)
    assert (short.epoch, short.covered, short.visited) == (4, None, {"a"})


def test_known_by_what_decides():
    one, other = mixture(ConstantInterval(batches=2)), mixture(ConstantInterval(batches=3))
    assert one.determining() == mixture(ConstantInterval(batches=2)).determining() != other.determining()
    assert one.determining()["schedule"] == {"kind": "ConstantInterval", "batches": 2}


def test_two_sets_that_define_one_task_with_different_classes():
    sets = {
        "rooms": noise(2, ["segmentation"], classes=("wall", "floor", "sofa")),
        "pets": noise(2, ["segmentation", "a"], classes=("wall", "cat")),
    }
    message = (
        r"'rooms' and 'pets' define task 'segmentation' with different classes: 'rooms' has 3, 'pets' has 2, and class 1 "
        r"is 'floor' in 'rooms', 'cat' in 'pets'; read both.*use=\{'pets'"
    )
    with pytest.raises(ValueError, match=message):
        Mixture(sets, RoundRobin())
    assert Mixture(sets, RoundRobin(), use={"pets": ["a"]}).labels == ("segmentation", "a")
    for name, names in (("detection", "objects"), ("attributes", "attributes")):
        boxes = {"one": noise(2, [name], **{names: ("x",)}), "two": noise(2, [name], **{names: ("x", "y")})}
        with pytest.raises(ValueError, match=rf"define task '{name}' .* class 1 is nothing in 'one', 'y' in 'two'"):
            Mixture(boxes, RoundRobin())


def test_two_sets_that_number_the_classes_of_images_differently():
    def faces(*names):
        class Faces(Noise):
            categories = {"gender": names}  # noqa: RUF012 - of a toy

        return Transformed(Faces(2, ["gender"]), dict, seed=0)

    with pytest.raises(ValueError, match=r"define task 'gender' with .* class 0 is 'female' in 'imdb', 'male' in 'utk'"):
        Mixture({"imdb": faces("female", "male"), "utk": faces("male", "female")}, RoundRobin())
    assert Mixture({"a": faces("female", "male"), "b": faces("female", "male")}, RoundRobin()).labels == ("gender",)


def test_what_a_mixture_refuses():
    with pytest.raises(ValueError, match=r"at least one data set, got none"):
        Mixture({}, RoundRobin())
    with pytest.raises(ValueError, match=r"data sets \['b'\] of the mixture are empty"):
        Mixture({"a": noise(2, ["a"]), "b": noise(0, ["b"])}, RoundRobin())
    with pytest.raises(ValueError, match=r"data set 'a' has no labels \['b'\] to use; it has \['a'\]"):
        mixture(use={"a": ["b"]})
    with pytest.raises(ValueError, match=r"use= names \['c'\]; the data sets of the mixture are \['a', 'b'\]"):
        mixture(use={"c": ["b"]})
    with pytest.raises(ValueError, match=r"batch_sizes names \['c'\]"):
        mixture(batch_sizes={"c": 2})
    with pytest.raises(ValueError, match=r"batch_sizes must be at least 1, got \{'a': 0\}"):
        mixture(batch_sizes={"a": 0})
    with pytest.raises(ValueError, match=r"batch_sizes are for batches of one data set"):
        mixture(batch_sizes={"a": 2}, mixed=True)
    with pytest.raises(ValueError, match=r"turns for \['a', 'c'\]; the data sets of the mixture are \['a', 'b'\]"):
        mixture(ConstantInterval(batches={"a": 1, "c": 2}))
    with pytest.raises(ValueError, match="at least one turn, got 0"):
        ConstantInterval(batches=0)
    with pytest.raises(ValueError, match=r"Temperature is above 0 .* got 0"):
        Temperature(t=0.0)


def test_wanted_tasks_must_be_labelled_somewhere():
    mix = mixture()
    mix.check_labelled(["a", "b"])
    message = r"labelled for \['c'\]: 'a' is labelled for \['a'\]; 'b' is labelled for \['b'\]\. Add a data set"
    with pytest.raises(ValueError, match=message):
        mix.check_labelled(["a", "c"])
    with pytest.raises(ValueError, match=r"reads only the data sets \['a'\] of the mixture, and none labelled for \['b'\]"):
        mix.check_labelled(["a", "b"], visited=["a"])

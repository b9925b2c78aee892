"""Orders: every sample once an epoch, the same for the same seed, and found again in the middle."""

import pytest
from hypothesis import given, settings, strategies as st

from taskweave.data import BatchOrder, EpochOrder


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(0, 2**40), st.integers(0, 1000))
def test_an_epoch_holds_every_sample_once(count, seed, epoch):
    drawn = EpochOrder(count, seed).epoch(epoch)
    assert sorted(index for index, _ in drawn) == list(range(count))
    assert {draw for _, draw in drawn} == {epoch}
    assert drawn == EpochOrder(count, seed).epoch(epoch)


def test_epochs_and_seeds_differ():
    order = EpochOrder(50, 0)
    indices = [tuple(index for index, _ in order.epoch(epoch)) for epoch in range(5)]
    assert len(set(indices)) == 5
    assert EpochOrder(50, 1).epoch(0) != order.epoch(0)
    assert EpochOrder(3, 0, shuffle=False).epoch(2) == [(0, 2), (1, 2), (2, 2)]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 9), st.integers(1, 12), st.integers(0, 20))
def test_a_run_can_start_anywhere(count, batch_size, first):
    order = EpochOrder(count, 7)
    whole = list(BatchOrder(order, batch_size, first=0, last=25))
    assert list(BatchOrder(order, batch_size, first=first, last=25)) == whole[first:]
    assert {len(batch) for batch in whole} == {batch_size}
    flat = [pair for batch in whole for pair in batch]
    epochs = -(-len(flat) // count)
    assert flat == [pair for epoch in range(epochs) for pair in order.epoch(epoch)][: len(flat)]


def test_wrong_numbers_are_named():
    with pytest.raises(ValueError, match=r"count=0: the data set is empty"):
        EpochOrder(0, 0)
    with pytest.raises(ValueError, match=r"first=3, last=2"):
        BatchOrder(EpochOrder(5, 0), 1, first=3, last=2)

"""Cross-talk: which feature stands where."""

import pytest
import torch

from taskweave.features import FeatureShape
from taskweave.units import CrossTalk


def filled(value: float, channels: int, height: int, width: int) -> torch.Tensor:
    return torch.full((2, channels, height, width), value)


def test_own_first_then_the_others_in_turn() -> None:
    unit = CrossTalk([FeatureShape.image(c, 2, 2) for c in (1, 2, 3)])
    out = unit([filled(float(c), c, 2, 2) for c in (1, 2, 3)])
    assert [y[1, :, 1, 0].tolist() for y in out] == [[1, 2, 2, 3, 3, 3], [2, 2, 3, 3, 3, 1], [3, 3, 3, 1, 2, 2]]


def test_others_are_resized_to_the_own_size() -> None:
    unit = CrossTalk([FeatureShape.image(1, 1, 4), FeatureShape.image(1, 1, 2)])
    wide, narrow = torch.tensor([[[[1.0, 3.0, 5.0, 7.0]]]]), torch.tensor([[[[10.0, 20.0]]]])
    out = unit([wide, narrow])
    assert out[0][0, :, 0].tolist() == [[1, 3, 5, 7], [10, 12.5, 17.5, 20]]
    assert out[1][0, :, 0].tolist() == [[10, 20], [2, 6]]


def test_two_features_of_a_batch_keep_their_pictures_apart() -> None:
    unit = CrossTalk([FeatureShape.image(1, 1, 1)] * 2)
    a, b = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1), torch.tensor([3.0, 4.0]).view(2, 1, 1, 1)
    out = unit([a, b])
    assert out[0].flatten(1).tolist() == [[1, 3], [2, 4]]
    assert out[1].flatten(1).tolist() == [[3, 1], [4, 2]]


def test_links_one_way() -> None:
    """Only the last stream hears the others; each other one keeps its feature, and needs nobody for it."""
    unit = CrossTalk([FeatureShape.image(1, 1, 1)] * 3, links=((0, 2), (1, 2)))
    given = [filled(float(c), 1, 1, 1) for c in (1, 2, 3)]
    out = unit(given)
    assert [y[0].flatten().tolist() for y in out] == [[1], [2], [3, 1, 2]]
    assert out[0] is given[0]
    assert [sorted(unit.sources(t)) for t in range(3)] == [[0], [1], [0, 1, 2]]
    assert list(unit.forward_some({1: given[1]}, [1])) == [1]
    with pytest.raises(ValueError, match=r"CrossTalk has no link \(0, 3\)"):
        CrossTalk([FeatureShape.image(1, 1, 1)] * 3, links=((0, 3),))

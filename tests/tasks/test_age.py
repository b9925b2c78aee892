"""Age: the expectation, the loss by hand, what is refused, captions."""

import math

import pytest
import torch

from taskweave.tasks import Age


def test_even_probabilities_give_the_middle() -> None:
    assert Age().decode(torch.zeros(2, 100), (8, 8)).tolist() == pytest.approx([49.5, 49.5], abs=1e-4)
    assert float(Age(ages=11).decode(torch.full((1, 11), 3.0), (8, 8))) == pytest.approx(5.0)


def test_the_prediction_is_the_expectation() -> None:
    logits = torch.full((1, 100), -torch.inf)
    logits[0, 20], logits[0, 41] = math.log(0.75), math.log(0.25)
    assert float(Age().decode(logits, (8, 8))) == pytest.approx(0.75 * 20 + 0.25 * 41)


def test_the_loss_is_cross_entropy_over_whole_years() -> None:
    logits = torch.randn(3, 100)
    p = logits.double().exp() / logits.double().exp().sum(1, keepdim=True)
    expected = -(p[0, 0].log() + p[1, 99].log() + p[2, 31].log()) / 3
    assert float(Age().loss(logits, torch.tensor([0, 99, 31]))) == pytest.approx(float(expected), rel=1e-5)
    assert float(Age().loss(logits, torch.tensor([0.0, 99.0, 30.8]))) == pytest.approx(float(expected), rel=1e-5)
    assert float(Age().loss(torch.zeros(1, 100), torch.tensor([7]))) == pytest.approx(math.log(100))


def test_errors_over_the_set() -> None:
    metric = Age().metric()
    metric.update(torch.tensor([10.5, 20.0]), torch.tensor([10, 25]))
    metric.update(torch.tensor([61.0]), torch.tensor([60]))
    metric.update(torch.tensor([30.0]), torch.tensor([90]))
    found = {name: float(value) for name, value in metric.compute().items()}
    assert found == {"mean AE": (0.5 + 5 + 1 + 60) / 4, "median AE": 3.0}  # the middle two are 1 and 5


@pytest.mark.parametrize(("years", "said"), [(100, "100"), (-1, "-1"), (99.6, "99.6"), (torch.nan, "nan")])
def test_ages_that_cannot_be_are_refused(years: float, said: str) -> None:
    with pytest.raises(ValueError, match=rf"^age {said} is outside 0\.\.99; leave the label out"):
        Age().loss(torch.zeros(2, 100), torch.tensor([30, years]))
    with pytest.raises(ValueError, match="at least two ages to tell apart, got ages=1"):
        Age(ages=1)


def test_captions() -> None:
    image = torch.full((3, 64, 128), 200, dtype=torch.uint8)
    drawn, other = (Age().over(image, torch.tensor(years)) for years in (34.0, 71.0))
    assert (drawn[:, 20:] == 200).all() and drawn.amin() == 0 and drawn[:, :12].amax() > 210
    assert not torch.equal(drawn, other)
    assert torch.equal(Age().over(image, torch.tensor(34.0)), Age().over(image, torch.tensor(34)))
    with pytest.raises(ValueError, match=r"one number of years \(\), got \(2,\); draw one"):
        Age().picture(torch.zeros(2))
    assert Age().over(torch.zeros(3, 5, 4, dtype=torch.uint8), torch.tensor(34)).shape == (3, 5, 4)

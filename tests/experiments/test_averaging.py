"""A task asked of an ensemble: soft predictions are averaged, then hardened."""

import torch

from taskweave.experiments.measuring import Averaged
from taskweave.tasks import Segmentation


def test_soft_predictions_are_the_mean_of_the_members() -> None:
    """Two members lean to class 0 by a little, one to class 1 by a lot: each alone and their mean differ."""
    task = Averaged(Segmentation(2))
    logits = [torch.tensor(row).view(1, 2, 1, 1) for row in ([0.2, 0.0], [0.2, 0.0], [0.0, 8.0])]
    of_one = sum(
        float(torch.tensor(row).exp()[1] / torch.tensor(row).exp().sum()) for row in ([0.2, 0.0],) * 2 + ([0.0, 8.0],)
    )
    soft = task.soft(logits, (3, 4))
    assert soft.shape == (1, 2, 3, 4)
    assert torch.allclose(soft[:, 1], torch.full((1, 3, 4), of_one / 3))
    assert task.decode(logits, (3, 4)).eq(1).all()
    assert task.decode(logits[:2], (3, 4)).eq(0).all()

"""One box per image: its losses by the papers' numbers, its units, what it refuses, its pictures."""

import pytest
import torch
from torchvision.ops import distance_box_iou_loss

from taskweave.data.boxes import bounding_boxes
from taskweave.data.sample import collate
from taskweave.tasks import BoxRegression, distance_iou_loss

ONE, OTHER = torch.tensor([0.0, 0, 2, 2]), torch.tensor([1.0, 1, 3, 3])


def target(*box: float, size: tuple[int, int] = (20, 40)) -> dict[str, torch.Tensor]:
    return {"boxes": torch.tensor([box]), "size": torch.tensor(size)}


def ordered(n: int) -> torch.Tensor:
    low = torch.rand(n, 2)
    return torch.cat([low, low + 0.05 + torch.rand(n, 2)], 1)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 10.0, 1e3])
def test_the_original_does_not_depend_on_scale(scale: float) -> None:
    expected = 1 - 1 / 7 + 2 / 18
    assert float(distance_iou_loss(scale * ONE, scale * OTHER)) == pytest.approx(expected, abs=1e-6)
    assert expected == pytest.approx(0.968254, abs=1e-6)


def test_as_printed_depends_on_scale() -> None:
    assert float(distance_iou_loss(ONE, OTHER, kind="diou_as_printed")) == pytest.approx(0.935710, abs=1e-6)
    assert float(distance_iou_loss(10 * ONE, 10 * OTHER, kind="diou_as_printed")) == pytest.approx(0.865, abs=1e-5)


def test_the_original_is_torchvisions() -> None:
    torch.manual_seed(0)
    first, second = 30 * ordered(50), 30 * ordered(50)
    found, expected = distance_iou_loss(first, second), distance_box_iou_loss(first, second)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert (distance_iou_loss(first, first) == 0).all()
    assert (found < 2).all() and (found > 0).all()


POINT, LINE = (1.0, 1.0, 1.0, 1.0), (1.0, 1.0, 1.0, 4.0)
AWAY, BOX = (5.0, 5.0, 5.0, 5.0), (0.0, 0.0, 3.0, 3.0)


@pytest.mark.parametrize("kind", ["diou", "diou_as_printed"])
@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e6])
@pytest.mark.parametrize(
    ("one", "other"), [(POINT, POINT), (POINT, AWAY), (POINT, LINE), (LINE, LINE), (POINT, BOX), (BOX, BOX), (LINE, BOX)]
)
def test_degenerate_boxes_are_finite(one, other, scale, kind) -> None:
    guess = (scale * torch.tensor(one)).requires_grad_()
    loss = distance_iou_loss(guess, scale * torch.tensor(other), kind=kind)
    loss.backward()
    assert loss.isfinite()
    assert guess.grad is not None and guess.grad.isfinite().all()


def test_units() -> None:
    """On an image 40 wide and 20 high the loss is of pixels, or of shares of its sides; predictions are pixels in both."""
    box, guess = [4.0, 2.0, 12.0, 10.0], torch.tensor([[8.0, 2.0, 16.0, 10.0]])
    sides = torch.tensor([40.0, 20.0, 40.0, 20.0])
    pixels, relative = BoxRegression(unit="pixels"), BoxRegression()
    iou = 32 / 96
    assert float(pixels.loss(guess, [target(*box)])) == pytest.approx(1 - iou + 16 / (144 + 64))
    assert float(relative.loss(guess / sides, [target(*box)])) == pytest.approx(1 - iou + 0.01 / (0.09 + 0.16))
    for task, output in ((pixels, guess), (relative, guess / sides)):
        torch.testing.assert_close(task.decode(output, (20, 40)), guess[:, None])
    torch.testing.assert_close(relative.decode(guess / sides, (40, 80)), 2 * guess[:, None])


def test_corners_may_come_in_any_order() -> None:
    task = BoxRegression(unit="pixels")
    turned, box = torch.tensor([[16.0, 2.0, 8.0, 10.0]]), [target(8.0, 2.0, 16.0, 10.0)]
    assert float(task.loss(turned, box)) == 0
    assert task.decode(turned, (20, 40)).tolist() == [[[8.0, 2.0, 16.0, 10.0]]]


def test_the_iou_is_over_the_set() -> None:
    """Three images in batches of two and one: neither the last batch nor the mean of the batches' means."""
    task = BoxRegression(unit="pixels")
    truth = [target(0.0, 0.0, 4.0, 4.0)] * 3
    guess = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 2.0, 4.0], [0.0, 0.0, 1.0, 1.0]])
    metric = task.metric()
    for part in (slice(0, 2), slice(2, 3)):
        metric.update(task.decode(guess[part], (20, 40)), truth[part])
    found = float(metric.compute()["IoU"])
    assert found == pytest.approx(100 * (1 + 1 / 2 + 1 / 16) / 3)
    assert found != pytest.approx(100 / 16) and found != pytest.approx(100 * (3 / 4 + 1 / 16) / 2)


def test_from_samples_to_the_loss() -> None:
    """A batch in which one sample has no box."""
    image = torch.zeros(3, 20, 40)
    boxed = {"image": image, "key": "a", "box": bounding_boxes([[4.0, 2.0, 12.0, 10.0]], (20, 40))}
    batch = collate([{"image": image, "key": "b"}, boxed])
    assert batch.rows["box"].tolist() == [1]
    assert type(batch.targets["box"][0]["boxes"]) is torch.Tensor
    output = torch.tensor([[0.0, 0, 0, 0], [0.1, 0.1, 0.3, 0.5]])
    task = BoxRegression()
    assert float(task.loss(task.select(output, batch.rows["box"]), batch.targets["box"])) == pytest.approx(0, abs=1e-6)


def test_refusals() -> None:
    task = BoxRegression()
    outside = r"lies within 0\.\.1, got \[0\.5, .*1\.25.*\] \(\[20\.0, 5\.0, 50\.0, 8\.0\] in pixels\); clip"
    with pytest.raises(ValueError, match=outside):
        task.loss(torch.rand(1, 4), [target(20.0, 5.0, 50.0, 8.0)])
    with pytest.raises(ValueError, match=r"finite numbers, got \[nan, 5\.0, 6\.0, 8\.0\] for image 1; repair"):
        task.loss(torch.rand(2, 4), [target(1.0, 1.0, 2.0, 2.0), target(torch.nan, 5.0, 6.0, 8.0)])
    with pytest.raises(ValueError, match=r"expects targets with boxes \(1, 4\).*got \{'boxes': \(2, 4\)"):
        task.loss(torch.rand(1, 4), [{"boxes": torch.rand(2, 4), "size": torch.tensor([2, 2])}])
    with pytest.raises(ValueError, match="got 'giou' and 'relative'"):
        BoxRegression(loss="giou")  # type: ignore[arg-type]


def test_pictures() -> None:
    task, image = BoxRegression(), torch.full((3, 20, 40), 200, dtype=torch.uint8)
    box = bounding_boxes([[10.0, 5.0, 30.0, 15.0]], (20, 40))
    assert task.picture(box).shape == (3, 20, 40)
    assert task.picture(box.as_subclass(torch.Tensor)).shape == (3, 16, 31)
    for value in (box, box.as_subclass(torch.Tensor)):
        over = task.over(image, value)
        assert (over[:, 10, 20] == 100).all(), "inside the outline the image is darkened"
        line = (over != 100).any(0)
        assert line[5, 10:30].all() and line[14, 10:30].all() and line[5:15, 10].all() and not line[6:14, 11:29].any()
    assert (task.over(image, torch.full((1, 4), torch.nan)) == 100).all()

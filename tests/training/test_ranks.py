"""Two processes train what one trains."""

import pytest
import torch
from lightning.fabric import Fabric
from training import ranks_work, toys

from taskweave.heads.layers import AnchorOutputs, RoiAttributes, RoiOutputs
from taskweave.tasks.anchor_loss import Matching, Sampling
from taskweave.tasks.attributes import Attributes
from taskweave.tasks.depth import Depth
from taskweave.tasks.detection import Detection
from taskweave.tasks.normals import Normals, NormalsByCodebook
from taskweave.tasks.roi_detection import RoiDetection
from taskweave.tasks.segmentation import Segmentation
from taskweave.training.fabric import Ranks


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """(folder, what two processes found there); starting them is slow, so they do everything at once."""
    folder = tmp_path_factory.mktemp("two")
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp_spawn")
    fabric.launch(ranks_work.everything, str(folder))
    return folder, torch.load(folder / ranks_work.FOUND, weights_only=True)


@pytest.mark.slow
def test_two_processes_are_one(tmp_path, two):
    folder, found = two[0] / "train_all", two[1]["train_all"]
    for i, case in enumerate(ranks_work.CASES):
        expected, metrics, _ = ranks_work.train(None, tmp_path / str(i), case)
        state, measured, same = found[case]
        assert same, f"{case}: the processes differ"
        start = toys.state_of(toys.network(norm=any("running" in name for name in state)))
        assert not torch.equal(start["streams.a.net.last.weight"], state["streams.a.net.last.weight"])
        for name, tensor in expected.items():
            assert torch.allclose(state[name], tensor, rtol=2e-5, atol=1e-6), f"{case}: {name}"
        assert (measured is None) == (metrics is None)
        if metrics is not None:
            assert measured["b"]["error"] == pytest.approx(metrics["b"]["error"], rel=1e-4)
        files = [{path.name for path in (of / str(i)).iterdir()} for of in (folder, tmp_path)]
        assert files[0] == files[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ranks_work.WEIGHTINGS)
def test_two_processes_weigh_as_one(tmp_path, two, name):
    state, weights, same = two[1]["weigh_all"][name]
    expected, told = ranks_work.weigh(None, tmp_path, name)
    assert same, "the processes differ"
    assert weights == pytest.approx(told, rel=1e-3)
    assert max(abs(weight - 1.0) for weight in weights.values()) > 1e-3
    for key, tensor in expected.items():
        torch.testing.assert_close(state[key], tensor, rtol=1e-3, atol=1e-4, msg=key)


@pytest.mark.slow
def test_processes_resume_bit_equal_with_their_own_noise(two):
    toys.assert_same_state(*two[1]["resume_all"])


@pytest.mark.slow
def test_gradients_of_absent_parts(two):
    """1 and 2 average to 1.5; 1 and nothing to .5, nothing and 2 to 1; nothing and nothing to nothing."""
    both = two[1]["average"]
    assert both[0] == both[1] == [[[1.5] * 3] * 2, [[0.5] * 3] * 2, [[1.0] * 3] * 2, None]


@pytest.mark.slow
def test_a_process_without_labels_takes_part(tmp_path, two):
    state = two[1]["no_label_at_all"]
    expected = ranks_work.no_label_at_all(None, tmp_path)
    for name, tensor in expected.items():
        torch.testing.assert_close(state[name], tensor, rtol=2e-5, atol=1e-6)


@pytest.mark.slow
def test_all_processes_stop_together(two):
    one, other = two[1]["diverge"]
    assert one == other and "the loss of task 'b' became nan at step 0" in one


def test_one_process_is_left_alone():
    ranks = Ranks(Fabric(accelerator="cpu", devices=1))
    assert ranks.alone and ranks.leads and ranks.of_leader("x") == "x" and ranks.of_each("x") == ["x"]


def boxes(*corners):
    return torch.tensor(corners, dtype=torch.float32).reshape(-1, 4)


def dense(task, *, target):
    torch.manual_seed(3)
    return task, torch.randn(4, task.channels, 4, 4) * torch.arange(1, 5)[:, None, None, None], target


def holes(values, share):
    """Zeros in a growing share of the pixels, so that samples have different numbers of labels."""
    for i in range(len(values)):
        values[i][:, torch.rand(values.shape[-2:]) < share * i / len(values)] = 0
    return values


def anchored():
    corners = torch.rand(40, 2) * 30
    anchors = torch.cat([corners, corners + 6 + 10 * torch.rand(40, 2)], 1)
    targets = [
        {"boxes": anchors[i : i + n] + 0.5, "labels": torch.ones(n, dtype=torch.int64)} for i, n in enumerate((1, 3, 0, 2))
    ]
    return AnchorOutputs(torch.randn(4, 40, 2), torch.randn(4, 40, 4), anchors), targets


def regions(kind):
    counts = (2, 5, 1, 4)
    rois = tuple(torch.rand(n, 4) for n in counts)
    if kind == "boxes":
        targets = [{"labels": torch.randint(-1, 3, (n,)), "deltas": torch.randn(n, 4)} for n in counts]
        return RoiOutputs(torch.randn(12, 3), torch.randn(12, 12), rois), targets
    targets = [{"values": torch.randint(0, 2, (n, 5)).float()} for n in counts]
    for target in targets[1:]:
        target["values"][0] = float("nan")
    return RoiAttributes(torch.randn(12, 5), rois), targets


def outputs_and_targets(kind):
    torch.manual_seed(5)
    labels = torch.randint(0, 3, (4, 8, 8))
    labels[1, :5], labels[2, :, :7] = 255, 255
    depth = holes(torch.rand(4, 1, 8, 8) + 1, 0.9)
    normals = holes(torch.nn.functional.normalize(torch.randn(4, 3, 8, 8), dim=1), 0.9)
    anchors, found = anchored()
    return {
        "segmentation": lambda: dense(Segmentation(3, loss_resolution="eighth"), target=labels),
        "weighted": lambda: dense(Segmentation(3, class_weights=[0.2, 1.0, 3.0], loss_resolution="full"), target=labels),
        "depth": lambda: dense(Depth(loss_resolution="eighth"), target=depth),
        "full depth": lambda: dense(Depth(loss_resolution="full"), target=depth),
        "normals": lambda: dense(Normals(loss_resolution="eighth"), target=normals),
        "codebook": lambda: dense(NormalsByCodebook(codebook=torch.eye(3), loss_resolution="eighth"), target=normals),
        "detection": lambda: (Detection(1, sample=None), anchors, found),
        "regions": lambda: (RoiDetection(2), *regions("boxes")),
        "attributes": lambda: (Attributes(5), *regions("attributes")),
    }[kind]()


KINDS = ("segmentation", "weighted", "depth", "full depth", "normals", "codebook", "detection", "regions", "attributes")


@pytest.mark.parametrize("kind", KINDS)
def test_losses_of_parts_weighted_by_their_counts_are_the_loss_of_all(kind):
    task, output, target = outputs_and_targets(kind)
    whole, total, count = float(task.loss(output, target)), 0.0, 0.0
    parts = []
    for rows in (torch.tensor([0]), torch.tensor([1, 2, 3])):
        part, labels = task.select(output, rows), [target[i] for i in rows]
        labels = torch.stack(labels) if isinstance(target, torch.Tensor) else labels
        parts.append(float(task.loss(part, labels)))
        weight = float(task.label_count(part, labels))
        total, count = total + weight * parts[-1], count + weight
    assert total / count == pytest.approx(whole, rel=1e-4)
    assert sum(parts) / 2 != pytest.approx(whole, rel=1e-3)  # the plain mean would not do


def test_losses_of_parts_that_are_sums_add_up():
    torch.manual_seed(5)
    task = Segmentation(3, summed=True, loss_resolution="eighth")
    output, target = torch.randn(4, 3, 4, 4), torch.randint(0, 3, (4, 8, 8))
    target[1, :5] = 255
    labels = target[:, ::2, ::2]
    each = -output.log_softmax(1).gather(1, labels.clamp(max=2)[:, None])[:, 0]
    whole = float(each[labels != 255].sum())
    assert task.adds_up and not Segmentation(3).adds_up
    assert float(task.loss(output, target)) == pytest.approx(whole, rel=1e-5)
    assert sum(float(task.loss(output[i : i + 1], target[i : i + 1])) for i in range(4)) == pytest.approx(whole, rel=1e-5)


@pytest.mark.slow
def test_sums_of_processes_add_up(two):
    """With losses w and 2 w of both processes the gradient is 3, and one of the second process only counts whole."""
    assert two[1]["add_up"] == [[3.0, 3.0, 7.0, 7.0]] * 2


def test_drawn_anchors_are_counted():
    """Of each image at most eight, at most two of them positive; counted by drawing."""
    torch.manual_seed(5)
    output, targets = anchored()
    loss, rule = Sampling(sample=8, foreground=0.25), Matching()
    drawn = sum(int((loss.draw(rule.assign(output.anchors, target)[0]) != -1).sum()) for target in targets)
    assert int(Detection(1, sample=8, foreground=0.25).label_count(output, targets)) == drawn

"""Proposals: the grid, files, data sets with proposals."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from data import box_trees
from data.refusing import refuses
from hypothesis import given, settings, strategies as st

import taskweave as tw
from taskweave.data import WithProposals, grid_proposals, read_proposals, write_proposals


@settings(max_examples=30, deadline=None)
@given(st.integers(8, 60), st.integers(8, 60), st.floats(0, 0.8))
def test_grid(height, width, overlap):
    """Within the image, of the scales and ratios asked for, every pixel covered at each of them."""
    for scale in (0.3, 0.7):
        for ratio in (0.5, 1.0):
            boxes = grid_proposals((height, width), scales=(scale,), ratios=(ratio,), overlap=overlap)
            plain = boxes.as_subclass(torch.Tensor)
            assert boxes.canvas_size == (height, width)
            assert (plain[:, :2] >= 0).all()
            assert (plain[:, 2] <= width).all()
            assert (plain[:, 3] <= height).all()
            w, h = (plain[:, 2:] - plain[:, :2]).unbind(1)
            assert torch.allclose(w * h, torch.tensor((scale * min(height, width)) ** 2), rtol=1e-3)
            assert torch.allclose(h / w, torch.tensor(ratio), rtol=1e-3)
            assert_covers(plain, height, width, overlap)


def assert_covers(boxes, height, width, overlap):
    """Along each side: from edge to edge, and neighbours share at least the overlap."""
    for low, high, whole in ((boxes[:, 0], boxes[:, 2], width), (boxes[:, 1], boxes[:, 3], height)):
        spans = sorted(set(zip(low.tolist(), high.tolist(), strict=True)))
        assert spans[0][0] == pytest.approx(0, abs=1e-4)
        assert spans[-1][1] == pytest.approx(whole, rel=1e-5)
        for (_, end), (begin, last) in pairwise(spans):
            assert end - begin >= overlap * (last - begin) - 1e-3


def test_coverage_can_fail():
    with pytest.raises(AssertionError):
        assert_covers(torch.tensor([[0.0, 0, 4, 4], [5, 0, 9, 4]]), 4, 9, 0.0)
    with pytest.raises(AssertionError):
        assert_covers(torch.tensor([[0.0, 0, 4, 4]]), 4, 9, 0.0)


def test_grid_larger_than_the_image_is_cut_and_not_repeated():
    boxes = grid_proposals((10, 40), scales=(2.0, 3.0), ratios=(1.0,), overlap=0.5)
    assert all(row[1] == 0 and row[3] == 10 for row in boxes.tolist())
    assert len({tuple(row) for row in boxes.tolist()}) == len(boxes)


def test_grid_bad_options():
    for options in ({"scales": ()}, {"ratios": (0.0,)}, {"overlap": 1.0}):
        with pytest.raises(ValueError, match="scales and ratios"):
            grid_proposals((10, 10), **options)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_files_round_trip(tmp_path, suffix):
    given = {
        "file": torch.tensor([[0.5, 1, 2.25, 3]]),  # the name of np.savez's own argument
        "seq/01/é.png": torch.zeros(0, 4),
        "b": torch.tensor([[0.0, 0, 5, 5], [1, 1, 2, 2]]),
    }
    write_proposals(tmp_path / f"p{suffix}", given)
    back = read_proposals(tmp_path / f"p{suffix}")
    assert back.keys() == given.keys()
    for key, boxes in given.items():
        assert torch.equal(back[key], boxes)
        assert back[key].dtype == torch.float32
        assert back[key].shape == boxes.shape
    write_proposals(tmp_path / f"none{suffix}", {})
    assert read_proposals(tmp_path / f"none{suffix}") == {}


def test_files_that_are_wrong(tmp_path):
    refuses(lambda: read_proposals(tmp_path / "p.npz"), FileNotFoundError, "p.npz", "write_proposals")
    refuses(lambda: write_proposals(tmp_path / "p.txt", {}), ValueError, ".txt", ".npz")
    refuses(lambda: write_proposals(tmp_path / "p.npz", {"a": torch.zeros(3, 5)}), ValueError, "'a'", "(3, 5)")
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"a": [[0, 0, 5, 5], [3, 3, 3, 9]]}))
    refuses(lambda: read_proposals(file), ValueError, file, "'a'", "row 1", "x1 < x2")
    file.write_text(json.dumps({"a": [[0, 0, 5, float("nan")]]}))
    refuses(lambda: read_proposals(file), ValueError, "row 0", "nan")
    file.write_text(json.dumps([[0, 0, 5, 5]]))
    refuses(lambda: read_proposals(file), ValueError, file, "list")
    file.write_text('{"a": ')
    refuses(lambda: read_proposals(file), ValueError, file, "write them again")
    cut = tmp_path / "cut.npz"
    write_proposals(cut, {"a": torch.tensor([[0.0, 0, 5, 5]])})
    cut.write_bytes(cut.read_bytes()[:-30])
    refuses(lambda: read_proposals(cut), ValueError, cut)
    np.savez(tmp_path / "counts.npz", keys=np.array(["a"]), counts=np.array([2]), boxes=np.zeros((1, 4)))
    refuses(lambda: read_proposals(tmp_path / "counts.npz"), ValueError, "counts.npz", "1 boxes")


def test_with_proposals(tmp_path):
    shots = box_trees.write_voc(tmp_path)
    data = tw.data.voc("trainval", path=tmp_path, year=2007)
    given = {shot.key: torch.tensor([[0.0, 0, shot.size[1] + 0.5, shot.size[0]]]) for shot in shots}
    seen = WithProposals(data, given)
    for index, shot in enumerate(shots):
        assert seen[index]["proposals"].tolist() == [[0, 0, shot.size[1], shot.size[0]]], "half a pixel is clipped"
        assert seen[index]["proposals"].canvas_size == shot.size
        assert torch.equal(seen[index]["detection"]["boxes"], data[index]["detection"]["boxes"])
    grid = WithProposals(data, grid_proposals)
    assert torch.equal(grid[1]["proposals"], grid_proposals((30, 20)))


def test_with_proposals_refuses(tmp_path):
    shots = box_trees.write_voc(tmp_path)
    data = tw.data.voc("trainval", path=tmp_path, year=2007)
    given = {shot.key: torch.zeros(0, 4) for shot in shots}
    refuses(lambda: WithProposals(data, {"000001": given["000001"]}), ValueError, "3 of 4", "'000002'")
    given["000002"] = torch.tensor([[0.0, 0, 5, 5], [0, 0, 22, 5]])
    refuses(lambda: WithProposals(data, given)[1], ValueError, "proposal 1", "'000002'", "20 wide and 30 high")

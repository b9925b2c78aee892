"""Two real processes see two parts of a set, one of them unevenly, and compute what one process computes of all."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

WORKER = textwrap.dedent("""
    import sys, json, warnings
    import numpy as np, torch
    from taskweave.metrics import AbsoluteError, Accuracy, BoxOverlap
    from taskweave.metrics import DepthErrors, NormalAngles, SegmentationScores
    warnings.simplefilter("ignore")
    rank, file = int(sys.argv[1]), sys.argv[2]
    torch.manual_seed(0)
    metres, more = torch.rand(5, 1, 4, 4) + 1, torch.rand(5, 1, 4, 4) + 1
    vectors, turned = torch.randn(5, 3, 4, 4), torch.randn(5, 3, 4, 4)
    vectors[0, :, 0] = 0
    labels, guesses = torch.randint(0, 3, (5, 4, 4)), torch.randint(0, 3, (5, 4, 4))
    work = [(DepthErrors(), more, metres), (NormalAngles(), turned, vectors), (SegmentationScores(4), guesses, labels),
            (SegmentationScores(4, per_image=True, image_miou=True), guesses, labels),
            (Accuracy(3), guesses[:, 0, 0], labels[:, 0, 0]),
            (AbsoluteError(), torch.arange(5.) ** 2, torch.arange(5)),
            (BoxOverlap(), torch.tensor([0., 0, 2, 2]).repeat(5, 1, 1), torch.tensor([1., 1, 2, 2]) + labels[:, :1, :1])]
    def scores(parts):
        found = []
        for metric, prediction, target in work:
            metric.reset()
            for part in parts:
                metric.update(prediction[part], target[part])
            found.append({name: float(value) for name, value in metric.compute().items()})
            images = metric.per_image()
            found.append({name: float(value[0]) for name, value in images.scores(np.ones((1, images.count), int)).items()})
        found.append(work[2][0].per_class().nan_to_num(-1).tolist())
        return found
    expected = scores([slice(0, 5)])
    torch.distributed.init_process_group("gloo", init_method="file://" + file, rank=rank, world_size=2)
    shards = [[slice(0, 1), slice(1, 4)], [slice(4, 5)]]
    uneven = scores(shards[rank])
    one_idle = scores([slice(0, 5)] if rank == 0 else [])
    print(json.dumps([expected, uneven, one_idle]))
    torch.distributed.destroy_process_group()
""")


def flat(found: list) -> list[float]:
    return [value for part in found for value in (part.values() if isinstance(part, dict) else part)]


@pytest.mark.slow
def test_two_processes(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", WORKER, str(rank), str(tmp_path / "store")] for rank in range(2)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    outputs = [worker.communicate(timeout=200)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    for output in outputs:
        expected, uneven, one_idle = json.loads(output.strip().splitlines()[-1])
        assert flat(uneven) == pytest.approx(flat(expected), rel=1e-12)
        assert flat(one_idle) == pytest.approx(flat(expected), rel=1e-12)

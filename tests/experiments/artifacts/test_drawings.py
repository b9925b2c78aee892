"""What a comparison leaves of its networks: nothing where no row is finished."""

from pathlib import Path

from experiments.tiny import Told, tiny

from taskweave.experiments.artifacts.writing import write_drawings
from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import entries


def test_no_rows_no_files(tmp_path: Path) -> None:
    recipe = tiny()
    assert write_drawings(entries(recipe), Bench(recipe), root=tmp_path, folder=tmp_path, progress=Told()) == ()
    assert not list(tmp_path.iterdir())

"""A part's options are declared by its signature and nowhere else."""

from pathlib import Path

import pytest
from architecture.declared import MOST, declared_again, names_in

SOURCE = Path(__file__).parents[2] / "src" / "taskweave"
ROOMS = (
    *(f"{room}/__init__.py" for room in ("units", "heads", "networks", "tasks", "metrics", "data", "weighting")),
    "experiments/starts/__init__.py",
    "experiments/methods/__init__.py",
    "training/optimizers.py",
)
PUBLIC = frozenset(name for room in ROOMS for name in names_in(SOURCE / room))
VALUES = ("recipes/",)
"""Where recipes give options their values."""


def test_no_class_and_no_mapping_declares_a_parts_options_again() -> None:
    assert {"scenes", "CrossStitch", "deeplab_resnet", "Detection", "LossGate", "Connected"} <= PUBLIC
    assert declared_again(SOURCE, public=PUBLIC, left_out=VALUES) == []


TWICE = {
    "a model": "class Twin(BaseModel):\n    width: int\n    depth: int\n    rate: float\n    norm: bool\n",
    "a dataclass": "@dataclass\nclass Two:\n    width: int = 1\n    depth: int\n    rate: float = 0.5\n    norm: int = 1\n",
    "a mapping": "TWIN = {'width': 1, 'depth': 2, 'rate': 0.5, 'norm': True}\n",
    "a copy": "def build(one):\n    return {'width': one.a, 'depth': one.b, 'rate': one.c, 'norm': one.d, 'more': 1}\n",
}
PART = "def net(channels, *, width=1, depth=2, rate=0.5, norm=True):\n    return dict(width=width)\n"


@pytest.mark.parametrize("form", TWICE)
def test_a_twin_is_found(form: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(PART)
    assert declared_again(tmp_path, public=frozenset({"net"})) == []
    (tmp_path / "twin.py").write_text(TWICE[form])
    (found,) = declared_again(tmp_path, public=frozenset({"net"}))
    assert (found.file, found.part, found.options) == ("twin.py", "net", {"width", "depth", "rate", "norm"})
    assert declared_again(tmp_path, public=frozenset({"other"})) == []
    assert declared_again(tmp_path, public=frozenset({"net"}), left_out=("twin.py",)) == []


def test_a_few_names_in_common_and_a_part_written_down_are_no_twin(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(PART)
    (tmp_path / "few.py").write_text("class Few:\n    width: int\n    depth: int\n    rate: float\n")
    assert MOST == 3
    (tmp_path / "used.py").write_text("ROW = {'use': 'net', 'width': 1, 'depth': 2, 'rate': 0.5, 'norm': True}\n")
    assert declared_again(tmp_path, public=frozenset({"net"})) == []

"""docs/pets.md: its code runs, it names what can be said, its numbers are those of the tests."""

import re
from pathlib import Path

import pytest

from taskweave.experiments.choices.pet_net import PetNet
from taskweave.experiments.choices.pets import PetAuxiliaries, PetOEQ, PetSegNet

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pets.md"


def test_the_code_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    scope: dict[str, object] = {}
    exec(compile(block, "docs/pets.md", "exec"), scope)
    assert {name: tuple(y.shape) for name, y in scope["outputs"].items()} == {  # type: ignore[attr-defined]
        "species": (2, 2),
        "box": (2, 4),
        "segmentation": (2, 2, 128, 128),
    }
    assert "{'segmentation': 'decoder4'}" in capsys.readouterr().out


@pytest.mark.parametrize("choice", [PetNet, PetSegNet, PetOEQ, PetAuxiliaries])
def test_every_field_is_named(choice: type) -> None:
    common = {"kind", "label", "shortcut", "network", "weighting"}
    fields = {choice.model_fields["kind"].default, *choice.model_fields} - common  # type: ignore[attr-defined]
    assert not [name for name in fields if f"`{name}`" not in PAGE.read_text()]

"""docs/pets.md: its code runs, it names what can be said, its numbers are those of the tests."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskweave.networks import pet_auxiliaries, pet_map_net, pet_numbers_net, pet_oeq, pet_segnet
from taskweave.parts import options_of

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pets.md"


def test_the_code_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    scope: dict[str, object] = {}
    exec(compile(block, "docs/pets.md", "exec"), scope)
    assert {name: tuple(y.shape) for name, y in scope["predictions"].items()} == {  # type: ignore[attr-defined]
        "species": (2, 2),
        "box": (2, 4),
        "segmentation": (2, 2, 128, 128),
    }
    assert "{'segmentation': 'decoder4'}" in capsys.readouterr().out


@pytest.mark.parametrize("call", [pet_map_net, pet_numbers_net, pet_segnet, pet_oeq, pet_auxiliaries])
def test_every_option_is_named(call: Callable[..., Any]) -> None:
    names = [call.__name__, *options_of(call).model_fields]
    assert not [name for name in names if f"`{name}`" not in PAGE.read_text()]

"""What every choice must state is abstract: one that does not state it cannot be made."""

from typing import Literal

import pytest
from taskweave.experiments.choices.data import DataChoice
from taskweave.experiments.choices.methodchoice import MethodChoice


@pytest.mark.parametrize(("base", "missing"), [(DataChoice, "names"), (MethodChoice, "usual_label")])
def test_a_choice_that_states_too_little_cannot_be_made(base, missing):
    class Incomplete(base):
        kind: Literal["incomplete"] = "incomplete"

    for made in (base, Incomplete):
        with pytest.raises(TypeError, match=missing):
            made()

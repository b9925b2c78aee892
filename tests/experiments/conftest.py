"""What tests of comparisons may ask for."""

import pytest

from taskweave.experiments import comparison


@pytest.fixture(autouse=True)
def undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons draw nothing unless a test is marked `draws`: a dozen charts take longer than its trainings."""
    if request.node.get_closest_marker("draws") is None:
        monkeypatch.setattr(comparison, "write_drawings", lambda *args, **options: ())

"""What is told while a command works."""

import io

from rich.console import Console

from taskweave.cli.progress import bars


def test_notes_are_told_once_and_as_they_are() -> None:
    """Reasons and paths have brackets, which are no markup."""
    text = io.StringIO()
    with bars(Console(file=text, width=60)) as progress:
        for _ in range(2):
            progress.note("single failed: boxes [outside] the image of /tmp/[/x]")
    assert text.getvalue() == "single failed: boxes [outside] the image of /tmp/[/x]\n"

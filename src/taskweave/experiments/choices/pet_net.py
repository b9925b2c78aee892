"""The single-task networks of the pet paper."""

from __future__ import annotations

from typing import Annotated, Literal, final

from pydantic import Field

from taskweave.experiments.choices.choice import Choice

Width = Annotated[int, Field(ge=1)]


@final
class PetNet(Choice):
    """The pet paper's encoder, with a decoder for dense tasks and a head of linear layers for those of whole images.

    Stages stem, branch, encoder1 ... encoder5 and, for dense tasks, decoder1 ... decoder6.
    """

    kind: Literal["pet_net"] = "pet_net"
    width: Width = 16
    """Channels of the stem; the end of the encoder has 32 times as many."""
    hidden: Annotated[tuple[Width, ...], Field(min_length=1)] = (200, 80)
    """Widths of the inner layers of a head."""
    stem_kernel: Literal[3, 7] = 3
    """7 in the networks of the paper's open-ended question."""
    sigmoid: bool = False
    """Dense outputs in (0, 1) instead of logits, before a loss with softmax: a fault of the public code."""
    batch_statistics: bool = False
    """Batch norms go by their own batch in tests too: a fault of the public code, which never calls eval()."""

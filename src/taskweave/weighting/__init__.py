"""{task: loss} -> one loss: the contract, and one file per method."""

from taskweave.weighting.fixed import Fixed
from taskweave.weighting.weighting import Weighting

__all__ = ["Fixed", "Weighting"]

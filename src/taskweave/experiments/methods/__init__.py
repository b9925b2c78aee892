"""The methods of a comparison, one file each."""

from taskweave.experiments.methods.connected import Connected
from taskweave.experiments.methods.ensemble import Ensemble
from taskweave.experiments.methods.joint import Joint
from taskweave.experiments.methods.method import Method
from taskweave.experiments.methods.one_task import OneTask
from taskweave.experiments.methods.shared import Shared
from taskweave.experiments.methods.shared_latent import SharedLatent
from taskweave.experiments.methods.single import Single
from taskweave.experiments.methods.trained_on import SingleTrainedOn

__all__ = ["Connected", "Ensemble", "Joint", "Method", "OneTask", "Shared", "SharedLatent", "Single", "SingleTrainedOn"]

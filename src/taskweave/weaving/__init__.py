"""Weaving: streams that meet through units, in lock-step."""

from taskweave.weaving.connect import connect
from taskweave.weaving.connected import Connected, watching
from taskweave.weaving.connection import Connection
from taskweave.weaving.ensemble import Ensemble
from taskweave.weaving.latent import share_latent
from taskweave.weaving.predicting import predict
from taskweave.weaving.share import share
from taskweave.weaving.start import calibrate, check_start

__all__ = [
    "Connected",
    "Connection",
    "Ensemble",
    "calibrate",
    "check_start",
    "connect",
    "predict",
    "share",
    "share_latent",
    "watching",
]

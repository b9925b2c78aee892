"""Weaving: streams that meet through units, in lock-step."""

from taskweave.weaving.connect import connect as connect
from taskweave.weaving.connected import (
    Connected as Connected,
    Ensemble as Ensemble,
    predict as predict,
    watching as watching,
)
from taskweave.weaving.plan import Connection as Connection
from taskweave.weaving.share import share as share, share_latent as share_latent
from taskweave.weaving.start import calibrate as calibrate, check_start as check_start

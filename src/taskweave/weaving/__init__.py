"""Weaving: streams that meet through units, in lock-step."""

from taskweave.weaving.connect import connect as connect
from taskweave.weaving.connected import Connected as Connected, watching as watching
from taskweave.weaving.connection import Connection as Connection
from taskweave.weaving.ensemble import Ensemble as Ensemble
from taskweave.weaving.latent import share_latent as share_latent
from taskweave.weaving.predicting import predict as predict
from taskweave.weaving.share import share as share
from taskweave.weaving.start import calibrate as calibrate, check_start as check_start

"""Parts of recipes: calls written down, with options that the signature alone declares."""

from taskweave.parts.callables import made_by, makes, states
from taskweave.parts.kinds import KINDS, Kind, find, known
from taskweave.parts.options import Aside, Where, options_of
from taskweave.parts.own_code import paths_from
from taskweave.parts.part import Live, Part, part, read
from taskweave.parts.words import snake_case, unknown

__all__ = [
    "KINDS",
    "Aside",
    "Kind",
    "Live",
    "Part",
    "Where",
    "find",
    "known",
    "made_by",
    "makes",
    "options_of",
    "part",
    "paths_from",
    "read",
    "snake_case",
    "states",
    "unknown",
]

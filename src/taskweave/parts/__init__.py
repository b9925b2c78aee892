"""Parts of recipes: calls written down, with options that the signature alone declares."""

from taskweave.parts.kinds import KINDS as KINDS, Kind as Kind, find as find, known as known
from taskweave.parts.options import (
    Aside as Aside,
    Where as Where,
    made_by as made_by,
    makes as makes,
    options_of as options_of,
    states as states,
)
from taskweave.parts.own_code import paths_from as paths_from
from taskweave.parts.part import Live as Live, Part as Part, part as part, read as read
from taskweave.parts.words import snake_case as snake_case, unknown as unknown

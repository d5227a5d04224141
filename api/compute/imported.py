"""Module that the parent of all compute processes imports once, so that each starts in milliseconds."""

from __future__ import annotations

import gc

from . import worker  # noqa: F401  # with it all of the twin

gc.collect()
gc.freeze()  # what is there by now is shared with all compute processes, so it is never collected in one of them

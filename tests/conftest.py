"""Hypothesis draws the same examples each time, so that a test command says the same twice.

HYPOTHESIS_PROFILE=explore draws new ones, and ten times as many: for hunting, not for a gate.
"""

import os

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

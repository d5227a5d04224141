"""Columns for the kernels, compiled from the records, and states that overlay some of them."""

from .cache import cache_folder, cache_key, load_arrays, package_version, save_arrays
from .columns import (
    END_POINTS,
    LAST_END_POINT,
    MAX_INDOOR_KM,
    NO_CODE,
    NODE_KINDS,
    TIERS,
    Bools,
    Floats,
    Ints,
    NetworkArrays,
    Tier,
)
from .compile import compile_network
from .distinct import distinct_rows
from .network import CompiledNetwork
from .state import State
from .two_ends import at_an_end, at_both_ends, greater_of_both, lesser_of_both

__all__ = [
    "END_POINTS",
    "LAST_END_POINT",
    "MAX_INDOOR_KM",
    "NODE_KINDS",
    "NO_CODE",
    "TIERS",
    "Bools",
    "CompiledNetwork",
    "Floats",
    "Ints",
    "NetworkArrays",
    "State",
    "Tier",
    "at_an_end",
    "at_both_ends",
    "cache_folder",
    "cache_key",
    "compile_network",
    "distinct_rows",
    "greater_of_both",
    "lesser_of_both",
    "load_arrays",
    "package_version",
    "save_arrays",
]

"""The one decorator of all kernels; no kernel file imports another kernel file (numba's cache would go stale)."""

from numba import njit

kernel = njit(cache=True, nogil=True)
"""Compiled once, cached on disk, releases the GIL; never parallel, never fastmath: same answer to the last bit."""

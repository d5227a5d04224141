"""Numba loops over arrays: no validation, no errors, no objects; `out` arrays come last."""

"""Traffic matrices as NumPy arrays: the bytes of a `.npy` file, in base64 so that a document holds them."""

from __future__ import annotations

import base64
import binascii
import math
from io import BytesIO

import numpy as np

from ..arrays import Floats
from ..errors import DocumentError
from .traffic_params import LEAST_GBPS

MAX_GBPS = 1e9
EXPECTED = "base64 of a .npy file of version 1 or 2 with a square matrix of numbers"


def matrix_of_npy(text: str, where: str, n_nodes: int) -> Floats:
    """Read a square matrix in Gb/s, row sends to column; float64[n_nodes, n_nodes].

    The header is checked before any entry is read, and objects are refused: nothing is unpickled.

    Args:
        text: base64 of a `.npy` file.
        where: place of the text, for messages.
        n_nodes: nodes that send and receive.

    Raises:
        DocumentError: no such file, another shape, or an entry that is no amount.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DocumentError("is no base64", where=where, expected=EXPECTED) from error
    shape, is_fortran, dtype, offset = _header(content, where)
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise DocumentError(f"has entries of type {dtype}", where=where, expected="numbers of at most 8 bytes")
    if shape != (n_nodes, n_nodes):
        hint = "rows and columns are the nodes of the block in the order of their ids; `nodes` chooses them"
        raise DocumentError(f"has shape {shape}", where=where, expected=f"({n_nodes}, {n_nodes})", hint=hint)
    if len(content) - offset != math.prod(shape) * dtype.itemsize:
        raise DocumentError("ends before its last entry, or after it", where=where, expected=EXPECTED)
    entries = np.frombuffer(content, dtype, offset=offset).reshape(shape, order="F" if is_fortran else "C")
    gbps = entries.astype(np.float64)
    bad = np.argwhere(~((gbps == 0.0) | ((gbps >= LEAST_GBPS) & (gbps <= MAX_GBPS))))
    if len(bad):
        row, column = bad[0].tolist()
        raise DocumentError(
            f"{len(bad):,} bad entries, the first {gbps[row, column]:g} Gb/s",
            where=f"{where}[{row}, {column}]",
            expected=f"0, or {LEAST_GBPS:g} to {MAX_GBPS:g} Gb/s",
        )
    return gbps


def _header(content: bytes, where: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic], int]:
    """(shape, whether columns come first, type of entries, first byte after the header)."""
    stream = BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version}")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(stream)
    except (ValueError, TypeError) as error:
        raise DocumentError("is no .npy file", where=where, expected=EXPECTED) from error
    return shape, is_fortran, dtype, stream.tell()

"""Weights of the values that a client accepts (RFC 9110, section 12.4.2)."""

from __future__ import annotations


def weights_of(header: str) -> dict[str, float]:
    """Return the weight of each value of a header such as `Accept`, in its order.

    header: values with commas between, each with its weight: `gzip;q=0.5, identity`. One without a weight has 1, one
        with a weight that is no number 0.
    """
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *options = (text.strip() for text in part.split(";"))
        quality = next((text[2:] for text in options if text.startswith("q=")), "1")
        try:
            weights[name] = float(quality)
        except ValueError:
            weights[name] = 0.0
    return weights

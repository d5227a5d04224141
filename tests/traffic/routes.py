"""Routes of pairs on a state, with the split weights of ECMP."""

from __future__ import annotations

import numpy as np

from twin.arrays import State
from twin.traffic.matrix_routes import MatrixRoutes
from twin.traffic.routes import Routes
from twin.traffic.routing import Router, links_with_share


def members_by_arc(state: State) -> np.ndarray:
    """Split weights of ECMP."""
    return np.repeat(state.n_members_up, 2).astype(np.float64)


def route_pairs(state: State, lit: np.ndarray, share: np.ndarray, source: np.ndarray, target: np.ndarray) -> Routes:
    """Routes of one set of pairs, by a router that was never asked before."""
    return Router(state, lit & links_with_share(share)).routes(share, source, target)


def matrix(state: State, source: np.ndarray, target: np.ndarray) -> MatrixRoutes:
    """Matrix routes of these pairs."""
    share = members_by_arc(state)
    return MatrixRoutes(state, Router(state, state["link_up"] & links_with_share(share)), share, source, target)


def routed(state: State, source: np.ndarray, target: np.ndarray) -> Routes:
    return route_pairs(state, state["link_up"], members_by_arc(state), source, target)

"""Validation of posted documents before a run is accepted, in a compute process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from twin.network import Network
from twin.store import NetworkStore

from ..bodies import NetworkRequest
from ..networks import NETWORK_FIELDS, check_names
from ..problems import placed
from ..questions.context import Context
from .estimate import MAX_LIGHT_RECORDS, n_records_of_network
from .network_key import network_key

MAX_CHECK_S = 2.0
"""Time for it; a document that takes longer is validated when its run begins."""


class Checking(NamedTuple):
    """Task to validate the documents of requests, with their demands, and the jobs and plans that the requests name."""

    requests: Mapping[str, NetworkRequest]
    """Requests by their place in the body, for messages; the place of one that is the body is empty."""

    def run(self, context: Context) -> None:
        """Raise TwinError for an invalid document, NotFoundError for a job or plan that it lacks."""
        for where, request in self.requests.items():
            with placed(where and f"{where}.network"):
                network = context.any_network(request.network)
            with placed(where, in_it=False):
                check_names(network, request)
            with placed(where and f"{where}.network"):
                _check_records(network)
            other = getattr(request, "other", None)
            if other is not None:
                with placed(where and f"{where}.other"):
                    _check_records(context.any_network(other))


def _check_records(network: Network) -> None:
    """Make the records and demands of a network, which checks them."""
    _ = network.nodes
    _ = network.generated_demands


def checking_of(requests: Mapping[str, NetworkRequest], store: NetworkStore) -> Checking | None:
    """Return the task to validate posted documents; None if there are none, or more than is quickly done.

    Args:
        requests: validated requests by their place in the body; the documents in them have not been validated.
        store: store of networks that they may name.

    Raises:
        NotFoundError: there is no network of a name.
    """
    posting, known, n_records = dict[str, NetworkRequest](), set[str](), 0
    for where, request in requests.items():
        networks = {name: data for name in NETWORK_FIELDS if (data := getattr(request, name, None)) is not None}
        if not any(isinstance(network, dict) for network in networks.values()):
            continue
        posting[where] = request
        for name, network in networks.items():
            key = network_key(network)
            with placed(where and f"{where}.{name}", in_it=False):
                n_records += 0 if key in known else n_records_of_network(network, store)
            known.add(key)
    return Checking(posting) if posting and n_records <= MAX_LIGHT_RECORDS else None

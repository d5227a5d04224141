"""A program of a user, for `mypy --strict` against an installed dc-twin; `.ci/run` checks it.

A name that does not exist must be an error: an ignore that is not needed is one too.
"""

from __future__ import annotations

from typing import assert_type

from twin.api.app import create_app
from twin.topologies import NETWORKS

import twin

network = twin.load("memphis-small")
assert_type(network, twin.Network)

score = network.score()
assert_type(score, twin.Score)
assert_type(score["step_time_s"], float | None)

diff = network.what_if("fibre-upgrade")
assert_type(diff, twin.Diff)
assert_type(diff.change("step_time_s"), float | None)

assert_type(network.sweep("age=0,10"), twin.Sweep)
assert_type(network.explain(), twin.Explanation)
assert_type(network.forecast(5), twin.Forecast)
assert_type(network.link("wan-1-2"), twin.LinkReport)
assert_type(network.link_table("wan-*"), twin.LinkTable)
assert_type(twin.catalogue.catalogue().get("H100").value("nic_gbps"), float)
assert_type(twin.__version__, str)
assert_type(NETWORKS["memphis"], str)

try:
    twin.load("memphis-smal")
except twin.CatalogueError as error:
    assert_type(error.hint, str)
except twin.TwinError as error:
    assert_type(error.issues, tuple[twin.Issue, ...])

twin.lode("memphis-small")  # type: ignore[attr-defined]
network.scoer()  # type: ignore[attr-defined]
network.score(job=3)  # type: ignore[arg-type]
create_app(warm="yes")  # type: ignore[arg-type]

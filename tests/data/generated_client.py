"""A program of a client generated from the OpenAPI document; `.ci/generated_client.py` checks and runs it."""

from __future__ import annotations

import sys
from typing import assert_type

from twin_client.api.catalogue import health
from twin_client.api.questions import what_if
from twin_client.client import Client
from twin_client.models import Diff, FailSrlg, Problem, WhatIfRequest

client = Client(base_url=sys.argv[1])
assert health.sync(client=client)

cut = FailSrlg(kind="fail_srlg", srlg="duct-13-a")
answer = what_if.sync(client=client, body=WhatIfRequest(network="memphis-small", changes=[cut], main_assumptions=False))
assert_type(answer, Diff | Problem | None)
assert isinstance(answer, Diff), answer
step_time = answer.metrics["step_time_s"]
assert step_time.before is not None
assert step_time.after is not None
assert step_time.after > step_time.before
print(answer.summary[0])

wrong = what_if.sync(client=client, body=WhatIfRequest(network="memphis-small", plan="fibre-upgrad"))
assert isinstance(wrong, Problem), wrong
assert "fibre-upgrade" in wrong.issues[0].hint
print(wrong.detail)

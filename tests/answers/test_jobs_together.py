"""Jobs that run together: a job among idle ones, names, conflicts, what is said, and all interfaces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import twin
from twin.cli import main as cli
from twin.errors import CatalogueError, ChangeError, TopologyError
from twin.render.numbers import seconds_text


def fabric(n_uplinks: int = 1, **fields: Any) -> dict[str, Any]:
    """Two jobs over both leaves of a fabric whose uplinks are few, and a third one under one leaf."""
    hosts = [(f"{name}{i}", f"leaf-{1 + i % 2}") for name in "ab" for i in range(4)] + [
        ("c0", "leaf-1"),
        ("c2", "leaf-1"),
    ]
    nodes: list[dict[str, Any]] = [{"id": name, "kind": "leaf", "site": "s"} for name in ("leaf-1", "leaf-2")]
    nodes.append({"id": "spine", "kind": "spine", "site": "s"})
    links: list[dict[str, Any]] = []
    for host, leaf in hosts:
        nodes.append({"id": host, "kind": "host", "site": "s", "accelerator": "H100", "n_accelerators": 8})
        links.append({"id": f"{host}~", "ends": [host, leaf], "capacity_gbps": 400, "n_parallel": 8})
    for leaf in ("leaf-1", "leaf-2"):
        links.append({"id": f"{leaf}^", "ends": [leaf, "spine"], "capacity_gbps": 400, "n_parallel": n_uplinks})
    jobs = [
        {
            "id": name,
            "model": "llama-3.1-8b",
            "parallelism": {"tp": 8},
            "n_global_batch": 64,
            "placement": [{"site": "s", "racks": f"{name}?"}],
        }
        for name in "abc"
    ]
    return {"name": "shared", "sites": [{"id": "s"}], "nodes": nodes, "links": links, "jobs": jobs} | fields


def step_s(answer: Any) -> float:
    return float(answer["step_time_s"])


def test_two_jobs_on_the_same_uplinks_slow_each_other() -> None:
    network = twin.from_document(fabric())
    alone, together = network.score("a"), network.score("a", jobs=["a", "b"])
    assert step_s(together) > 1.01 * step_s(alone)
    a, b = together.jobs
    assert (a.id, b.id, a.alone.step_time_s) == ("a", "b", step_s(alone))
    assert a.shared.step_time_s == step_s(together) <= a.shared.p90_step_time_s
    (slowed,) = a.slowed_by
    assert (slowed.job, slowed.phase, slowed.other_phase) == ("b", "local", "local")
    assert slowed.time_s == pytest.approx(step_s(together) - step_s(alone))
    assert slowed.link in ("leaf-1^", "leaf-2^")
    assert "b slows it most, on leaf-" in together.summary[1]
    assert "b +" in repr(together)


def test_a_job_among_idle_jobs_is_the_job_alone_to_the_last_bit() -> None:
    """Job c stays under its leaf, on cables of its own."""
    network = twin.from_document(fabric())
    alone, together = network.score("c"), network.score("c", jobs=["c", "b", "a"])
    row = next(row for row in together.jobs if row.id == "c")
    assert row.alone == row.shared
    assert row.slowed_by == ()
    assert "Other jobs do not slow c" in together.summary[1]
    same = {name: value for name, value in alone.metrics.items() if "utilisation" not in name}
    assert {name: together.metrics[name] for name in same} == same
    assert together["max_link_utilisation_ratio"] > alone["max_link_utilisation_ratio"], "links carry all jobs"


def test_more_uplinks_and_a_leaf_of_its_own_help() -> None:
    steps = [step_s(twin.from_document(fabric(n)).score("a", jobs=["a", "b"])) for n in (1, 2, 4, 8)]
    assert steps == sorted(steps, reverse=True)
    packed = fabric()
    packed["links"] = [
        link | {"ends": [link["ends"][0], "leaf-1"]} if link["id"][0] == "a" else link for link in packed["links"]
    ]
    network = twin.from_document(packed)
    assert step_s(network.score("a", jobs=["a", "b"])) == step_s(network.score("a")) <= steps[-1]


def test_jobs_under_hashing_slow_each_other_no_less_than_with_even_splitting() -> None:
    """Fewer flows collide more and last longer, so the jobs meet more often on links that are full."""

    def added(**record: Any) -> tuple[float, float]:
        network = twin.from_document(fabric(4, **({"load_balancing": [record]} if record else {})))
        row = network.score("a", jobs=["a", "b"], main_assumptions=False).jobs[0]
        alone_s, shared_s, p90_s = row.alone.step_time_s, row.shared.step_time_s, row.shared.p90_step_time_s
        assert alone_s is not None
        assert shared_s is not None
        assert p90_s is not None
        return shared_s - alone_s, p90_s - alone_s

    even_s, even_p90_s = added()
    by_flows = [added(mode="ecmp", n_flows_per_pair=n) for n in (1, 2, 3, 4, 8, 16, 64)]
    assert even_s > 0
    assert by_flows == sorted(by_flows, reverse=True)
    assert min(added_s for added_s, _ in by_flows) > even_s
    assert min(added_s for _, added_s in by_flows) > even_p90_s
    assert added(mode="ecmp", n_flows_per_pair=1_000_000)[0] == pytest.approx(even_s, rel=0.01)
    assert added(mode="spray", efficiency_ratio=1.0) == pytest.approx((even_s, even_p90_s), rel=1e-9)
    assert even_s < added(mode="spray", efficiency_ratio=0.9)[0] < by_flows[0][0]


def test_steps_under_unstated_modes_are_those_of_a_what_if_among_the_same_jobs() -> None:
    network = twin.from_document(fabric(4, jobs_together=[["a", "b"]]))
    before = network.score("a", main_assumptions=False)
    (sentence,) = (
        text for text in before.bottlenecks if text.startswith("Load balancing inside the fabrics is not stated")
    )
    modes = {"ecmp (2 flows per pair)": {"mode": "ecmp", "n_flows_per_pair": 2}, "spray": {"mode": "spray"}}
    for name, fields in modes.items():
        change = {"kind": "set_load_balancing", **fields}
        among, alone = (
            step_s(network.what_if([change], "a", jobs=jobs, main_assumptions=False).after) for jobs in (None, [])
        )
        assert among > alone
        assert f"{seconds_text(among)} with {name}" in sentence


def test_a_sweep_evaluates_the_job_among_the_same_jobs_as_a_score() -> None:
    network = twin.from_document(fabric(4, jobs_together=[["a", "b"]]))
    ecmp = {"kind": "set_load_balancing", "mode": "ecmp"}
    for jobs in (None, ["a"], ["c", "a"], ["b", "c", "a"]):
        sweep = network.sweep("links.leaf-*^.n_parallel=4,2", job="a", jobs=jobs, against=[ecmp])
        fewer = [{"kind": "set_channels", "links": "leaf-*^", "n_parallel": 2}]
        expected = [
            network.score("a", jobs=jobs, main_assumptions=False),
            network.what_if(fewer, "a", jobs=jobs, main_assumptions=False).after,
        ]
        assert sweep.values == tuple(map(step_s, expected))
        assert sweep.against_value == step_s(network.what_if([ecmp], "a", jobs=jobs, main_assumptions=False).after)
        others = {None: "b", 2: "c", 3: "b, c"}.get(jobs and len(jobs))
        text = f"Job a runs at the same time as {others}."
        assert sweep.summary[-1] == text if others else "at the same time" not in " ".join(sweep.summary)


def test_an_input_of_the_job_leaves_the_other_jobs_as_they_are() -> None:
    network = twin.from_document(fabric(jobs_together=[["a", "b"]]))
    swept = network.sweep("job.n_global_batch=64,128", job="a").values
    data = fabric(jobs_together=[["a", "b"]])
    data["jobs"][0]["n_global_batch"] = 128
    larger = twin.from_document(data).score("a", main_assumptions=False)
    assert swept == (step_s(network.score("a", main_assumptions=False)), step_s(larger))


@pytest.mark.parametrize("n_flows", [1, 4])
def test_hashing_leaves_idle_jobs_names_and_order_without_effect(n_flows: int) -> None:
    data = fabric(4, load_balancing=[{"mode": "ecmp", "n_flows_per_pair": n_flows}])
    network = twin.from_document(data)
    first = network.score("a", jobs=["a", "b"], main_assumptions=False)
    with_idle = network.score("a", jobs=["c", "b", "a"], main_assumptions=False)
    assert {row.id: (row.alone, row.shared) for row in first.jobs}.items() <= {
        row.id: (row.alone, row.shared) for row in with_idle.jobs
    }.items()
    assert step_s(network.score("c", jobs=["a", "b", "c"])) == step_s(network.score("c", jobs=[]))
    renamed = json.loads(json.dumps(data))
    for job in renamed["jobs"]:
        job["id"] = {"a": "z"}.get(job["id"], job["id"])
    second = twin.from_document(renamed).score("z", jobs=["z", "b"], main_assumptions=False)
    assert second.metrics == first.metrics


def test_names_and_order_change_no_bit() -> None:
    names = {"a": "y", "b": "x"}
    data = json.loads(json.dumps(fabric()))
    for job in data["jobs"]:
        job["id"] = names.get(job["id"], job["id"])
    first = twin.from_document(fabric()).score("a", jobs=["a", "b", "c"])
    second = twin.from_document(data).score("y", jobs=["c", "y", "x"])
    assert {names.get(row.id, row.id): (row.alone, row.shared) for row in first.jobs} == {
        row.id: (row.alone, row.shared) for row in second.jobs
    }
    assert first.metrics == second.metrics


def test_the_document_may_state_the_set_and_a_question_another_one() -> None:
    network = twin.from_document(fabric(jobs_together=[["a", "b"]]))
    assert not network.unused_fields
    assert step_s(network.score("a")) == step_s(network.score(jobs=["a", "b"])) > step_s(network.score("a", jobs=["a"]))
    assert network.score("c").jobs == ()
    assert network.score("a", jobs=[]).jobs == ()


def test_a_what_if_compares_the_jobs_together() -> None:
    network = twin.from_document(fabric())
    wider = [{"kind": "set_channels", "links": "leaf-*^", "n_parallel": 8}]
    diff = network.what_if(wider, "a", jobs=["a", "b"])
    assert step_s(diff.before) == step_s(network.score("a", jobs=["a", "b"]))
    assert step_s(diff.after) < step_s(diff.before)
    found = diff.to_dict()["jobs"]
    assert [row["id"] for row in found["before"]] == [row["id"] for row in found["after"]] == ["a", "b"]
    assert found["after"][0]["shared"]["step_time_s"] == step_s(diff.after)


def test_a_job_without_a_step_uses_nothing_and_says_why() -> None:
    network = twin.from_document(fabric())
    cut = [{"kind": "fail_links", "links": ["b1~", "b3~"]}]
    diff = network.what_if(cut, "a", jobs=["a", "b"])
    row = next(row for row in diff.after.jobs if row.id == "b")
    assert row.alone.step_time_s is None
    assert "link b1~ is down, link b3~ is down: 16 network cards lost" in row.alone.why
    assert step_s(diff.after) == step_s(network.score("a"))


def test_jobs_on_the_same_accelerators_are_refused() -> None:
    data = fabric()
    data["jobs"][1]["placement"][0]["racks"] = "a[01]"
    with pytest.raises(TopologyError) as caught:
        twin.from_document(data).score("a", jobs=["a", "b"])
    text = str(caught.value)
    assert "use the same accelerators" in text
    assert "a0 has 8 accelerators: a 8, b 8" in text
    assert "state `racks`" in text


@pytest.mark.parametrize(
    ("job", "jobs", "kind", "text"),
    [
        ("a", ["a", "d"], CatalogueError, "no job 'd'"),
        ("a", ["a", "a"], ChangeError, "each job once"),
        ("c", ["a", "b"], ChangeError, "'c' is not among a, b"),
    ],
)
def test_bad_sets_are_refused(job: str, jobs: list[str], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        twin.from_document(fabric()).score(job, jobs=jobs)


@pytest.mark.parametrize(
    ("jobs", "text"),
    [
        (5, "jobs: 5"),
        ("a", "jobs: 'a'"),
        ([["a"]], r"jobs\[0\]: a list"),
        (["a", None], r"jobs\[1\]: null"),
        (["a", ""], r"jobs\[1\]: ''"),
    ],
)
def test_anything_but_a_list_of_ids_is_refused_with_its_place(jobs: Any, text: str) -> None:
    network = twin.from_document(fabric())
    for ask in (network.score, lambda job, **more: network.what_if([], job, **more)):
        with pytest.raises(ChangeError, match=text) as caught:
            ask("a", jobs=jobs)
        assert "a list of ids of jobs" in str(caught.value)


def test_the_command_and_http_give_the_answer_of_python(tmp_path: Path) -> None:
    fastapi = pytest.importorskip("fastapi.testclient")
    from twin.api.app import create_app

    path = tmp_path / "shared.json"
    path.write_text(json.dumps(fabric()))
    expected = twin.from_document(fabric()).score("a", jobs=["a", "b"], main_assumptions=False)
    options = ["score", str(path), "--jobs", "b, a", "--job", "a", "--no-assumptions", "--json"]
    found = json.loads(CliRunner().invoke(cli.app, options).stdout)
    assert found["jobs"] == expected.to_dict()["jobs"]
    table = CliRunner().invoke(cli.app, [*options[:-1]]).stdout
    assert "Jobs that run together" in table
    client = fastapi.TestClient(create_app())
    body = {"network": fabric(), "job": "a", "jobs": ["a", "b"], "main_assumptions": False}
    assert client.post("/v1/score", json=body).json()["jobs"] == expected.to_dict()["jobs"]
    assert client.post("/v1/score", json=body | {"jobs": ["a", "d"]}).status_code == 404
    vary = "links.leaf-*^.n_parallel=1,2"
    swept = twin.from_document(fabric()).sweep(vary, job="a", jobs=["a", "b"]).to_dict()
    asked = {"network": fabric(), "job": "a", "jobs": ["a", "b"], "vary": [vary]}
    assert client.post("/v1/sweep", json=asked).json() == swept
    assert client.post("/v1/sweep", json=asked | {"jobs": ["a", "d"]}).status_code == 404
    options = ["sweep", str(path), "--vary", vary, "--jobs", "a,b", "--job", "a", "--processes", "1", "--json"]
    assert json.loads(CliRunner().invoke(cli.app, options).stdout) == swept

"""Items on this thread, on threads or in processes: the same results in order, one end for all, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import CancelledError
from pathlib import Path
from time import monotonic

import pytest

from tests.studies.squares import Squares
from tests.training.steps import one_site
from twin.errors import ChangeError, ConvergenceError, TwinError
from twin.loading import Network, from_document
from twin.studies import executor
from twin.studies.executor import BACKENDS, Workers, run_items

VARY = ["placement.a.n_accelerators=2..28:14", "links.a-0*.total_gbps=50,100,400"]
LOCAL = [name for name, row in BACKENDS.items() if not row.is_remote]
OTHERS = [name for name in LOCAL if name != "serial"]
ITEMS = range(60)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def network() -> Network:
    return from_document(one_site(4, 8, parallelism={"tp": 2, "pp": 2}))


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Others start at once, whatever there is to gain; temporary folders are made where the test can see them."""
    monkeypatch.setattr(executor, "LOCAL_ONLY_S", -1.0)
    monkeypatch.setattr(executor, "n_cores", lambda: 4)
    for name in OTHERS:
        monkeypatch.setitem(BACKENDS, name, BACKENDS[name]._replace(min_worker_time_s=1e-9))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.syspath_prepend(str(ROOT))  # worker processes import the task


def left_behind(folder: Path) -> list[object]:
    """Worker processes, worker threads and temporary folders that are still there."""
    processes = executor.multiprocessing.active_children()
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("twin-study")]
    return [*processes, *threads, *folder.glob("twin-study-*")]


@pytest.mark.parametrize("backend", LOCAL)
def test_results_stand_in_the_order_of_the_items_and_progress_counts_up(backend: str, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = run_items(
        Squares(takes_s=0.005), ITEMS, Workers(backend, 3), advance=lambda done, of: told.append((done, of))
    )
    assert [square for square, _, _ in found] == [item * item for item in ITEMS]
    assert told == [(n, 60) for n in range(1, 61)]
    assert left_behind(tmp_path) == []


def test_each_backend_works_where_it_says() -> None:
    where = {name: run_items(Squares(takes_s=0.01), ITEMS, Workers(name, 2)) for name in LOCAL}
    processes = {name: {process for _, process, _ in found} for name, found in where.items()}
    threads = {name: {thread for _, _, thread in found} for name, found in where.items()}
    assert processes["serial"] == processes["threads"] == {os.getpid()}
    assert (len(threads["serial"]), len(threads["threads"])) == (1, 2)


def test_processes_work_elsewhere_too() -> None:
    items = range(150)  # until the other process has come up, this one works alone
    found = run_items(Squares(takes_s=0.02), items, Workers("processes", 2))
    assert len({process for _, process, _ in found}) == 2


@pytest.mark.parametrize("backend", OTHERS)
def test_a_sweep_has_the_same_bits_on_every_backend(backend: str, network: Network) -> None:
    alone = network.sweep(VARY)
    assert network.sweep(VARY, executor=backend, n_workers=2).to_json() == alone.to_json()
    assert None in alone.values  # two are too few for a replica
    assert len(set(alone.values)) > 10


def test_n_processes_is_short_for_processes(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    row = BACKENDS["threads"]
    monkeypatch.setitem(BACKENDS, "processes", row._replace(open=lambda task, n: opened.append(n) or row.open(task, n)))
    assert network.sweep(VARY, n_processes=2) == network.sweep(VARY)
    assert opened == [1]


@pytest.mark.parametrize("backend", LOCAL)
def test_what_progress_raises_ends_all_workers(backend: str, tmp_path: Path) -> None:
    def interrupt(n_done: int, _: int) -> None:
        if n_done > 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_items(Squares(takes_s=0.01), range(10_000), Workers(backend, 2), advance=interrupt)
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("backend", LOCAL)
def test_a_flag_cancels_a_run(backend: str, tmp_path: Path) -> None:
    cancel = threading.Event()
    timer = threading.Timer(0.3, cancel.set)
    timer.start()
    start_s = monotonic()
    with pytest.raises(CancelledError, match="of 10000 items"):
        run_items(Squares(takes_s=0.01), range(10_000), Workers(backend, 2), cancel=cancel)
    timer.join()
    assert monotonic() - start_s < 20.0  # all items would take 50 s
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("backend", OTHERS)
def test_a_run_that_only_waits_is_cancelled_at_the_next_item_of_the_others(backend: str) -> None:
    """Others have batches of four seconds."""
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    start_s = monotonic()
    with pytest.raises(CancelledError):
        run_items(Squares(takes_s=1.0), range(40), Workers(backend, 2), local_solve=Squares().solve, cancel=cancel)
    assert monotonic() - start_s < 3.5


def test_a_sweep_that_is_cancelled_before_it_begins_does_nothing(network: Network) -> None:
    cancel, done = threading.Event(), []
    cancel.set()
    with pytest.raises(CancelledError, match="after 0 of 42"):
        network.sweep(VARY, cancel=cancel, advance=lambda n, _: done.append(n))
    assert done == []


@pytest.mark.parametrize("backend", LOCAL)
@pytest.mark.parametrize("items", [[13, *range(100, 150)], [*range(100, 150), 13]], ids=["first", "last"])
def test_an_error_in_one_item_is_raised_as_it_is(backend: str, items: list[int], tmp_path: Path) -> None:
    with pytest.raises(ConvergenceError, match="13 does not settle") as error:
        run_items(Squares("error", takes_s=0.01), items, Workers(backend, 2))
    assert error.value.residual == 0.5
    assert left_behind(tmp_path) == []


def test_a_process_that_dies_is_an_error(tmp_path: Path) -> None:
    items = [*range(100, 900), 13]  # others take the last items first
    with pytest.raises(TwinError, match="ended early"):
        run_items(Squares("death", takes_s=0.01), items, Workers("processes", 2))
    assert left_behind(tmp_path) == []


def test_short_runs_start_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "LOCAL_ONLY_S", 1.0)
    assert len({thread for _, _, thread in run_items(Squares(), ITEMS, Workers("threads", 8))}) == 1
    monkeypatch.setattr(executor, "LOCAL_ONLY_S", -1.0)
    monkeypatch.setitem(BACKENDS, "threads", BACKENDS["threads"]._replace(min_worker_time_s=60.0))
    assert len({thread for _, _, thread in run_items(Squares(), ITEMS, Workers("threads", 8))}) == 1


@pytest.mark.parametrize(("n_items", "n_others"), [(60, 3), (3, 1), (2, 0)])
def test_no_more_workers_start_than_cores_or_items(
    n_items: int, n_others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    row = BACKENDS["threads"]
    monkeypatch.setitem(BACKENDS, "threads", row._replace(open=lambda task, n: opened.append(n) or row.open(task, n)))
    run_items(Squares(), range(n_items), Workers("threads", 8))
    assert opened == ([n_others] if n_others else [])


@pytest.mark.parametrize("n", [0, -1, 10_000, 1.5, True])
def test_the_number_of_workers_is_bounded(network: Network, n: int) -> None:
    for said in ({"n_workers": n}, {"n_processes": n}):
        with pytest.raises(ChangeError, match="workers; expected a whole number from 1 to 256"):
            network.sweep("job.n_global_batch=16,32", **said)


def test_an_unknown_executor_is_told_with_near_names(network: Network) -> None:
    with pytest.raises(ChangeError, match=r"no executor 'thread'.*did you mean 'threads'"):
        network.sweep("job.n_global_batch=16,32", executor="thread", n_workers=2)


EAGER = """
import tempfile, twin
from twin.studies import executor
executor.LOCAL_ONLY_S = -1.0
executor.n_cores = lambda: 2
executor.BACKENDS["processes"] = executor.BACKENDS["processes"]._replace(min_worker_time_s=1e-9)
"""


def test_a_script_without_a_guard_is_told_what_it_lacks(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    run = "executor.run_items(Squares(takes_s=0.05), range(60), executor.Workers('processes', 2))"
    script.write_text(f"{EAGER}\nfrom tests.studies.squares import Squares\n{run}\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=environment)
    assert ran.returncode != 0
    assert "__main__" in ran.stderr.splitlines()[-1]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_whose_process_is_ended_from_outside_leaves_nothing(how: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "long.py"
    run = "executor.run_items(Squares('loud', takes_s=0.05), range(100_000), executor.Workers('processes', 2))"
    script.write_text(f"{EAGER}\nfrom tests.studies.squares import Squares\nif __name__ == '__main__':\n    {run}\n")
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"working\n"  # in the other process
        assert list(tmp_path.glob("twin-study-*"))
        parent.send_signal(how)
        parent.communicate(timeout=20)  # until each process that shares its output has ended
    assert not list(tmp_path.glob("twin-study-*"))

"""Studies on a dask scheduler: the same bits, and a killed worker costs no result."""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

import twin
from tests.studies.squares import Squares
from tests.studies.test_failures import two_sites
from twin.arrays import package_version
from twin.errors import ChangeError, ConvergenceError, TwinError
from twin.loading import from_document
from twin.studies import dask_workers, failure_run
from twin.studies.executor import dask_at, run_items

distributed = pytest.importorskip("distributed", reason="dask is not installed (pip install 'dc-twin[dask]')")
ROOT = Path(__file__).parents[2]
START = "import sys; from distributed.cli.{0} import main; main(sys.argv[1:])"


class Cluster:
    """A scheduler and its workers as processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), "TWIN_CACHE_DIR": ""}
        file = folder / "scheduler.json"
        words = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        self.scheduler = self._started("dask_scheduler", *words)
        self._file = file
        until_s = monotonic() + 60.0
        while not file.exists() or not file.read_text().endswith("}"):
            assert monotonic() < until_s, "no scheduler"
            sleep(0.05)
        self.address = json.loads(file.read_text())["address"]
        self.workers = [self.add_worker() for _ in range(2)]
        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            client.run(package_version)  # imports what a study needs

    def add_worker(self) -> subprocess.Popen[bytes]:
        words = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self._folder))
        return self._started("dask_worker", "--scheduler-file", str(self._file), *words)

    def _started(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", START.format(what), *words],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("dask"))
    yield found
    found.close()


def test_results_stand_in_order_and_workers_share_the_work(cluster: Cluster) -> None:
    found = run_items(Squares(takes_s=0.02), range(150), dask_at(cluster.address))
    assert [square for square, _, _ in found] == [item * item for item in range(150)]
    assert len({process for _, process, _ in found}) == 3


def test_an_error_of_an_item_is_raised_as_it_is(cluster: Cluster) -> None:
    with pytest.raises(ConvergenceError, match="13 does not settle"):
        run_items(Squares("error", takes_s=0.01), [*range(100, 200), 13], dask_at(cluster.address))


def test_a_sweep_has_the_same_bits(cluster: Cluster) -> None:
    network = from_document(two_sites())
    vary = "demands=0.5..3:log12"
    assert network.sweep(vary, dask=cluster.address).to_json() == network.sweep(vary).to_json()


def test_a_worker_that_is_killed_half_way_changes_no_byte(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker of two is killed after a third of the failures, the other one after two thirds."""
    monkeypatch.setattr(failure_run, "BATCH_S", 1e-5)
    network = from_document(two_sites())
    expected = network.failures(depth=2).to_json()
    told: list[int] = []

    def kill(done: int, n: int) -> None:
        told.append(done)
        for i, worker in enumerate(cluster.workers):
            if done > (i + 1) * n // 3:
                worker.send_signal(signal.SIGKILL)

    assert network.failures(depth=2, dask=cluster.address, advance=kill).to_json() == expected
    assert told[-1] == 136
    assert told == sorted(told)
    for worker in cluster.workers:
        assert worker.wait(10) == -signal.SIGKILL
    assert network.failures(depth=2, dask=cluster.address).to_json() == expected, "without any worker"
    cluster.workers[:] = [cluster.add_worker()]


def test_the_job_after_failures_has_the_same_bits(cluster: Cluster) -> None:
    network = twin.load("two-campus")
    found = network.failures(of="srlg", job="both", dask=cluster.address)
    assert found.to_json() == network.failures(of="srlg", job="both").to_json()
    assert failure_run.FailureRun(dask=cluster.address).workers("threads").backend == "dask"


def test_dask_does_not_log_batches_that_are_computed_elsewhere(cluster: Cluster) -> None:
    loggers = [logging.getLogger(name) for name in (*dask_workers.LOGGERS, "distributed.batched")]
    with dask_workers.dask_workers(Squares(), 0, cluster.address) as submit:
        assert submit([3]).result()[0][0] == 9
        assert not any(logger.isEnabledFor(logging.ERROR) for logger in loggers)
    assert all(logger.isEnabledFor(logging.ERROR) for logger in loggers)


def test_a_checkpoint_goes_on_from_dask_to_here(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_run, "BATCH_S", 1e-5)
    network = from_document(two_sites())

    def interrupt(done: int, n: int) -> None:
        if done > n // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network.failures(depth=2, dask=cluster.address, checkpoint=tmp_path, advance=interrupt)
    with np.load(tmp_path / "checkpoint.npz") as file:
        assert 68 < file["is_done"].sum() < 136
    assert network.failures(depth=2, checkpoint=tmp_path).to_json() == network.failures(depth=2).to_json()


def test_an_address_without_a_scheduler_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ChangeError, match=r"no address 'localhost'; expected tcp://host:port"):
        dask_at("localhost")
    monkeypatch.setattr(dask_workers, "CONNECT_S", 0.3)
    with pytest.raises(TwinError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run_items(Squares(), range(10), dask_at("tcp://127.0.0.1:9"))


def test_a_worker_of_another_version_is_refused() -> None:
    task = pickle.dumps(Squares())
    assert [square for square, _, _ in dask_workers._solve(task, "a", package_version(), [3, 4])] == [9, 16]
    with pytest.raises(
        TwinError, match=rf"a dask worker has dc-twin {package_version()}; expected 0\.1, as this program"
    ):
        dask_workers._solve(task, "b", "0.1", [3])


def test_a_lost_scheduler_costs_no_result(cluster: Cluster) -> None:
    """The last test of the module."""

    def lose(done: int, _: int) -> None:
        if done == 20:
            cluster.scheduler.kill()

    found = run_items(Squares(takes_s=0.01), range(100), dask_at(cluster.address), advance=lose)
    assert [square for square, _, _ in found] == [item * item for item in range(100)]

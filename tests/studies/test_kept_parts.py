"""Studies that are interrupted go on from the parts that were kept, to the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import twin
from twin.answers.data import Answer
from twin.errors import ChangeError
from twin.seal import DIGEST_BYTES
from twin.studies import checkpoint, kept_parts
from twin.studies.kept_parts import KeptParts, keeping

Advance = Callable[[int, int], None]


class StoppedError(Exception):
    pass


def ask_sweep(advance: Advance) -> Answer:
    return twin.load("leaf-spine-demo").sweep("demands=1,2,3,4,5,6", advance=advance)


def ask_failures(advance: Advance) -> Answer:
    return twin.load("two-campus").failures(of="link", advance=advance)


def ask_sample(advance: Advance) -> Answer:
    return twin.load("two-campus").sample(n_samples=4, executor="serial", advance=advance)


@pytest.mark.parametrize("ask", [ask_sweep, ask_failures, ask_sample])
def test_an_interrupted_study_goes_on(ask: Callable[[Advance], Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_parts, "MIN_INTERVAL_S", 0.0)
    monkeypatch.setattr(checkpoint, "MIN_INTERVAL_S", 0.0)
    monkeypatch.setattr(kept_parts, "WRITING_RATIO", 1e9)
    whole = ask(lambda *_: None).to_json()
    kept: dict[str, bytes] = {}
    calls: list[tuple[int, int]] = []

    def interrupt(n_done: int, n_items: int) -> None:
        calls.append((n_done, n_items))
        if n_done >= n_items / 2:
            raise StoppedError

    with keeping(KeptParts({}, kept.__setitem__)), pytest.raises(StoppedError):
        ask(interrupt)
    assert kept
    n_before = calls[-1][0]
    calls.clear()
    with keeping(KeptParts(kept, lambda *_: None)):
        assert ask(lambda *done: calls.append(done)).to_json() == whole
    assert min(n_done for n_done, n_items in calls if n_items) >= n_before - 1


def test_parts_of_another_question_are_ignored() -> None:
    kept = {"study-1-000000": b'{"key": "sweep 6 0 numpy 0", "rows": [[0, [5.0, ""]]]}', "study-1": b"no checkpoint"}
    with keeping(KeptParts(kept, lambda *_: None)):
        assert ask_sweep(lambda *_: None).to_json() == ask_sweep(lambda *_: None).to_json()
    with keeping(KeptParts(kept, lambda *_: None)):
        again = ask_failures(lambda *_: None).to_json()
    assert again == ask_failures(lambda *_: None).to_json()


class MemoryPlace:
    label, content = "memory", b""

    def read(self) -> bytes:
        return self.content

    def write(self, content: bytes) -> None:
        self.content = content


def test_no_damaged_or_edited_checkpoint_is_believed(tmp_path: Path) -> None:
    place = MemoryPlace()
    kept = checkpoint.Checkpoint(place, "question", "digest")
    kept.save({"study-1-000000": np.frombuffer(b'{"rows": []}', np.uint8)})
    whole = place.content
    with np.load(io.BytesIO(whole)) as archive:
        edited = {name: archive[name] for name in archive.files}
    edited["study-1-000000"][0] ^= 1
    unsealed = io.BytesIO()
    np.savez(unsealed, **edited)  # type: ignore[arg-type]
    resealed = unsealed.getvalue()[:-2] + whole[-DIGEST_BYTES - 2 :]
    flips = (whole[:i] + bytes([whole[i] ^ 1 << i % 8]) + whole[i + 1 :] for i in range(len(whole)))
    cuts = (whole[:i] for i in range(len(whole)))
    for place.content in (*flips, *cuts, resealed, whole + b"x", b"no archive"):
        with pytest.raises(ChangeError, match="damaged, or no checkpoint"):
            kept.load()
    for content, says in (
        (resealed, "damaged, or no checkpoint"),
        (unsealed.getvalue(), "of another version, or edited"),
    ):
        (tmp_path / checkpoint.JOB_FILE).write_bytes(content)
        with pytest.raises(ChangeError, match=says):
            checkpoint.kept_in(tmp_path, "question", "digest")

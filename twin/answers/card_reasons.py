"""Sentences on the network cards that a job has lost, and on how it goes on."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors.wording import counted
from ..stages.evaluation import Evaluation


def card_sentences(e: Evaluation) -> Iterator[str]:
    """Sentences on lost network cards of a job that goes on; a job that stops says so in place of its step."""
    loss, job = e.cards, e.case.job
    if loss is None or job is None or not loss.n_cards_lost or loss.why_stopped:
        return
    yield f"{counted(loss.n_cards_lost, 'network card')} lost: {loss.cause}."
    if job.on_card_loss == "drop_replicas":
        left, idled = counted(loss.n_replicas, "replica"), counted(loss.n_accelerators_idled, "accelerator")
        yield f"The whole batch goes to {left}, without {idled} (on_card_loss: drop_replicas)."
    elif job.on_card_loss == "pxn":
        ratio = min(loss.card_ratio)
        who = "the cards that are left" if job.pxn_spread == "all" else "the next card that is left"
        yield f"PXN sends their traffic over NVLink to {who}; an accelerator has {ratio:.3g} of a card at worst."

"""Records of two imports of one source, matched by the ids of their source."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Generic

from ..model.identity import MAX_ID_LENGTH, normal_form
from ..model.record_pairs import R, matched, origin_of
from ..model.records import asdict_compact

OF_THE_SOURCE = frozenset(
    {"kind", "site", "up", "forwards", "ends", "capacity_gbps", "n_parallel", "n_failed", "weight", "latency_us",
     "srlgs", "spans", "length_km", "n_connectors", "measured_loss_db", "source", "target", "offered_gbps",
     "latitude_deg", "longitude_deg"}
)  # fmt: skip
"""Fields that imports write: one that the new import leaves out is gone. Others are the user's own where no record of
the new import states them."""


class Pairs(Generic[R]):
    """Records of one kind in two documents, matched by the ids of their source, else by their own ids."""

    def __init__(self, old: Sequence[R], new: Sequence[R]) -> None:
        self.old_of: dict[str, R] = matched(old, new)
        """Id in the new document -> record in the old one."""
        by_id: dict[str, R] = {record.id: record for record in old}
        found = {record.id for record in self.old_of.values()}
        self.added: list[R] = [record for record in new if record.id not in self.old_of]
        self.removed: list[R] = [record for record in old if record.id not in found and origin_of(record) is not None]
        """Records of the old document that came from the source and are no longer there."""
        taken = {normal_form(name) for name in (*by_id, *(record.id for record in new))}
        self.new_ids: dict[str, str] = {}
        """Ids under which added records can stand beside the old ones, where their own is that of another."""
        for record in self.added:
            if record.id in by_id:
                self.new_ids[record.id] = _free_id(record.id, taken)
        self.stated = OF_THE_SOURCE | {name for record in new for name in asdict_compact(record)}
        """Fields that come from the source."""

    def id_of(self, new_id: str) -> str:
        """Return the id in the old document, or that under which the plan adds the record."""
        return self.old_of[new_id].id if new_id in self.old_of else self.new_ids.get(new_id, new_id)


def _free_id(name: str, taken: set[str]) -> str:
    """Return an id that is not taken, and take it."""
    found = next(each for n in count(2) if normal_form(each := f"{name[: MAX_ID_LENGTH - 12]}#{n}") not in taken)
    taken.add(normal_form(found))
    return found

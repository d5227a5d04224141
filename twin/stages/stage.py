"""What a stage is: a function, and the inputs that it may read. Reading anything else raises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from ..arrays import State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..errors import UndeclaredInputError
from ..model.document import TopologyDocument
from ..model.jobs import Placement, TrainingJob

if TYPE_CHECKING:
    from .evaluation import Case


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the table of stages: a function of the inputs that the row names, and of nothing else."""

    name: str
    compute: Callable[[Inputs], Any]
    needs: tuple[str, ...] = ()
    """Stages (`placement`) or single fields of their outcomes (`health.lit`)."""
    state: tuple[str, ...] = ()
    """Columns of the state, see `NetworkArrays` and `arrays.state.DERIVED`; `parts` among them."""
    document: tuple[str, ...] = ()
    """Fields of the document."""
    job: tuple[str, ...] = ()
    """Fields of the job."""
    catalogue: tuple[str, ...] = ()
    """Kinds of parts, `general`, `prices`."""
    before: tuple[str, ...] = ()
    """Columns of the state that stood before the changes; there may be none."""
    reruns: tuple[str, ...] = ()
    """Stages that run again for another job: all that these read, directly or not, are inputs as well."""
    by_ageing: bool = False
    """Whether the ageing case is read."""
    in_score: bool = True
    """Whether a score rests on the figures that this reads; not so where only an explanation asks for it."""

    def inputs(self) -> Iterator[tuple[str, str]]:
        """(kind, name) of every input of the row, for tests and tables."""
        for kind in ("needs", "state", "document", "job", "catalogue", "before", "reruns"):
            yield from ((kind, name) for name in getattr(self, kind))
        if self.by_ageing:
            yield "by_ageing", "ageing"

    def without(self, kind: str, name: str) -> Stage:
        """The row without one of its inputs."""
        if kind == "by_ageing":
            return replace(self, by_ageing=False)
        left: dict[str, Any] = {kind: tuple(each for each in getattr(self, kind) if each != name)}
        return replace(self, **left)


class RecordView:
    """A record of which only the named fields can be read; its properties read through the same check."""

    __slots__ = ("_fields", "_record")

    def __init__(self, record: Any, fields: frozenset[str]) -> None:
        self._record, self._fields = record, fields

    def __getattr__(self, name: str) -> Any:
        """A field, or a property or method worked out from fields. Raises UndeclaredInputError for other fields."""
        kind = type(self._record)
        if name in self._fields:
            return getattr(self._record, name)
        derived = getattr(kind, name, None)
        if isinstance(derived, property) and derived.fget is not None:
            return derived.fget(self)
        if name not in _fields_of(kind) and callable(derived):
            return lambda *args, **more: derived(self, *args, **more)
        raise UndeclaredInputError(f"{kind.__name__}.{name}")

    def __replace__(self, **changes: Any) -> RecordView:
        """A copy with some fields replaced, as narrow as this one."""
        return RecordView(replace(self._record, **changes), self._fields)


def _fields_of(kind: type[Any]) -> frozenset[str]:
    return frozenset(getattr(kind, "__dataclass_fields__", ())) | frozenset(getattr(kind, "model_fields", ()))


class Inputs:
    """What a stage receives: views of just the inputs that its row names."""

    def __init__(
        self,
        stage: Stage,
        case: Case,
        before: State | None,
        reader: FigureReader,
        outcome: Callable[[str], Any],
        rerun: Callable[[str, tuple[Placement, ...]], Any],
    ) -> None:
        self._stage, self._case, self._before = stage, case, before
        self.reader = reader
        """Figures of the declared kinds; those that are read become assumptions of the answer."""
        self._outcome, self._rerun = outcome, rerun

    @property
    def state(self) -> State:
        """The state, of which the declared columns can be read."""
        return self._case.state.view(frozenset(self._stage.state))

    @property
    def before(self) -> State | None:
        """The state before the changes, if there was one, likewise."""
        return None if self._before is None else self._before.view(frozenset(self._stage.before))

    @property
    def document(self) -> TopologyDocument:
        """The document, of which the declared fields can be read."""
        return cast(TopologyDocument, RecordView(self._case.document, frozenset(self._stage.document)))

    @property
    def job(self) -> TrainingJob | None:
        """The job, of which the declared fields can be read; None without one."""
        job = self._case.job
        return None if job is None else cast(TrainingJob, RecordView(job, frozenset(self._stage.job)))

    @property
    def ageing(self) -> AgeingCase:
        """The ageing case. Raises UndeclaredInputError where the row does not say that it is read."""
        if not self._stage.by_ageing:
            raise UndeclaredInputError("ageing")
        return self._case.ageing

    def __getitem__(self, need: str) -> Any:
        """The outcome of a stage, or one field of it. Raises UndeclaredInputError for an undeclared one."""
        if need not in self._stage.needs:
            raise UndeclaredInputError(need)
        return self._outcome(need)

    def rerun(self, stage: str, placement: tuple[Placement, ...]) -> Any:
        """The outcome of a stage with the job on these places only, as many replicas as fit there.

        Raises UndeclaredInputError for an undeclared stage, TopologyError where the job does not fit there.
        """
        if stage not in self._stage.reruns:
            raise UndeclaredInputError(f"rerun of {stage}")
        return self._rerun(stage, placement)

"""The stage record: a function and its declared inputs. Reading another input raises an error."""

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
    from .outcomes import JobSharing


@dataclass(frozen=True, slots=True)
class Stage:
    """A row of the table of stages: a function of exactly the inputs that the row names."""

    name: str
    compute: Callable[[Inputs], Any]
    needs: tuple[str, ...] = ()
    """Stages (`placement`), or single fields of their outcomes (`health.lit`), that are read."""
    state: tuple[str, ...] = ()
    """Columns of the state, and `parts`; see `NetworkArrays` and `arrays.state.DERIVED`."""
    document: tuple[str, ...] = ()
    """Fields of the document."""
    job: tuple[str, ...] = ()
    """Fields of the job."""
    sharing: tuple[str, ...] = ()
    """Fields of what other jobs do to the job; see `JobSharing`."""
    catalogue: tuple[str, ...] = ()
    """Kinds of figures: kinds of parts, `general`, `prices`."""
    before: tuple[str, ...] = ()
    """Columns of the state before the changes, if there is one."""
    reruns: tuple[str, ...] = ()
    """Stages that run again for another placement; all that they read, also indirectly, are inputs too."""
    by_ageing: bool = False
    """Whether the stage reads the ageing case."""
    in_score: bool = True
    """Whether a score uses the figures of this stage; False for stages that only explanations use."""

    def inputs(self) -> Iterator[tuple[str, str]]:
        """Yield (kind, name) of each input, for tests and tables."""
        for kind in ("needs", "state", "document", "job", "sharing", "catalogue", "before", "reruns"):
            yield from ((kind, name) for name in getattr(self, kind))
        if self.by_ageing:
            yield "by_ageing", "ageing"

    def without(self, kind: str, name: str) -> Stage:
        """Return the row without one of its inputs."""
        if kind == "by_ageing":
            return replace(self, by_ageing=False)
        remaining: dict[str, Any] = {kind: tuple(item for item in getattr(self, kind) if item != name)}
        return replace(self, **remaining)


class RecordView:
    """A view of a record in which only named fields can be read; properties use the same check."""

    __slots__ = ("_fields", "_record")

    def __init__(self, record: Any, fields: frozenset[str]) -> None:
        self._record, self._fields = record, fields

    def __getattr__(self, name: str) -> Any:
        """Return a field, property or method. Raises UndeclaredInputError for a field that is not named."""
        kind = type(self._record)
        if name in self._fields:
            return getattr(self._record, name)
        derived = getattr(kind, name, None)
        if isinstance(derived, property) and derived.fget is not None:
            return derived.fget(self)
        if name not in _fields_of(kind) and callable(derived):
            return lambda *args, **kwargs: derived(self, *args, **kwargs)
        raise UndeclaredInputError(f"{kind.__name__}.{name}")

    def __replace__(self, **changes: Any) -> RecordView:
        """Return a copy with some fields replaced and the same restriction."""
        return RecordView(replace(self._record, **changes), self._fields)


def _fields_of(kind: type[Any]) -> frozenset[str]:
    return frozenset(getattr(kind, "__dataclass_fields__", ())) | frozenset(getattr(kind, "model_fields", ()))


class Inputs:
    """Inputs of a stage: views of only the inputs that its row names."""

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
        """Reader of figures of the declared kinds; figures that are read become assumptions of the answer."""
        self._outcome, self._rerun = outcome, rerun

    @property
    def state(self) -> State:
        """State, restricted to the declared columns."""
        return self._case.state.view(frozenset(self._stage.state))

    @property
    def before(self) -> State | None:
        """State before the changes, restricted likewise; None without changes."""
        return None if self._before is None else self._before.view(frozenset(self._stage.before))

    @property
    def document(self) -> TopologyDocument:
        """Document, restricted to the declared fields."""
        return cast(TopologyDocument, RecordView(self._case.document, frozenset(self._stage.document)))

    @property
    def job(self) -> TrainingJob | None:
        """Job, restricted to the declared fields; None without a job."""
        job = self._case.job
        return None if job is None else cast(TrainingJob, RecordView(job, frozenset(self._stage.job)))

    @property
    def sharing(self) -> JobSharing | None:
        """What other jobs do to the job, restricted to the declared fields; None for a job alone."""
        sharing = self._case.sharing
        return None if sharing is None else cast("JobSharing", RecordView(sharing, frozenset(self._stage.sharing)))

    @property
    def ageing(self) -> AgeingCase:
        """Ageing case. Raises UndeclaredInputError if the row does not declare it."""
        if not self._stage.by_ageing:
            raise UndeclaredInputError("ageing")
        return self._case.ageing

    def __getitem__(self, need: str) -> Any:
        """Return the outcome of a stage, or one field of it. Raises UndeclaredInputError if undeclared."""
        if need not in self._stage.needs:
            raise UndeclaredInputError(need)
        return self._outcome(need)

    def rerun(self, stage: str, placement: tuple[Placement, ...]) -> Any:
        """Return the outcome of a stage with the job on another placement, with as many replicas as fit.

        Raises UndeclaredInputError for an undeclared stage, TopologyError if the job does not fit.
        """
        if stage not in self._stage.reruns:
            raise UndeclaredInputError(f"rerun of {stage}")
        return self._rerun(stage, placement)

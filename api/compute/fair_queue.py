"""Short, fair queue in front of the compute processes: no client and no network starves the others."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from twin.errors.wording import counted

from ..problems import busy

Entry = TypeVar("Entry")
N_REMEMBERED = 1024
"""Clients and networks whose last turn is remembered."""


@dataclass(frozen=True)
class Turn(Generic[Entry]):
    """A question that waits.

    Attributes:
        entry: the question.
        client: key of its client.
        network: key of its network.
        is_light: whether it takes about a second or less.
    """

    entry: Entry
    client: str
    network: str
    is_light: bool


@dataclass
class _Lanes:
    """Room for questions that run at the same time.

    Heavy questions take at most `n` places. One more is for light ones alone, so that they never wait for heavy ones.
    Another is for the first question of a client, so that it does not wait for light ones that turn out heavy.
    """

    n: int
    n_running: Counter[bool] = field(default_factory=Counter)

    def has_room(self, *, is_light: bool, is_first: bool) -> bool:
        if not is_light:
            return self.n_running[False] < self.n
        n_light = max(1, self.n + 1 - self.n_running[False])
        return self.n_running[True] < n_light + is_first and (is_first or self.n_running.total() < 2 * self.n + 1)


class FairQueue(Generic[Entry]):
    """Questions that wait, and how many run of each client and network.

    The next one is of the client, and then of the network, with the fewest running questions. Among equals it is the
    one whose last turn is longest ago.

    Args:
        n_lanes: heavy questions that run at the same time.
        max_waiting: most questions that wait.
        max_of_client: most waiting questions of one client.
    """

    def __init__(self, n_lanes: int, max_waiting: int, max_of_client: int) -> None:
        self._lanes = _Lanes(n_lanes)
        self._max_waiting, self._max_of_client = max_waiting, max_of_client
        self._waiting: list[Turn[Entry]] = []
        self._n_running: Counter[tuple[str, str]] = Counter()
        self._last: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._n_turns = 0

    @property
    def n_waiting(self) -> int:
        """Return the number of questions that wait."""
        return len(self._waiting)

    def add(self, turn: Turn[Entry], retry_s: int) -> None:
        """Add a question.

        Args:
            turn: the question.
            retry_s: time after which a client that is refused should ask again.

        Raises:
            ProblemError: 429 if its client has its share of the queue, 503 if the queue is full.
        """
        self.check_room(turn.client, retry_s)
        self._waiting.append(turn)

    def check_room(self, client: str, retry_s: int) -> None:
        """Check that a question of a client may wait.

        Args:
            client: key of the client.
            retry_s: time after which a client that is refused should ask again.

        Raises:
            ProblemError: 429 if the client has its share of the queue, 503 if the queue is full.
        """
        n_of_client = sum(waiting.client == client for waiting in self._waiting)
        if n_of_client >= self._max_of_client:
            detail = f"{counted(n_of_client, 'question')} of this client wait already, as many as may"
            raise busy(429, detail, retry_s)
        if len(self._waiting) >= self._max_waiting:
            raise busy(503, f"{counted(len(self._waiting), 'question')} wait already, as many as may", retry_s)

    def remove(self, turn: Turn[Entry]) -> None:
        """Remove a question that no client waits for any more."""
        if turn in self._waiting:
            self._waiting.remove(turn)

    def may_start(self, *, only_first: bool = False) -> bool:
        """Return whether a question waits for which there is room.

        only_first: True to look at light questions of clients without a running one alone.
        """
        return any(self._is_ready(turn, only_first=only_first) for turn in self._waiting)

    def start(self, *, only_first: bool = False) -> Turn[Entry]:
        """Return the next question that may start, and count it as running. There must be one.

        only_first: True to look at light questions of clients without a running one alone.
        """
        ready = [turn for turn in self._waiting if self._is_ready(turn, only_first=only_first)]
        turn = min(ready, key=self._rank)  # the first of equals: the one that came first
        self._waiting.remove(turn)
        self._lanes.n_running[turn.is_light] += 1
        self._n_turns += 1
        for key in _keys(turn):
            self._n_running[key] += 1
            self._last[key] = self._n_turns
            self._last.move_to_end(key)
        while len(self._last) > N_REMEMBERED:
            self._last.popitem(last=False)
        return turn

    def _is_ready(self, turn: Turn[Entry], *, only_first: bool) -> bool:
        is_first = not self._n_running[("client", turn.client)]
        if only_first and not (is_first and turn.is_light):
            return False
        return self._lanes.has_room(is_light=turn.is_light, is_first=is_first)

    def _rank(self, turn: Turn[Entry]) -> tuple[int, ...]:
        client, network = _keys(turn)
        n_running, last = self._n_running, self._last
        return n_running[client], n_running[network], last.get(client, 0), last.get(network, 0)

    def outlast(self, turn: Turn[Entry]) -> Turn[Entry]:
        """Count a running light question as heavy, because it takes long. Return what `end` then takes."""
        heavy = Turn(turn.entry, turn.client, turn.network, is_light=False)
        self._lanes.n_running[True] -= 1
        self._lanes.n_running[False] += 1
        return heavy

    def end(self, turn: Turn[Entry]) -> None:
        """Count a question as ended."""
        self._lanes.n_running[turn.is_light] -= 1
        for key in _keys(turn):
            self._n_running[key] -= 1
            if not self._n_running[key]:
                del self._n_running[key]


def _keys(turn: Turn[Entry]) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("client", turn.client), ("network", turn.network)

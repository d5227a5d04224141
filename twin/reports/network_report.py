"""The report of a network and its plans: one HTML file, or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.text import Text

from ..answers.data import Answer
from ..errors import TwinError
from ..network import Network
from ..progress import Advance
from .answers import Notify, ReportAnswers, ReportQuestion, report_answers, report_parts
from .page import report_html, report_markdown
from .sections import sections_of

ReportFormat = Literal["html", "markdown"]


@dataclass(frozen=True, kw_only=True, repr=False)
class ReportText(Answer):
    """A report as one text."""

    network: str
    job: str | None
    plans: tuple[str, ...]
    title: str
    format: ReportFormat
    text: str
    """One page of HTML that opens without a network, or Markdown."""

    def _table(self) -> Text:
        return Text(self.text)


@dataclass(frozen=True)
class Report:
    """The answers about a network and its plans, as pages."""

    answers: ReportAnswers

    @property
    def title(self) -> str:
        """Network and plans."""
        plans = ", ".join(str(diff.plan) for diff in self.answers.diffs)
        return f"{self.answers.score.network}: {plans}" if plans else self.answers.score.network

    @property
    def subtitle(self) -> str:
        """Job and date."""
        score = self.answers.score
        as_of = f", as of {score.as_of}" if score.as_of else ""
        return (f"Job {score.job}" if score.job else "No job") + as_of

    def to_html(self) -> str:
        """Return one page that needs no other file and no network."""
        return report_html(self.title, self.subtitle, sections_of(self.answers))

    def to_markdown(self) -> str:
        """Return text and tables, without charts."""
        return report_markdown(self.title, self.subtitle, sections_of(self.answers))

    def text(self, form: ReportFormat) -> ReportText:
        """Return the report as an answer.

        form: `html` or `markdown`.
        """
        score = self.answers.score
        return ReportText(
            network=score.network,
            job=score.job,
            plans=tuple(str(diff.plan) for diff in self.answers.diffs),
            title=self.title,
            format=form,
            text=self.to_html() if form == "html" else self.to_markdown(),
        )

    def write(self, path: str | Path) -> None:
        """Write the report: HTML, or Markdown for a name that ends in `.md`.

        Raises:
            TwinError: another ending.
        """
        path = Path(path)
        writers = {".html": self.to_html, ".htm": self.to_html, ".md": self.to_markdown}
        if path.suffix.lower() not in writers:
            raise TwinError(f"no report format {path.suffix!r}", where=str(path), hint="end the name in .html or .md")
        path.write_text(writers[path.suffix.lower()](), encoding="utf-8")


def report(
    network: Network,
    plans: Sequence[str] = (),
    job: str | None = None,
    *,
    growth_ratio_per_year: float = 0.3,
    years: int = 20,
    budget_usd: float | None = None,
    n_samples: int = 0,
    main_assumptions: bool = True,
    n_workers: int = 1,
    notify: Notify | None = None,
    advance: Advance | None = None,
) -> Report:
    """Make the report of a network and of plans of its document.

    Args:
        network: the network.
        plans: ids of plans that are compared with it, at most 12.
        job: id of a job; the default job otherwise.
        growth_ratio_per_year: growth of traffic of the forecast; 0.3 is 30 % a year.
        years: length of the forecast.
        budget_usd: search the best plan within this budget, too; None = no search.
        n_samples: samples of uncertain inputs for intervals, a tornado, and the choice between plans and a lease; a
            power of two, 0 = none.
        main_assumptions: rank the assumptions that move the answer most.
        n_workers: most processes of the search and of the samples.
        notify: called with the name of each phase.
        advance: called before each phase with the number of finished ones and of all; an exception ends the report.

    Raises:
        ChangeError: an unknown or repeated plan, or a number out of bounds.
        CatalogueError: unknown job.
    """
    question = ReportQuestion(
        plans, job, growth_ratio_per_year, years, budget_usd, n_samples, main_assumptions, n_workers
    )
    begun: list[str] = []

    def begin(phase: str) -> None:
        if notify is not None:
            notify(phase)
        if advance is not None:
            n_parts = len(report_parts(network, question))
            advance(min(len(begun), n_parts), n_parts)
        begun.append(phase)

    return Report(report_answers(network, question, begin))

"""Makes the files of an export and its report, and writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..catalogue.figure_reader import FigureReader
from ..errors import DocumentError
from ..imports.choice import named_format
from ..imports.ledger import Ledger
from ..model.records import Link, Node
from ..stages.evaluation import Evaluation
from .formats import FORMATS, Files
from .lines import line_network
from .plain import plain_network
from .report import ExportReport, report_of


@dataclass(frozen=True, eq=False)
class Exported:
    """Files of an export, and the report of what they hold."""

    report: ExportReport
    files: Files = field(repr=False)
    """Content by name; a single file has the name ''."""

    def write(self, path: str | Path) -> None:
        """Write the file, or the files into a folder, which is made if it is missing.

        Raises:
            DocumentError: a file where a folder is expected, or a folder where a file is.
        """
        target = Path(path)
        is_folder = "" not in self.files
        if is_folder != target.is_dir() and target.exists():
            expected = "a folder" if is_folder else "a file"
            raise DocumentError(f"{self.report.format} makes {expected}", where=str(path), expected=expected)
        if is_folder:
            target.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (target / name if is_folder else target).write_bytes(content)


def exported(
    format: str,
    label: str,
    plan: str | None,
    nodes: Sequence[Node],
    links: Sequence[Link],
    evaluation: Evaluation,
    reader: FigureReader,
) -> Exported:
    """Make the files of a network after its changes.

    Args:
        format: name in `FORMATS`.
        label: name of the network.
        plan: name of the changes, for the report.
        nodes: records of the nodes after the changes.
        links: records of the links after the changes.
        evaluation: of the same network; state, demands and rates are read from it.
        reader: source of figures of parts.

    Raises:
        DocumentError: unknown format.
    """
    row, ledger, case = named_format(format, FORMATS), Ledger(), evaluation.case
    # a format of lines counts by itself what its files hold
    counted = ledger if row.write is not None else Ledger()
    network = plain_network(label, nodes, links, case.state, case.document, evaluation.health, counted)
    if row.write is not None:
        files = row.write(network, ledger)
    else:
        assert row.write_lines is not None
        files = row.write_lines(line_network(label, nodes, links, evaluation, reader), ledger)
    names = tuple(name for name in files if name)
    return Exported(report_of(row.name, label, plan, names, network, ledger), files)

"""Rules between records; all faults of a network are reported at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from itertools import islice

from ..catalogue import Catalogue, Kind
from ..errors import CatalogueError, Issue, TopologyError, did_you_mean
from ..errors.wording import counted, quoted
from .amplifier_rules import amplifier_issues
from .balancing_rules import balancing_issues
from .cable_rules import cable_issues
from .card_rules import card_issues
from .document import TopologyDocument
from .identity import duplicate_issues, lookalike_issues
from .job_rules import job_shape_issues
from .measurement_rules import measurement_issues
from .records import FORWARDING_KINDS, Link, Node, Site, Span
from .uncertain import uncertain_issues
from .wcmp_rules import forwards_of, wcmp_issues

MAX_HINTS = 20
"""Number of names that get a did-you-mean hint; the search is slow in large documents."""
MAX_ISSUES = 1000
"""Maximum number of reported faults."""


def check(
    document: TopologyDocument,
    nodes: Collection[Node],
    links: Collection[Link],
    catalogue: Catalogue,
) -> None:
    """Check the expanded records of a network.

    Args:
        document: document of the network.
        nodes: all nodes, fabrics expanded.
        links: all links, fabrics expanded.
        catalogue: parts that records may name.

    Raises:
        TopologyError: all faults, with the ids of the records.
    """
    _raise_issues(document, _issues(document, nodes, links, catalogue))


def check_workload(document: TopologyDocument, node_ids: Collection[str], catalogue: Catalogue) -> None:
    """Raise TopologyError with all faults of demands, jobs and plans: the part of `check` beyond nodes and links."""
    _raise_issues(document, _workload_issues(document, node_ids, catalogue))


def _raise_issues(document: TopologyDocument, issue_iterator: Iterator[Issue]) -> None:
    issues = list(islice(issue_iterator, MAX_ISSUES))
    if issues:
        n_faults = counted(len(issues), "fault")
        raise TopologyError(f"{n_faults} in the network", where=document.name, found=issues)


def _issues(
    document: TopologyDocument, nodes: Collection[Node], links: Collection[Link], catalogue: Catalogue
) -> Iterator[Issue]:
    missing = _UnknownNames()
    by_id = {node.id: node for node in nodes}
    site_ids = {site.id for site in document.sites}
    yield from duplicate_issues("nodes", (node.id for node in nodes))
    yield from duplicate_issues("links", (link.id for link in links))
    for name in ("sites", "fabrics"):
        yield from duplicate_issues(name, (record.id for record in getattr(document, name)))
    records: list[Link | Span] = [*links, *(span for link in links for span in link.spans)]
    yield from lookalike_issues("srlgs", (risk for record in records for risk in record.srlgs))
    yield from _unknown_sites(((f"nodes[{n.id}].site", n.site) for n in nodes if n.site is not None), site_ids)
    yield from _node_issues(nodes, catalogue)
    yield from _link_issues(links, by_id, catalogue, missing)
    yield from cable_issues(links)
    yield from card_issues(nodes, links, by_id)
    yield from _budget_issues(document.sites, document.as_of)
    yield from _date_issues(document.as_of, document.fibre_installed, nodes, links)
    yield from measurement_issues(document, links)
    ends = {link.id: link.ends for link in links} if document.wcmp_groups else {}
    yield from wcmp_issues(document.wcmp_groups, by_id, ends, forwards_of(by_id))
    # an unknown site that nodes name is reported there
    yield from _workload_issues(document, by_id, catalogue, {node.site for node in nodes})


def _budget_issues(sites: Iterable[Site], as_of: date | None) -> Iterator[Issue]:
    """Find budgets of one day that stand twice, and dated budgets in a document without a day."""
    for site in sites:
        days = [budget.start for budget in site.budgets]
        for i, day in enumerate(days):
            if day in days[:i]:
                yield Issue(f"sites[{site.id}].budgets[{i}].start", f"{day} stands twice", "state each day once")
        if days and as_of is None:
            yield Issue("as_of", f"missing, though {site.id} has dated budgets", "state the day the document speaks of")


def _unknown_sites(named_sites: Iterable[tuple[str, str]], known: Collection[str]) -> Iterator[Issue]:
    """Report each unknown site once, at the first place that names it."""
    places: dict[str, list[str]] = {}
    for where, site in named_sites:
        if site not in known:
            places.setdefault(site, []).append(where)
    for i, (site, named_at) in enumerate(places.items()):
        times = f", named {len(named_at)} times" if len(named_at) > 1 else ""
        fix = f"sites: [{{id: {site}}}] adds it"
        similar = did_you_mean(site, known) if i < MAX_HINTS else ""
        yield Issue(named_at[0], f"no site {quoted(site)}{times}", f"{similar} {fix}".strip())


def _workload_issues(
    document: TopologyDocument,
    node_ids: Collection[str],
    catalogue: Catalogue,
    reported_sites: Collection[str | None] = (),
) -> Iterator[Issue]:
    """Find faults of demands, jobs and plans.

    reported_sites: unknown sites that are reported elsewhere.
    """
    missing = _UnknownNames()
    for name in ("demands", "traffic", "traffic_classes", "jobs", "plans"):
        yield from duplicate_issues(name, (record.id for record in getattr(document, name)))
    for demand in document.demands:
        for place, node_id in (("source", demand.source), ("target", demand.target)):
            if node_id not in node_ids:
                yield missing(f"demands[{demand.id}].{place}", "node", node_id, node_ids)
    yield from _class_issues(document, missing)
    yield from uncertain_issues(document.uncertain)
    placement_sites = (
        (f"jobs[{j.id}].placement[{i}].site", p.site) for j in document.jobs for i, p in enumerate(j.placement)
    )
    known = {site.id for site in document.sites}
    yield from _unknown_sites(((where, site) for where, site in placement_sites if site not in reported_sites), known)
    yield from balancing_issues(document.load_balancing, node_ids)
    yield from _job_issues(document, catalogue, missing)


def _class_issues(document: TopologyDocument, missing: _UnknownNames) -> Iterator[Issue]:
    """Find classes of demands and traffic blocks that a document with `traffic_classes` does not list."""
    known = {row.id for row in document.traffic_classes}
    for name in ("demands", "traffic") if known else ():
        for record in getattr(document, name):
            if record.traffic_class is not None and record.traffic_class not in known:
                yield missing(f"{name}[{record.id}].traffic_class", "traffic class", record.traffic_class, known)


class _UnknownNames:
    """Creates issues for unknown names; the first MAX_HINTS get similar names, because the search is slow."""

    def __init__(self) -> None:
        self._n_hints = 0

    def __call__(self, where: str, what: str, name: str, known: Iterable[str]) -> Issue:
        self._n_hints += 1
        hint = did_you_mean(name, known) if self._n_hints <= MAX_HINTS else ""
        return Issue(where, f"no {what} {quoted(name)}", hint)


class _PartCheck:
    """Checks part ids; each part is looked up once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._faults: dict[tuple[str, str], CatalogueError | None] = {}

    def issue(self, where: str, part_id: str | None, kind: Kind) -> Iterator[Issue]:
        if part_id is None:
            return
        key = (part_id, kind)
        if key not in self._faults:
            try:
                self._catalogue.get(part_id, kind)
                self._faults[key] = None
            except CatalogueError as error:
                self._faults[key] = error
        fault = self._faults[key]
        if fault is not None:
            yield Issue(where, fault.problem, fault.hint)


def _node_issues(nodes: Iterable[Node], catalogue: Catalogue) -> Iterator[Issue]:
    parts = _PartCheck(catalogue)
    for node in nodes:
        where = f"nodes[{node.id}]"
        yield from _part_of_node_issues(node, parts, catalogue)
        yield from parts.issue(f"{where}.accelerator", node.accelerator, "accelerator")
        if node.n_accelerators and node.accelerator is None:
            yield Issue(f"{where}.accelerator", f"{node.n_accelerators} accelerators of no kind", "name a part")
        if node.n_accelerators and node.kind not in ("rack", "host"):
            yield Issue(f"{where}.kind", f"a {node.kind} cannot hold accelerators", "use kind rack or host")


def _part_of_node_issues(node: Node, parts: _PartCheck, catalogue: Catalogue) -> Iterator[Issue]:
    """Find a part of another kind: a node that forwards is a switch, end points have servers or network cards too."""
    where = f"nodes[{node.id}]"
    allowed: tuple[Kind, ...] = () if node.kind in FORWARDING_KINDS else ("server", "card")
    kind = next((each for each in allowed if catalogue.has(node.part, each)), None)
    yield from parts.issue(f"{where}.part", node.part, kind or "switch")
    if node.n_servers is not None and kind != "server":
        yield Issue(f"{where}.n_servers", "servers without a part of kind server", "part: server-25G, for example")


def _link_issues(
    links: Iterable[Link], by_id: Mapping[str, Node], catalogue: Catalogue, missing: _UnknownNames
) -> Iterator[Issue]:
    parts = _PartCheck(catalogue)
    for link in links:
        where = f"links[{link.id}]"
        for end in link.ends:
            if end not in by_id:
                yield missing(f"{where}.ends", "node", end, by_id)
        if link.ends[0] == link.ends[1]:
            yield Issue(f"{where}.ends", f"both ends are {quoted(link.ends[0])}", "a link joins two different nodes")
        if link.n_failed > link.n_parallel:
            yield Issue(f"{where}.n_failed", f"{link.n_failed} members down of {link.n_parallel}")
        yield from parts.issue(f"{where}.transceiver", link.transceiver, "transceiver")
        yield from parts.issue(f"{where}.mux", link.mux, "mux")
        yield from parts.issue(f"{where}.protection", link.protection, "protection")
        yield from parts.issue(f"{where}.booster", link.booster, "amplifier")
        for i, span in enumerate(link.spans):
            yield from parts.issue(f"{where}.spans[{i}].fibre", span.fibre, "fibre")
            yield from parts.issue(f"{where}.spans[{i}].amplifier", span.amplifier, "amplifier")
        yield from _path_issues(link, where)
        yield from amplifier_issues(link, where)


def _path_issues(link: Link, where: str) -> Iterator[Issue]:
    """Find faults of the optical paths of a link and of their measurements."""
    n_working = sum(not span.standby for span in link.spans)
    if any(span.standby for span in link.spans[:n_working]):
        yield Issue(f"{where}.spans", "standby spans among those of the working path", "list the working path first")
    if (0 < n_working < len(link.spans)) != (link.protection is not None) or (link.spans and not n_working):
        problem = "protection needs spans of a working path and others that are standby, and these need protection"
        yield Issue(f"{where}.protection", problem, "name a protection part, and flag the other path's spans standby")
    for last in {n_working, len(link.spans)} - {0}:
        if link.spans[last - 1].regenerated:
            yield Issue(f"{where}.spans[{last - 1}].regenerated", "the last span of a path ends at the link's end")
    if (link.measured is None and link.measured_years is None) != (link.measured_received_dbm is None):
        yield Issue(f"{where}.measured", "measured_received_dbm and the day it was measured go together")
    if link.measured is not None or link.measured_years is not None:
        if link.transceiver is None:
            yield Issue(f"{where}.measured", "a received power without a transceiver", "name the transceiver")
        if any(span.regenerated for span in link.spans):
            problem = "one received power, though the light is regenerated on the way"
            yield Issue(f"{where}.measured_received_dbm", problem, "give measured_loss_db of the spans")
    for i, span in enumerate(link.spans):
        if (span.measured is not None or span.measured_years is not None) and span.measured_loss_db is None:
            yield Issue(f"{where}.spans[{i}].measured", "a day of measurement without measured_loss_db")


def _date_issues(
    as_of: date | None, fibre_installed: date | None, nodes: Iterable[Node], links: Iterable[Link]
) -> Iterator[Issue]:
    dated: list[tuple[str, date]] = []
    for node in nodes:
        yield from _age_issues(f"nodes[{node.id}]", node)
        if node.installed:
            dated.append((f"nodes[{node.id}].installed", node.installed))
    for link in links:
        for where, record in _records_with_dates(link):
            yield from _age_issues(where, record)
            for name in ("installed", "measured", "amplifier_installed"):
                day = getattr(record, name, None)
                if day:
                    dated.append((f"{where}.{name}", day))
            if record.installed and record.measured and record.measured < record.installed:
                yield Issue(f"{where}.measured", f"{record.measured} lies before installed {record.installed}")
    if fibre_installed is not None:
        dated.append(("fibre_installed", fibre_installed))
    if dated and as_of is None:
        yield Issue("as_of", "missing, though parts have installation dates", "state the day the document speaks of")
        return
    for where, day in dated:
        if as_of is not None and day > as_of:
            yield Issue(where, f"{day} lies after as_of {as_of}", "plan later installations as changes")


def _age_issues(where: str, record: Node | Link | Span) -> Iterator[Issue]:
    if record.age_years is not None and record.installed is not None:
        yield Issue(f"{where}.age_years", "stands beside installed", "keep one of them")
    if isinstance(record, Node):
        return
    if record.measured_years is not None and record.measured is not None:
        yield Issue(f"{where}.measured_years", "stands beside measured", "keep one of them")
    if isinstance(record, Span) and None not in (record.amplifier_age_years, record.amplifier_installed):
        yield Issue(f"{where}.amplifier_age_years", "stands beside amplifier_installed", "keep one of them")


def _records_with_dates(link: Link) -> Iterator[tuple[str, Link | Span]]:
    yield f"links[{link.id}]", link
    for i, span in enumerate(link.spans):
        yield f"links[{link.id}].spans[{i}]", span


def _job_issues(document: TopologyDocument, catalogue: Catalogue, missing: _UnknownNames) -> Iterator[Issue]:
    job_ids = [job.id for job in document.jobs]
    if document.default_job is not None and document.default_job not in job_ids:
        yield missing("default_job", "job", document.default_job, job_ids)
    yield from _together_issues(document, job_ids, missing)
    parts = _PartCheck(catalogue)
    for job in document.jobs:
        yield from job_shape_issues(job)
        for i, placement in enumerate(job.placement):
            where = f"jobs[{job.id}].placement[{i}]"
            yield from parts.issue(f"{where}.accelerator", placement.accelerator, "accelerator")


def _together_issues(document: TopologyDocument, job_ids: Collection[str], missing: _UnknownNames) -> Iterator[Issue]:
    """Find faults of the sets of jobs that run together."""
    for jobs, n in Counter(document.jobs_together).items():
        where = f"jobs_together[{', '.join(jobs)}]"
        if n > 1:
            yield Issue(where, f"the same jobs stand {n} times", "list each set once")
        for job_id, n_named in Counter(jobs).items():
            if n_named > 1:
                yield Issue(where, f"job {quoted(job_id)} stands {n_named} times", "a job runs once in a set")
            if job_id not in job_ids:
                yield missing(where, "job", job_id, job_ids)

"""Text of answers: it fits the width, no number is cut, sentences are short, the wording is plain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import twin
from twin.answers.comparison import comparison_verdict
from twin.answers.data import Answer
from twin.network import Network
from twin.render.compare_table import compare_table
from twin.render.diff_table import diff_table
from twin.render.link_tables import links_table
from twin.render.plain_text import plain_text
from twin.render.score_table import score_table

pytestmark = pytest.mark.main_assumptions

NETWORKS = ("ageing-lines", "bare", "leaf-spine-demo", "memphis-small", "two-campus")
WIDTHS = (60, 80, 120)
WIDE = 4000
SUFFIXES = (".py", ".yaml", ".md", ".ipynb", ".toml")
MAX_WORDS = 25
ROOT = Path(twin.__file__).resolve().parents[1]
PHRASES = tuple((ROOT / "tests/data/phrases_to_avoid.txt").read_text(encoding="utf-8").splitlines())
BUSIEST = "max_link_utilisation_ratio"
FIRST_CHANGE = {
    "bare": [{"kind": "fail_nodes", "nodes": ["spine-1", "leaf-2"]}],
    "ageing-lines": [{"kind": "age", "years": 10}],
    "leaf-spine-demo": [{"kind": "fail_nodes", "nodes": ["spine-1", "spine-2"]}],
    "memphis-small": [{"kind": "fail_srlg", "srlg": "duct-shared"}],
    "two-campus": [{"kind": "age", "years": 10}],
}


@cache
def load(name: str) -> Network:
    """A shipped network; `bare` is the leaf-spine without its demands, whose answers are about structure."""
    if name == "bare":
        network = twin.load("leaf-spine-demo")
        return network.with_document(network.document.model_copy(update={"demands": ()}))
    return twin.load(name)


@cache
def plans(name: str) -> tuple[Any, ...]:
    network = load(name)
    return tuple(network.what_if(plan.id, main_assumptions=False) for plan in network.document.plans)


@cache
def answers(name: str) -> dict[str, Answer]:
    """Every kind of answer about a network, and a what-if for each plan."""
    network = load(name)
    found: dict[str, Answer] = {
        "score": network.score(),
        "change": network.what_if(FIRST_CHANGE[name]),
        "forecast": network.forecast(years=25, growth_ratio_per_year=0.1),
        "links": network.link_table(network.arrays.link_ids[0]),
        "link": network.link(network.arrays.link_ids[-1]),
        "sweep": network.sweep("age=0..20:3", metric="opex_usd_per_year" if name == "bare" else BUSIEST),
    }
    ids = network.arrays.node_ids
    cut = [{"kind": "fail_links", "links": "*"}]
    found["path"] = network.path(ids[0], ids[-1])
    found["path, cut"] = network.path(ids[0], ids[-1], changes=cut)
    found["busiest links"] = network.link_table(sort="utilisation", top=5)
    if network.document.demands:
        found["demands"] = network.demand_table(changes=[{"kind": "scale_demands", "factor_ratio": 9}])
        found["optimum"] = network.optimum()
        found["failures"] = network.failures(of="node")
    if network.document.jobs:
        found["explain"] = network.explain()
    return found | {f"plan {diff.plan}": diff for diff in plans(name)}


def renderings(name: str) -> Iterator[tuple[str, Any]]:
    for kind, answer in answers(name).items():
        yield kind, answer._table()
    score, change, links = (answers(name)[kind] for kind in ("score", "change", "links"))
    yield "score --all", score_table(score.to_dict(), all_metrics=True)
    yield "change --all", diff_table(change.to_dict(), change.after.to_dict(), all_metrics=True)  # type: ignore[attr-defined]
    yield "links --all", links_table(links.to_dict(), all_columns=True)
    if plans(name):
        yield "compare", compare_table([diff.to_dict() for diff in plans(name)], comparison_verdict(plans(name)))


def numbers_in(text: str) -> set[str]:
    return set(re.findall(r"\d[\d,.]*\d|\d", text))


def sentences_of(name: str) -> Iterator[str]:
    """Every sentence of the verdicts and reasons of a network."""
    for answer in answers(name).values():
        data = answer.to_dict()
        yield from data["summary"]
        reasons = data.get("bottlenecks", [])
        yield from reasons if isinstance(reasons, list) else [*reasons["before"], *reasons["after"]]
    if plans(name):
        yield from comparison_verdict(plans(name))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NETWORKS)
def test_no_number_of_an_answer_is_cut(name: str, width: int) -> None:
    for kind, table in renderings(name):
        text, wide = plain_text(table, width), plain_text(table, WIDE)
        assert max(map(len, text.splitlines())) <= width, kind
        assert "…" not in text, kind
        assert numbers_in(text) <= numbers_in(wide), (kind, numbers_in(text) - numbers_in(wide))


@pytest.mark.parametrize("name", NETWORKS)
def test_sentences_of_answers_are_short(name: str) -> None:
    long = {s for text in sentences_of(name) for s in re.split(r"(?<=[.;]) ", text) if len(s.split()) > MAX_WORDS}
    assert long == set()
    assert len(list(sentences_of(name))) > 10


@pytest.mark.parametrize("name", NETWORKS)
def test_answers_use_plain_words(name: str) -> None:
    texts = [plain_text(table, WIDE) for _, table in renderings(name)] + [*sentences_of(name)]
    found = {phrase for phrase in PHRASES for text in texts if re.search(rf"\b{phrase}\b", text, re.IGNORECASE)}
    assert found == set()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_verdict_comes_first(name: str) -> None:
    for kind, answer in answers(name).items():
        summary = answer.to_dict()["summary"]
        assert summary, kind
        lines = plain_text(answer._table(), WIDE).splitlines()
        assert lines[1] == summary[0], kind
        assert repr(answer).splitlines()[0].strip(), kind
        assert len(repr(answer)) < 8000, kind


@pytest.mark.parametrize("name", NETWORKS)
def test_notebooks_show_the_verdict_and_no_empty_rows(name: str) -> None:
    for kind, answer in answers(name).items():
        html = answer._repr_html_()  # type: ignore[attr-defined]
        assert "None" not in re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL), kind
        assert len(html) < 2_000_000, kind
    frame = load(name).score(main_assumptions=False).to_pandas()
    assert frame["value"].notna().all()
    every = load(name).score(main_assumptions=False).to_pandas(all_metrics=True)
    assert len(every) > len(frame)
    assert (every.loc[every["value"].isna(), "why"] != "").all()


def test_the_product_and_its_pages_use_plain_words() -> None:
    """The list holds phrases that no page, message or docstring of the product needs."""
    folders = [ROOT / name for name in ("twin", "api", "topologies", "docs", "examples")]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES] + [
        ROOT / "README.md"
    ]
    found = [
        f"{path.relative_to(ROOT)}: {phrase}"
        for path in files
        for phrase in PHRASES
        if re.search(rf"\b{phrase}\b", path.read_text(encoding="utf-8"), re.IGNORECASE)
    ]
    assert found == []
    assert len(files) > 100

"""One changed figure: the same as a catalogue or price book with that value, at the cost of the stages it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import twin
from tests.model.samples import campus_data
from twin.answers.headline import headline_metric
from twin.answers.main_assumptions import N_MAIN, assumptions_of, find_main_assumptions
from twin.answers.metrics import METRICS
from twin.answers.score import metric_values
from twin.catalogue import Catalogue, catalogue
from twin.catalogue.figure_reader import PRICE_BOOK, PRICE_OF, UsedFigure
from twin.catalogue.measurable import measurable, measurables
from twin.catalogue.parts import GENERAL
from twin.catalogue.prices import load_price_book
from twin.loading import from_document
from twin.network import Network
from twin.stages.cache import shared_with
from twin.stages.changed_inputs import ChangedInputs
from twin.stages.engine import Engine

pytestmark = pytest.mark.main_assumptions


@dataclass(frozen=True, eq=False)
class Pair:
    column: Any
    table: dict[str, tuple[float, str]]


@pytest.fixture(scope="module")
def network() -> Network:
    return from_document(campus_data())


def changed_engine(network: Network, figure: UsedFigure, value: float) -> Engine:
    """An engine whose catalogue or price book has another value for the figure."""
    shipped, prices = network.catalogue, network.price_book
    update: dict[str, Any] = {"value": value, "low": value, "high": value}
    if figure.where == GENERAL:
        general = dict(shipped.general)
        general[figure.name] = general[figure.name].model_copy(update=update)
        return Engine(Catalogue(shipped.parts(), general), prices)
    if figure.where == PRICE_BOOK:
        price = getattr(prices, figure.name).model_copy(update=update)
        return Engine(shipped, prices.model_copy(update={figure.name: price}))
    if figure.where.startswith(PRICE_OF):
        entries = dict(getattr(prices, figure.name))
        part_id = figure.where.removeprefix(PRICE_OF)
        entries[part_id] = entries[part_id].model_copy(update=update)
        return Engine(shipped, prices.model_copy(update={figure.name: entries}))
    part = shipped.get(figure.where)
    if " at " in figure.name:
        rate_gbps = float(figure.name.partition(" at ")[2].removesuffix("G"))
        modes = tuple(
            mode.model_copy(update={"required_snr_db": mode.required_snr_db.model_copy(update=update)})
            if mode.rate_gbps == rate_gbps
            else mode
            for mode in part.modes
        )
        new = part.model_copy(update={"modes": modes})
    else:
        figures = dict(part.figures)
        figures[figure.name] = figures[figure.name].model_copy(update=update)
        new = part.model_copy(update={"figures": figures})
    others = [other for other in shipped.parts() if other.id != part.id]
    return Engine(Catalogue([*others, new], shipped.general), prices)


def test_every_changed_figure_gives_the_answers_of_a_changed_catalogue(network: Network) -> None:
    evaluation = network.evaluate("both")
    figures = [figure for figure in assumptions_of(evaluation.used_figures) if figure.low < figure.high]
    assert len(figures) > 60
    n_different = 0
    for figure in figures:
        value = figure.high if figure.high != figure.value else figure.low
        expected = {
            name: metric.value
            for name, metric in metric_values(changed_engine(network, figure, value).evaluate(evaluation.case)).items()
        }
        changed = ChangedInputs(network._engine, {figure: value}).evaluate(evaluation)
        assert {name: metric.value for name, metric in metric_values(changed).items()} == expected, figure
        n_different += expected != {name: metric.value for name, metric in metric_values(evaluation).items()}
    assert n_different > 30


def test_stages_that_a_figure_does_not_reach_keep_their_outcomes(network: Network) -> None:
    evaluation = network.evaluate("both")
    evaluation.outcome("money")
    electricity = next(figure for figure in evaluation.used_figures if figure.name == "electricity_usd_per_mwh")
    changed = ChangedInputs(network._engine, {electricity: electricity.high}).evaluate(evaluation)
    assert changed.money.opex_usd_per_year > evaluation.money.opex_usd_per_year
    for stage in ("link_budgets", "health", "link_loads", "step", "goodput"):
        assert changed.outcome(stage) is evaluation.outcome(stage)


def test_equal_parts_of_an_outcome_are_those_that_are_known(network: Network) -> None:
    """Only bits count: NaN equals NaN, and -0 is not 0."""
    known = Pair(np.array([np.nan, 0.0]), {"a": (1.0, "x")})
    assert shared_with(known, Pair(np.array([np.nan, 0.0]), {"a": (1.0, "x")})) is known
    other = shared_with(known, Pair(np.array([np.nan, -0.0]), {"a": (1.0, "x")}))
    assert (other is known, other.column is known.column, other.table is known.table) == (False, False, True)
    other = shared_with(known, Pair(np.array([np.nan, 0.0]), {"a": (-1.0, "x")}))
    assert (other.column is known.column, other.table) == (True, {"a": (-1.0, "x")})
    assert shared_with(0.0, -0.0) is not shared_with(0.0, 0.0)


def test_a_figure_that_changes_no_capacity_stops_at_the_health_of_links(network: Network) -> None:
    evaluation = network.evaluate("both")
    droop = next(figure for figure in evaluation.used_figures if figure.name == "laser_droop_db_per_year")
    changed = ChangedInputs(network._engine, {droop: droop.high}).evaluate(evaluation)
    assert changed.outcome("health") is not evaluation.outcome("health")
    assert changed.health.margin_db.tolist() != evaluation.health.margin_db.tolist()
    for stage in ("arc_rates", "flow_goodput", "hash_collisions", "step"):
        assert changed.outcome(stage) is evaluation.outcome(stage)


def test_main_assumptions_are_those_with_the_largest_effect(network: Network) -> None:
    evaluation = network.evaluate("both")
    name = headline_metric(evaluation)
    assert name == "goodput_tokens_per_s"
    main = find_main_assumptions(network._engine, evaluation)
    assert len(main) == N_MAIN
    effects = {}
    for figure in assumptions_of(evaluation.used_figures):
        ends = [
            METRICS[name].compute(changed_engine(network, figure, end).evaluate(evaluation.case))
            for end in (figure.low, figure.value, figure.high)
            if figure.low < figure.high
        ]
        effects[figure.where, figure.name] = max(ends) - min(ends) if ends else 0.0
    largest = sorted(effects, key=lambda key: (-effects[key], key))[:N_MAIN]
    assert [(each.where, each.name) for each in main] == largest
    assert all(each.settled_by and each.label for each in main)
    score = network.score("both")
    assert score.main_assumptions == main
    assert network.score("both", main_assumptions=False).main_assumptions == ()


def test_main_assumptions_of_a_change_are_about_the_change(network: Network) -> None:
    change = [{"kind": "fail_links", "links": "wan", "n_members": 2}]
    diff = network.what_if(change, "both")
    before, after = diff["goodput_tokens_per_s"]
    assert before is not None
    assert after is not None
    for row in diff.main_assumptions:
        assert row.at_value == pytest.approx(after / before - 1.0, rel=1e-12)
        assert row.moves == "goodput_tokens_per_s"
    ends = [(row.at_low, row.at_high) for row in diff.main_assumptions]
    assert all(low != high for low, high in ends)


def test_every_figure_with_a_range_has_a_label_and_a_measurement() -> None:
    names = {name for part in catalogue().parts() for name, figure in part.figures.items() if figure.low < figure.high}
    names |= {name for name, figure in catalogue().general.items() if figure.low < figure.high}
    names |= {"required_snr_db", "part_usd", "rent_usd_per_accelerator_hour"}
    prices = load_price_book()
    names |= {name for name in type(prices).model_fields if getattr(getattr(prices, name), "low", None) is not None}
    assert names - set(measurables()) == set()
    assert set(measurables()) - names == set()


def test_the_label_of_a_figure_names_its_part_and_mode() -> None:
    figure = UsedFigure("OpenZR+-400G", "required_snr_db at 400G", 23.59, 23.09, 24.09, "estimate", "x")
    assert measurable(figure) == (
        "required SNR of OpenZR+-400G at 400G",
        "the data sheet of OpenZR+-400G, or a pre-FEC BER reading",
    )
    own = UsedFigure("my-switch", "forward_delay_us", 1.0, 0.5, 2.0, "own", "x")
    assert measurable(own) == ("forward delay of my-switch", "the data sheet of my-switch")
    price = UsedFigure(f"{PRICE_OF}H100", "part_usd", 1.0, 0.5, 2.0, "placeholder", "x")
    assert measurable(price) == ("price of H100", "a quote for H100")


def test_a_network_without_traffic_has_no_main_assumptions_but_its_margins() -> None:
    score = twin.load("ageing-lines").score()
    assert {row.moves for row in score.main_assumptions} <= {"max_link_utilisation_ratio", "min_margin_db"}

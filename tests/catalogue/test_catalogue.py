"""The catalogue and the price book: every number sourced, every name with a unit, every refusal with a hint."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from pydantic import ValidationError

from twin.catalogue import KINDS, Catalogue, Figure, Mode, Part, catalogue, load_price_book
from twin.catalogue.parts import read_figure, read_parts
from twin.catalogue.prices import PRICED_KINDS, SCALARS
from twin.errors import CatalogueError, DocumentError
from twin.units import unit_of

PARTS = catalogue().parts()
FIELDS = {"value": 2.0, "low": 1.0, "high": 3.0, "source": "a table", "as_of": "2024", "status": "published"}

REQUIRED = {
    "fibre": {
        "attenuation_db_per_km",
        "dispersion_ps_per_nm_km",
        "effective_area_um2",
        "pmd_ps_per_sqrt_km",
        "group_index_ratio",
    },
    "fec": {"threshold_ber_ratio", "latency_us"},
    "mux": {"loss_db", "n_channels", "spacing_ghz"},
    "protection": {"loss_db", "switch_time_s"},
    "amplifier": {"noise_figure_db", "max_output_dbm"},
    "transceiver": {"rate_gbps", "power_w"},
    "switch": {"n_ports", "port_gbps", "n_asics", "latency_us", "buffer_bytes", "lossless_share_ratio", "power_w"},
    "card": {"n_ports", "port_gbps", "power_w", "failure_fit"},
    "server": {"n_cards", "n_ports", "port_gbps", "n_rack_units", "power_w", "failure_fit", "repair_h"},
    "accelerator": {
        "bf16_tflops",
        "memory_bytes",
        "memory_bytes_per_s",
        "nvlink_gbps",
        "nic_gbps",
        "tdp_w",
        "rack_w_per_accelerator",
        "n_nvlink_domain",
        "n_per_rack",
        "n_per_host",
    },
}
COHERENT = {
    "launch_dbm",
    "rx_min_dbm",
    "rx_max_dbm",
    "tx_osnr_db",
    "receiver_snr_at_0dbm_db",
    "required_snr_db",
    "max_dispersion_ps_per_nm",
    "max_pmd_ps",
    "spacing_ghz",
}


def figure(**changed: object) -> Figure:
    return Figure.model_validate({**FIELDS, **changed})


@pytest.mark.parametrize("source", ["", "   "])
def test_a_figure_without_source_is_refused(source: str) -> None:
    with pytest.raises(ValidationError, match="source"):
        figure(source=source)


@pytest.mark.parametrize(
    "changed",
    [{"low": 2.5}, {"high": 1.5}, {"value": math.nan}, {"high": math.inf}, {"as_of": "lately"}, {"status": "rumour"}],
)
def test_a_figure_out_of_its_range_or_not_a_number_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        figure(**changed)


def test_a_figure_takes_a_year_or_a_date() -> None:
    assert figure(as_of="2026-03-01").as_of == "2026-03-01"
    assert figure(as_of="2021").as_of == "2021"


def test_records_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        figure().value = 1.0


def test_a_part_refuses_a_figure_name_without_unit() -> None:
    with pytest.raises(ValidationError, match="without a unit"):
        Part(id="x", kind="mux", name="x", figures={"loss": figure()})


def test_modes_go_from_the_fastest_to_the_slowest_and_only_on_coherent_parts() -> None:
    slow, fast = (
        Mode(rate_gbps=rate, required_snr_db=figure(), baud_gbd=60.0, modulation="DP-QPSK") for rate in (200.0, 400.0)
    )
    with pytest.raises(ValidationError, match="fastest"):
        Part(id="x", kind="transceiver", name="x", optics="coherent", figures={}, modes=(slow, fast))
    with pytest.raises(ValidationError, match="coherent"):
        Part(id="x", kind="transceiver", name="x", optics="direct_detect", figures={}, modes=(fast,))
    with pytest.raises(ValidationError, match="coherent"):
        Part(id="x", kind="transceiver", name="x", optics="coherent", figures={})


def mode_entry(*points: tuple[str, float, float]) -> dict[str, object]:
    """A coherent part as a sheet has it, with those penalties (impairment, at, dB)."""
    penalties = [{"impairment": name, "at": at, "penalty_db": {"value": db, "from": "t"}} for name, at, db in points]
    required = {"value": 20, "assumed": [19, 21], "from": "t"}
    mode = {
        "rate_gbps": 400,
        "baud_gbd": 60,
        "modulation": "DP-16QAM",
        "required_snr_db": required,
        "penalties": penalties,
    }
    return {"id": "zr-x", "kind": "transceiver", "name": "x", "optics": "coherent", "figures": {}, "modes": [mode]}


SHEET_SOURCES = {"t": {"source": "a table", "as_of": "2024", "status": "published"}}


def test_penalties_of_a_sheet_become_figures_with_their_source() -> None:
    points = [("dispersion_ps_per_nm", 4000, 0.0), ("pmd_ps", 20, 0.5), ("dispersion_ps_per_nm", 12000, 0.5)]
    (part,) = read_parts({"sources": SHEET_SOURCES, "parts": [mode_entry(*points)]}, "sheet")
    assert [(p.impairment, p.at, p.penalty_db.value) for p in part.modes[0].penalties] == points
    assert part.modes[0].penalties[1].penalty_db.source == "a table"


@pytest.mark.parametrize(
    ("points", "told"),
    [
        ([("pmd_ps", 20, 0.5), ("pmd_ps", 10, 0.0)], r"sheet: zr-x\.modes\.0\.penalties.*from the least to the most"),
        ([("pmd_ps", 20, 0.0), ("pmd_ps", 20, 0.5)], "each once"),
        ([("pmd_ps", 10, 0.5), ("pmd_ps", 20, 0.3)], r"sheet: zr-x\.modes\.0\.penalties.*do not fall"),
        ([("pmd_ps", 10, -0.5)], "not negative"),
        ([("pmd_ps", -1, 0.5)], r"modes\.0\.penalties\.0\.at"),
        ([("pdl_db", 1, 0.5)], r"penalties\.0\.impairment"),
    ],
)
def test_penalties_out_of_order_are_refused_with_their_place(points: list[tuple[str, float, float]], told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        read_parts({"sources": SHEET_SOURCES, "parts": [mode_entry(*points)]}, "sheet")


def test_a_penalty_without_source_is_refused_with_its_place() -> None:
    entry = mode_entry(("pmd_ps", 10, 0.5))
    entry["modes"][0]["penalties"][0]["penalty_db"] = {"value": 0.5}  # type: ignore[index]
    with pytest.raises(DocumentError, match=r"sheet: zr-x\.modes\.0\.penalties\.0\.penalty_db.*source"):
        read_parts({"sources": SHEET_SOURCES, "parts": [entry]}, "sheet")


def last_point(mode: Mode, impairment: str) -> tuple[float, float]:
    *_, last = [(point.at, point.penalty_db.value) for point in mode.penalties if point.impairment == impairment]
    return last


@pytest.mark.parametrize("part", [p for p in catalogue().parts("transceiver") if p.modes], ids=lambda part: part.id)
def test_every_coherent_mode_has_both_penalties_and_the_fastest_ends_at_the_limits(part: Part) -> None:
    for mode in part.modes:
        assert {point.impairment for point in mode.penalties} == {"dispersion_ps_per_nm", "pmd_ps"}
    assert last_point(part.modes[0], "dispersion_ps_per_nm")[0] == part.value("max_dispersion_ps_per_nm")
    assert last_point(part.modes[0], "pmd_ps")[0] == part.value("max_pmd_ps")


def test_openzr_penalties_are_those_of_gnpy() -> None:
    modes = catalogue().get("OpenZR+-400G").modes
    assert [last_point(mode, "dispersion_ps_per_nm") for mode in modes] == [
        (20000.0, 0.5),
        (18000.0, 0.5),
        (24000.0, 0.5),
        (48000.0, 0.5),
    ]
    assert [last_point(mode, "pmd_ps") for mode in modes] == [(20.0, 0.5), (25.0, 0.5), (25.0, 0.5), (30.0, 0.5)]
    assert {point.penalty_db.status for mode in modes for point in mode.penalties} == {"published"}


def test_port_rates_and_store_and_forward_are_of_switches_and_in_order() -> None:
    bare = {"id": "x", "name": "x", "figures": {}}
    with pytest.raises(ValidationError, match="fastest to the slowest"):
        Part(kind="switch", port_rates_gbps=(100.0, 400.0), **bare)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="fastest to the slowest"):
        Part(kind="switch", port_rates_gbps=(400.0, 0.0), **bare)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="of a switch"):
        Part(kind="mux", port_rates_gbps=(400.0,), **bare)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="of a switch"):
        Part(kind="mux", store_and_forward=True, **bare)  # type: ignore[arg-type]
    assert Part(kind="switch", **bare).port_rates_gbps == ()  # type: ignore[arg-type]


@pytest.mark.parametrize("part", catalogue().parts("switch"), ids=lambda part: part.id)
def test_a_port_carries_its_full_rate_and_breakouts(part: Part) -> None:
    port_gbps = part.value("port_gbps")
    if part.port_groups:
        assert (part.port_groups[0].port_gbps, part.port_rates_gbps) == (port_gbps, ())
        return
    assert part.port_rates_gbps[0] == port_gbps
    assert {400.0: {200.0, 100.0}, 100.0: {50.0, 25.0}}.get(port_gbps, {400.0, 300.0}) <= set(part.port_rates_gbps)
    assert part.store_and_forward == part.id.startswith(("border", "core"))


def test_short_figures_say_whether_their_range_is_assumed() -> None:
    sources = {"table": {"source": "a table", "as_of": "2024", "status": "published"}}
    given = read_figure({"value": 2, "range": [1, 3], "from": "table"}, sources, "here")
    assumed = read_figure({"value": 2, "assumed": [1, 3], "from": "table"}, sources, "here")
    exact = read_figure({"value": 2, "from": "table"}, sources, "here")
    assert (given.low, given.high, given.assumed_range) == (1.0, 3.0, False)
    assert assumed.assumed_range
    assert exact.low == exact.high == 2.0


def test_a_sheet_that_does_not_hold_says_where() -> None:
    sources = {"table": {"source": "a table", "as_of": "2024", "status": "published"}}
    with pytest.raises(DocumentError, match=r"loss_db.*did you mean 'table'"):
        read_figure({"value": 2, "from": "tabel"}, sources, "mux-8.loss_db")
    with pytest.raises(DocumentError, match="two numbers"):
        read_figure({"value": 2, "range": [1, 2, 3], "from": "table"}, sources, "mux-8.loss_db")
    with pytest.raises(DocumentError, match="source"):
        read_figure({"value": 2, "low": 1, "high": 3}, sources, "mux-8.loss_db")
    entry = {"id": "mux-9", "kind": "muks", "name": "x", "figures": {}}
    with pytest.raises(DocumentError, match=r"mux-9\.kind"):
        read_parts({"sources": {}, "parts": [entry]}, "sheet")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.id)
def test_every_figure_name_carries_its_unit(part: Part) -> None:
    bare = [name for name in part.figures if unit_of(name) is None]
    assert bare == []


def test_every_general_figure_and_price_name_carries_its_unit() -> None:
    names = [*catalogue().general, *SCALARS, "part_usd", "rent_usd_per_accelerator_hour"]
    assert [name for name in names if unit_of(name) is None] == []


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.id)
def test_every_part_has_the_figures_of_its_kind(part: Part) -> None:
    wanted = REQUIRED[part.kind] | (COHERENT if part.optics == "coherent" else set())
    if part.kind == "fibre" and part.medium:
        wanted = {"group_index_ratio"}
        if part.medium == "multimode":
            wanted |= {"attenuation_850_db_per_km", "modal_bandwidth_1km_mhz"}
    if part.optics == "direct_detect":
        reach = {"reach_om3_m", "reach_om4_m"} if part.medium == "multimode" else {"reach_km"}
        wanted = wanted | {"launch_dbm", "loss_budget_db"} | reach
    if part.kind == "transceiver" and part.optics in ("copper", None):
        wanted = wanted | {"reach_m"}
    assert wanted - set(part.figures) == set()


@pytest.mark.parametrize("part", catalogue().parts("transceiver"), ids=lambda part: part.id)
def test_transceivers_name_their_fec_form_factor_and_lanes(part: Part) -> None:
    if part.fec is None:  # the standards of 10G lanes, and of 100GBASE-ER4, ask for none
        assert part.lane_gbps == 10 or part.id == "100G-ER4"
    else:
        assert catalogue().get(part.fec, "fec").value("threshold_ber_ratio") > 0
    assert part.form_factor
    assert part.lane_gbps
    assert any(part.form_factor in switch.cages for switch in catalogue().parts("switch")), "no switch takes it"
    if part.modes:
        assert part.modes[0].rate_gbps == part.value("rate_gbps")
        assert part.modes[0].required_snr_db == part.figure("required_snr_db")


@pytest.mark.parametrize("part", catalogue().parts("switch"), ids=lambda part: part.id)
def test_a_switch_is_named_after_its_capacity(part: Part) -> None:
    named_tbps = float(part.id.rsplit("-", 1)[1].removesuffix("T"))
    groups = [(group.n_ports, group.port_gbps) for group in part.port_groups]
    all_gbps = sum(n * gbps for n, gbps in groups or [(part.value("n_ports"), part.value("port_gbps"))])
    assert all_gbps / 1000.0 == pytest.approx(named_tbps, rel=0.005)
    assert part.value("n_ports") % part.value("n_asics") == 0
    assert part.cages


def test_required_snr_follows_from_required_osnr_and_receiver_noise() -> None:
    modes = catalogue().get("OpenZR+-400G").modes
    for mode, required_osnr_db in zip(modes, (24.0, 21.0, 17.0, 12.0), strict=True):
        joined = 10 ** (-required_osnr_db / 10) + 10 ** (-(46.0 - 12.0) / 10)
        assert mode.required_snr_db.value == pytest.approx(-10 * math.log10(joined), abs=0.006)
    zr = catalogue().get("400ZR")
    for osnr_db, received_dbm in ((26.0, -12.0), (34.0, -20.0)):
        receiver_db = zr.value("receiver_snr_at_0dbm_db") + received_dbm
        joined = 10 ** (-osnr_db / 10) + 10 ** (-receiver_db / 10)
        assert zr.value("required_snr_db") == pytest.approx(-10 * math.log10(joined), abs=0.02)


def test_a100_has_no_fp8() -> None:
    a100 = catalogue().get("A100-80GB", "accelerator")
    assert a100.value_or("fp8_tflops", -1.0) == -1.0
    with pytest.raises(CatalogueError, match="did you mean 'bf16_tflops'") as caught:
        a100.figure("fp16_tflops")
    assert "memory_bytes" in caught.value.expected


def test_background_figures_are_estimates() -> None:
    figures = [figure for part in PARTS for figure in part.figures.values()] + list(catalogue().general.values())
    told = [figure for figure in figures if figure.source.startswith("background, unchecked")]
    assert told
    assert {figure.status for figure in told} == {"estimate"}


def test_sources_are_published_origins() -> None:
    figures = [figure for part in PARTS for figure in part.figures.values()] + list(catalogue().general.values())
    assert not [figure.source for figure in figures if "shared" in figure.source or "/work" in figure.source]


def test_an_unknown_part_brings_near_names() -> None:
    with pytest.raises(CatalogueError, match="did you mean '400ZR'"):
        catalogue().get("400zr+")
    with pytest.raises(CatalogueError, match="of kind fibre"):
        catalogue().get("G.654.E", "transceiver")
    with pytest.raises(CatalogueError, match="did you mean 'switch'"):
        catalogue().parts("swich")  # type: ignore[arg-type]
    with pytest.raises(CatalogueError, match="did you mean 'splice_db'"):
        catalogue().general_figure("splices_db")


def test_parts_are_sorted_by_kind_and_id_and_every_kind_is_there() -> None:
    keys = [(part.kind, part.id) for part in PARTS]
    assert keys == sorted(keys)
    assert {part.kind for part in PARTS} == set(KINDS)


def test_digest_ignores_order_and_sees_every_figure() -> None:
    general = catalogue().general
    turned = Catalogue(reversed(PARTS), dict(reversed(general.items())))
    assert turned.digest() == catalogue().digest()
    changed = {**general, "splice_db": general["splice_db"].model_copy(update={"value": 0.09})}
    assert Catalogue(PARTS, changed).digest() != catalogue().digest()


def test_a_catalogue_refuses_twins_and_loose_ends() -> None:
    with pytest.raises(CatalogueError, match="twice"):
        Catalogue([*PARTS, PARTS[0]], {})
    with pytest.raises(CatalogueError, match="unknown fec 'KP4'"):
        Catalogue([part for part in PARTS if part.id != "KP4"], {})
    with pytest.raises(CatalogueError, match="without a unit"):
        Catalogue(PARTS, {"splice": figure()})


def test_a_host_is_a_board_of_eight_or_a_tray_of_four() -> None:
    hosts = {part.id: part.value("n_per_host") for part in catalogue().parts("accelerator")}
    assert {name for name, n in hosts.items() if n == 4} == {"GB200", "GB300"}
    assert set(hosts.values()) == {4, 8}


def test_cuts_lie_between_the_published_counts_and_a_building_site() -> None:
    cuts = catalogue().general["n_cuts_per_km_year"]
    assert (cuts.low, cuts.value, cuts.high) == (0.0027, 0.003, 0.010)


def test_rates_of_failure_follow_from_what_their_sources_say() -> None:
    general = catalogue().general
    assert general["amplifier_fit"].value == pytest.approx(1e9 / 300_000, rel=1e-3)
    flaps = general["n_flaps_per_link_day"]
    assert (flaps.low, flaps.high) == (5_000 / 1e6, 60_000 / 1e6), "a fleet of a million links, assumed"
    assert flaps.value == pytest.approx(math.sqrt(flaps.low * flaps.high), rel=1e-2)
    assert flaps.status == "estimate"
    assert "assumed" in flaps.source
    for name in ("transceiver_repair_h", "amplifier_repair_h", "n_pauses_per_s"):
        assert general[name].assumed_range
    assert general["tcp_segment_bytes"].value + 40 == 9000
    assert general["coherent_residual_ber_ratio"].value == 1e-15


def test_nothing_is_read_at_import() -> None:
    code = (
        "import twin.catalogue as c; from twin.catalogue import parts, prices; "
        "assert parts.catalogue.cache_info().currsize == 0; assert prices._shipped.cache_info().currsize == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_part_that_is_bought_has_a_price() -> None:
    book = load_price_book()
    assert book.placeholder
    for kind in PRICED_KINDS:
        for part in catalogue().parts(kind):
            assert book.entry("part_usd", part.id).value > 0
    for part in catalogue().parts("accelerator"):
        assert book.entry("rent_usd_per_accelerator_hour", part.id).value > 0


def test_a_missing_price_says_so() -> None:
    with pytest.raises(CatalogueError, match=r"no price for 'G\.654\.E'"):
        load_price_book().entry("part_usd", "G.654.E")
    with pytest.raises(CatalogueError, match="did you mean 'GB200'"):
        load_price_book().entry("rent_usd_per_accelerator_hour", "GB-200")


def test_a_users_prices_replace_the_placeholders() -> None:
    shipped = load_price_book()
    book = load_price_book(
        {
            "name": "ours",
            "sources": {"quote": {"source": "our quote", "as_of": "2026-05-01", "status": "vendor"}},
            "part_usd": {"400ZR": 2900, "GB300": {"value": 70000, "low": 65000, "high": 75000}},
            "rent_usd_per_accelerator_hour": {"H100": {"value": 2.1, "range": [2, 2.2], "from": "quote"}},
            "electricity_usd_per_mwh": figure(value=61.5, low=50, high=80),
        }
    )
    assert book.entry("part_usd", "400ZR").value == 2900.0
    assert book.part_usd["400ZR"].source == "user price book"
    assert book.part_usd["400ZR"].status == "estimate"
    assert book.part_usd["GB300"].high == 75000.0
    assert book.rent_usd_per_accelerator_hour["H100"].source == "our quote"
    assert book.electricity_usd_per_mwh.value == 61.5
    replaced = {"part_usd.400ZR", "part_usd.GB300", "rent_usd_per_accelerator_hour.H100", "electricity_usd_per_mwh"}
    assert shipped.placeholder_items - book.placeholder_items == replaced
    assert book.placeholder
    assert book.entry("part_usd", "400G-DR4").value == shipped.entry("part_usd", "400G-DR4").value
    assert book.digest() != shipped.digest()
    assert shipped.entry("part_usd", "400ZR").value == 3600.0, "the shipped book is untouched"


def test_a_complete_book_is_no_placeholder() -> None:
    shipped = load_price_book()
    book = load_price_book(
        {
            "part_usd": {part_id: price.value for part_id, price in shipped.part_usd.items()},
            "rent_usd_per_accelerator_hour": dict(shipped.rent_usd_per_accelerator_hour),
            "labour_h": dict(shipped.labour_h),
            **{name: getattr(shipped, name).value for name in SCALARS},
        }
    )
    assert not book.placeholder
    assert (
        load_price_book({"placeholder": True, "part_usd": {"400ZR": 1}}).placeholder_items == shipped.placeholder_items
    )


def test_digest_of_a_book_ignores_the_order_of_entries() -> None:
    one = load_price_book({"part_usd": {"400ZR": 1, "EDFA": 2}})
    two = load_price_book({"part_usd": {"EDFA": 2, "400ZR": 1}})
    assert one.digest() == two.digest()


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ({"part_usdd": {}}, "did you mean 'part_usd'"),
        ({"part_usd": {"400ZX": 1}}, "did you mean '400ZR'"),
        ({"part_usd": {"G.652.D": 1}}, "unknown part"),
        ({"rent_usd_per_accelerator_hour": {"H10": 1}}, "did you mean 'H100'"),
        ({"part_usd": 3}, "mapping"),
        ({"part_usd": {"400ZR": math.nan}}, "finite"),
        ({"part_usd": {"400ZR": math.inf}}, "finite"),
        ({"part_usd": {"400ZR": -1}}, "not negative"),
        ({"part_usd": {"400ZR": True}}, "number"),
        ({"part_usd": {"400ZR": "cheap"}}, "number"),
        ({"part_usd": {"400ZR": None}}, "number"),
        ({"part_usd": {"400ZR": {"valu": 1}}}, "did you mean 'value'"),
        ({"part_usd": {"400ZR": {"value": 1, "from": "nowhere"}}}, "unknown source 'nowhere'"),
        ({"part_usd": {"400ZR": {"value": 1, "range": 3}}}, "two numbers"),
        ({"part_usd": {"400ZR": {"value": 1, "low": 2, "high": 3}}}, "outside"),
        ({"part_usd": {"400ZR": {"low": 2, "high": 3}}}, "value"),
        ({"horizon_years": 0}, "longer than zero"),
        ({"electricity_usd_per_mwh": -5}, "not negative"),
        ({"name": 5}, "is a text"),
        ({"sources": [1], "part_usd": {"400ZR": {"value": 1, "from": "x"}}}, "is a mapping"),
        ({"sources": {"x": 4}, "part_usd": {"400ZR": {"value": 1, "from": "x"}}}, "source 'x' is a mapping"),
        ({"part_usd": {"400ZR": {"value": 1, "from": ["x"]}}}, "unknown source"),
        ({"part_usd": {"400ZR": {"value": 1, "range": ["a", "b"]}}}, "number"),
        ([1], "mapping"),
    ],
)
def test_faults_of_a_users_book_are_told(user: object, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        load_price_book(user)  # type: ignore[arg-type]


def test_all_faults_of_a_users_book_come_at_once() -> None:
    with pytest.raises(DocumentError) as caught:
        load_price_book({"part_usdd": {}, "part_usd": {"400ZX": 1, "400ZR": -1}}, where="prices.yaml")
    assert len(caught.value.issues) == 3
    assert all(issue.where.startswith("prices.yaml") for issue in caught.value.issues)

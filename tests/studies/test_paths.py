"""Paths of inputs: names joined by dots, quoted where they hold dots."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.steps import one_site
from twin.errors import ChangeError
from twin.loading import from_document
from twin.studies.inputs import parse_axis
from twin.studies.paths import path_names, split_axis


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("age", ["age"]),
        ("links.wan-*.total_gbps", ["links", "wan-*", "total_gbps"]),
        ('links."a.b c".n_parallel', ["links", "a.b c", "n_parallel"]),
        (r'links."a\"b\\".n_failed', ["links", 'a"b\\', "n_failed"]),
        ('mix."s.1".H100."GB.200"', ["mix", "s.1", "H100", "GB.200"]),
        ('links.5"rack.n_parallel', ["links", '5"rack', "n_parallel"]),
    ],
)
def test_names_of_a_path(path: str, names: list[str]) -> None:
    assert path_names(path) == names
    assert split_axis(f"{path}=1,2") == (path, "1,2")
    assert split_axis(path) == (path, None)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=4))
def test_every_text_can_be_quoted(names: list[str]) -> None:
    quoted = [name.replace("\\", "\\\\").replace('"', '\\"') for name in names if "\n" not in name]
    path = ".".join(f'"{name}"' for name in quoted)
    if quoted:
        assert path_names(path) == [name for name in names if "\n" not in name]
        assert split_axis(f"{path}=3") == (path, "3")


def test_an_equals_sign_in_quotes_is_part_of_the_name() -> None:
    axis = parse_axis('links."a=b.c".n_parallel=1..4:4')
    assert (axis.path, axis.values) == ('links."a=b.c".n_parallel', (1.0, 2.0, 3.0, 4.0))


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ('links."a.b.n_parallel', 'links."a.b".n_parallel'),
        ('links."a.b"c.n_parallel', 'links."a.bc".n_parallel'),
        ('placement."east', 'placement."east"'),
    ],
)
def test_a_quote_without_its_partner_is_told_with_what_was_meant(path: str, meant: str) -> None:
    with pytest.raises(ChangeError, match="no closing quote") as caught:
        parse_axis(f"{path}=1,2")
    assert f"did you mean '{meant}'?" in caught.value.hint
    assert path_names(meant)


def test_a_site_with_dots_is_varied() -> None:
    data = one_site(4, 8, parallelism={"tp": 2})
    dotted = from_document(json.loads(json.dumps(data).replace('"a"', '"eu.west 1"')))
    plain = from_document(data).sweep("placement.a.n_accelerators=8,16")
    found = dotted.sweep('placement."eu.west 1".n_accelerators=8,16')
    assert found.values == plain.values
    assert None not in found.values

"""Traffic matrices as CSV text: entries of both forms, bounds, and the places of faults."""

from __future__ import annotations

import re

import pytest

from twin.errors import DocumentError
from twin.traffic.matrix_csv import MAX_HINTS, MAX_ISSUES, read_matrix

INDEX = {"a": 0, "b": 1, "c": 2}


def entries(text: str, max_entries: int = 100) -> list[tuple[int, int, float]]:
    found = read_matrix(text, "m", INDEX, max_entries)
    return list(zip(found.source.tolist(), found.target.tolist(), found.gbps.tolist(), strict=True))


def places(text: str) -> list[str]:
    """Line of each fault, with its column if it names one."""
    with pytest.raises(DocumentError) as caught:
        entries(text)
    found = [re.search(r"line (\d+)(?:, column (\w+))?", issue.where) for issue in caught.value.issues]
    assert all(found)
    return ["/".join(part for part in match.groups() if part) for match in found if match]


def test_a_long_matrix_is_sorted_and_leaves_zeros_out() -> None:
    assert entries("source,target,gbps\nb,a,2\na,c,1.5\na,b,\nb,c,0\n") == [(0, 2, 1.5), (1, 0, 2.0)]


def test_columns_of_a_long_matrix_stand_in_any_order_and_case() -> None:
    text = "\ufeffGbps, Target ,SOURCE\n\n 4, a , c\n"
    assert entries(text) == [(2, 0, 4.0)]


def test_a_square_matrix_has_a_row_for_each_source() -> None:
    """Row a sends 1 to b and 2 to c; row c sends 3 to a. The columns stand in another order than the rows."""
    assert entries(",b,a,c\na,1,,2\n\nb,,,\nc,0,3,\n") == [(0, 1, 1.0), (0, 2, 2.0), (2, 0, 3.0)]


def test_entries_are_from_0_to_1e9() -> None:
    assert entries("source,target,gbps\na,b,1e9\nb,a,-0\nb,c,1e-9\n") == [(0, 1, 1e9), (1, 2, 1e-9)]
    bad = "source,target,gbps\na,b,1.1e9\na,c,-1\nb,a,inf\nb,c,nan\nc,a,much\nc,b,1\n"
    assert places(bad) == ["2/gbps", "3/gbps", "4/gbps", "5/gbps", "6/gbps"]


def test_all_faults_of_a_long_matrix_are_found() -> None:
    text = "source,target,gbps\n\na,x,1\ny,b,1\na,b\na,b,1\nb,c,1\na,b,2\n"
    assert places(text) == ["3/target", "4/source", "5", "8"]


def test_a_repeated_entry_names_the_line_of_the_first() -> None:
    with pytest.raises(DocumentError, match="line 2 too"):
        entries("source,target,gbps\na,b,1\na,b,2\nb,a,1\n")


def test_faults_of_names_in_a_square_matrix() -> None:
    assert places(",a,x\na,1,2\nx,1,2\n") == ["1/3", "3/1"], "an unknown node, as column and as row"
    assert places(",a,b\na,1,2\n") == ["1"], "a column without a row"
    assert places("\n,a,b\na,1,2\nb,1,2\nc,1,2\n") == ["5"], "a row without a column"
    assert places(",a,b,b\na,1,2,3\nb,1,2,3\n") == ["1"], "a column twice"
    assert places(",a,b\na,1,2\nb,1,2\nb,3,4\n") == ["3"], "a row twice: the line of the first"


def test_faults_of_cells_in_a_square_matrix() -> None:
    assert places(",a,b\na,1\nb,1,2,3\n") == ["2", "3"], "too few and too many cells"
    assert places(",a,b\na,1,-2\nb,x,2\n") == ["2/b", "3/a"]


def test_the_number_of_entries_is_bounded() -> None:
    text = "source,target,gbps\na,b,1\nb,a,1\nc,a,0\n"
    assert len(entries(text, 2)) == 2
    with pytest.raises(DocumentError, match="more than 1 entries"):
        entries(text, 1)


def test_faults_end_at_a_limit() -> None:
    def n_found(n_faults: int) -> int:
        return len(places("source,target,gbps\n" + "a,b\n" * n_faults))

    assert n_found(MAX_ISSUES - 1) == 999
    assert n_found(MAX_ISSUES) == n_found(MAX_ISSUES + 5) == 1000


def test_similar_names_are_looked_for_a_few_times() -> None:
    index = {"spine-1": 0, "spine-2": 1}
    rows = "".join(f"spine-1,spin{i}e-2,1\n" for i in range(MAX_HINTS + 5))
    with pytest.raises(DocumentError) as caught:
        read_matrix("source,target,gbps\n" + rows, "m", index, 100)
    assert [bool(issue.hint) for issue in caught.value.issues] == [True] * 20 + [False] * 5


@pytest.mark.parametrize("text", ["", "\n\n", "source,target,gbps\n", ",a,b\n , \n"])
def test_a_header_alone_is_no_matrix(text: str) -> None:
    with pytest.raises(DocumentError, match="no rows"):
        entries(text)


def test_traffic_of_a_node_to_itself_is_left_out() -> None:
    assert entries(",a\na,5\n") == []


@pytest.mark.parametrize("header", ["src,dst,rate", "from,to,gbps", "Source;Destination;mbps", "source;target;mbps"])
def test_other_names_of_the_columns_are_one_fault(header: str) -> None:
    with pytest.raises(DocumentError) as caught:
        entries(f"{header}\n" + "a,b,1\nb,a,2\n".replace(",", ";" if ";" in header else ","))
    (issue,) = caught.value.issues
    assert "a header source,target,gbps, with rates in Gb/s" in str(issue)


def test_columns_that_are_nodes_are_a_square_matrix() -> None:
    assert len(read_matrix("x,src,to\nsrc,0,1\nto,2,0\n", "m", {"src": 0, "to": 1}, 100).gbps) == 2


@pytest.mark.parametrize("text", ["source;target;gbps\na;b;150,5\n", ";a;b\na;0;150,5\nb;1;0\n"])
def test_a_decimal_comma_is_a_fault_that_names_it(text: str) -> None:
    with pytest.raises(DocumentError) as caught:
        entries(text)
    (issue,) = caught.value.issues
    assert "decimal comma" in str(issue)
    assert "write 150.5" in str(issue)

"""Regular expressions of users: those that could take very long are refused, the others answer soon."""

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import DocumentError
from twin.imports.options import import_options
from twin.imports.patterns import MAX_STEPS, bounded_pattern

PIECES = st.sampled_from(["a", "b", "a?", "a+", "a*", "[ab]", ".", "(?:a|ab)", "(?:a|b)?", "a{1,3}", "(a+)+", "^", "$"])


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(a+)+", "nests quantifiers"),
        ("(a|b+)*c", "nests quantifiers"),
        ("(?:a?){9}", "repeats what may be empty"),
        ("(?:(?:){9}){9}", "repeats what may be empty"),
        ("(?:[a-z]{1,3}){9,}", "nests quantifiers"),
        ("a?" * 30 + "a" * 30, "too many quantifiers"),
        ("(?:a|aa)" * 30, "too many quantifiers"),
        (r"(a*)\1", "refers back to a group"),
        ("a" * 1001, "1,001 characters"),
        ("(", "no regular expression"),
    ],
)
@pytest.mark.parametrize("option", ["roles", "site"])
def test_patterns_that_could_take_very_long_are_refused(option: str, pattern: str, problem: str) -> None:
    text = f"{pattern}=leaf"
    with pytest.raises(DocumentError, match=re.escape(problem)) as caught:
        import_options(roles=[text] if option == "roles" else (), site=[text] if option == "site" else None)
    assert caught.value.where == ("--role" if option == "roles" else "--site")


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (r"^(?:ber|muc|fra)-\d+-leaf.*", "MUC-12-LEAF-3"),
        (r"(?:\d{1,3}\.){3}\d{1,3}", "sw 10.0.200.7"),
        ("(?!core)[a-z]+-leaf", "x-leaf"),
        ("(?:ab)+$", "xababab"),
        ("", "any"),
    ],
)
def test_usual_patterns_are_accepted(pattern: str, name: str) -> None:
    assert bounded_pattern(pattern, "--role", re.IGNORECASE).search(name)


def test_a_text_too_long_for_a_pattern_is_refused() -> None:
    pattern = bounded_pattern(".*.*.*x", "--site")
    assert pattern.search("a" * 40) is None
    with pytest.raises(DocumentError, match="100,000 characters"):
        pattern.search("a" * 100_000)
    assert bounded_pattern("leaf", "--role").search("a" * 100_000) is None


@given(st.lists(PIECES, max_size=8).map("".join), st.sampled_from([20, 60, 2000]))
def test_a_comparison_takes_a_bounded_time_or_is_refused(text: str, n_characters: int) -> None:
    try:
        pattern = bounded_pattern(text + "!", "--role")
        started_s = process_time()
        pattern.search("a" * n_characters)
    except DocumentError:
        return
    assert process_time() - started_s < MAX_STEPS * 1e-6

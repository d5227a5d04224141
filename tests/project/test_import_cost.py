"""`import twin` costs next to nothing: what is heavy waits until it is used."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = (
    "sqlalchemy",
    "numba",
    "fastapi",
    "pydantic",
    "scipy",
    "networkx",
    "numpy",
    "pandas",
    "yaml",
    "typer",
    "uvicorn",
)


def loaded_after(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after that code."""
    tail = "\nimport json, sys\nprint(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    found = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, text=True, check=True, timeout=60, env=environment
    )
    return set(json.loads(found.stdout.splitlines()[-1]))


def test_importing_twin_imports_nothing_heavy() -> None:
    assert not loaded_after("import twin; dir(twin)") & set(HEAVY)


def test_reading_prices_needs_no_numba() -> None:
    loaded = loaded_after("import twin.catalogue; twin.catalogue.catalogue().get('H100')")
    assert "pydantic" in loaded
    assert not loaded & {"numba", "fastapi", "scipy", "networkx"}


def test_the_list_of_networks_needs_no_arrays_and_no_generators() -> None:
    code = """
import sys
from twin.cli.main import app
app(["topologies"], standalone_mode=False)
loaded = [name for name in sys.modules if name.startswith(("twin.model", "twin.topologies."))]
assert not loaded, loaded
"""
    assert not loaded_after(code) & {"numba", "numpy", "scipy", "networkx", "yaml", "fastapi"}


@pytest.mark.parametrize("words", [["leaf-spine-demo"], ["leaf-spine-demo", "--json"]])
def test_one_shipped_network_is_shown_without_the_analyses(words: list[str]) -> None:
    code = f"from twin.cli.main import app\napp({['topologies', *words]!r}, standalone_mode=False)"
    assert not loaded_after(code) & {"numba", "scipy", "networkx", "fastapi"}


def test_every_public_name_is_there_when_asked_for() -> None:
    import twin

    for name in twin.__all__:
        found = getattr(twin, name)
        assert getattr(found, "__module__", found.__name__).startswith("twin"), name
    assert set(twin.__all__) <= set(dir(twin))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    import twin

    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = twin.lode
    assert twin.__version__[0].isdigit()

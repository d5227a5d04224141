"""The files of the container: known instructions, an ordinary user, a check that it is ready, what the tree has."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"}
INSTRUCTIONS |= {"ENTRYPOINT", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """(instruction, rest) of each line of the Dockerfile, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in text.splitlines() if line.strip()]


def test_the_image_runs_as_an_ordinary_user_and_says_when_it_is_ready() -> None:
    found = instructions()
    assert {name for name, _ in found} == INSTRUCTIONS
    last = dict(found)
    assert last["USER"] == "twin"
    assert "/readyz" in last["HEALTHCHECK"]
    names = [name for name, _ in found]
    assert names.index("USER") < names.index("ENTRYPOINT")
    ignored = (ROOT / ".dockerignore").read_text()
    for name, rest in found:
        if name == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}\n" in ignored, source


def test_compose_starts_the_service_after_the_database() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert services["twin"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert "pg_isready" in services["database"]["healthcheck"]["test"][1]
    text = (ROOT / "compose.yaml").read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) == {"POSTGRES_PASSWORD"}  # no password stands in the file


def test_every_environment_variable_of_the_image_is_one_of_the_command() -> None:
    known = set(re.findall(r'envvar="(TWIN_\w+)"', (ROOT / "twin/cli/service.py").read_text()))
    used = set(re.findall(r"\b(TWIN_\w+)", (ROOT / "Dockerfile").read_text() + (ROOT / "compose.yaml").read_text()))
    assert used <= known
    assert known <= set(re.findall(r"TWIN_\w+", (ROOT / "docs/how-to/serve.md").read_text()))

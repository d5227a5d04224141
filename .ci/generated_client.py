"""Generates a client from the OpenAPI document, checks the types of a program that uses it, and runs the program.

Needs the extra `dev`. It takes some 10 s, so it is a step of `.ci/run` and no test.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import sleep

import uvicorn
from fastapi import FastAPI
from twin.api.app import create_app

PROGRAM = Path(__file__).parents[1] / "tests" / "data" / "generated_client.py"
PACKAGE = "twin_client"
# a file of the generator itself, the same for every service, does not pass strict checks
MYPY = f"[mypy]\nstrict = true\nincremental = false\n[mypy-{PACKAGE}.client]\nignore_errors = true\n"
KNOWN = ("PUT /v1/networks/{name}", "POST /v1/import/{format}", "POST /v1/networks/{name}/measurements")
"""Endpoints that take files beside JSON: the generator leaves out bodies of other types, and says so."""


def run(*command: str | Path, folder: Path) -> str:
    """Run a command in a folder and return its output; end this program if it fails."""
    bin_folder = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def generate(app: FastAPI, folder: Path) -> None:
    """Generate the client; a warning about anything but the bodies of files is a fault."""
    (folder / "openapi.json").write_text(json.dumps(app.openapi()), encoding="utf-8")
    command = ("openapi-python-client", "generate", "--path", "openapi.json", "--meta", "none")
    output = run(*command, "--output-path", PACKAGE, folder=folder)
    lines = output.splitlines()
    faults = [line for line in lines if line.startswith("Unable to")]
    faults += [line for line in lines if line.startswith("WARNING") and not any(name in line for name in KNOWN)]
    if faults:
        sys.exit("\n".join(["the generator could not use all of the document:", *faults]))


def serve(app: FastAPI) -> str:
    """Serve the application from a thread until this program ends; return its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    Thread(target=server.run, args=([listener],), daemon=True).start()
    while not server.started:
        sleep(0.05)
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def main() -> None:
    """Generate, check and run."""
    app = create_app(warm=False)
    with TemporaryDirectory() as name:
        folder = Path(name)
        generate(app, folder)
        shutil.copy(PROGRAM, folder)
        (folder / "mypy.ini").write_text(MYPY, encoding="utf-8")
        print(run("mypy", PACKAGE, PROGRAM.name, folder=folder), end="")
        print(run(sys.executable, PROGRAM.name, serve(app), folder=folder), end="")


if __name__ == "__main__":
    main()

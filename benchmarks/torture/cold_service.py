"""The service without a warm-up, so that it starts in seconds: `python cold_service.py PORT PROCESSES DATA`.

It compiles or loads a kernel when a question first needs it. For scripts that start it again and again.
"""

from __future__ import annotations

import sys

import uvicorn
from twin.api.app import create_app
from twin.api.settings import Settings

if __name__ == "__main__":
    port, n_processes, data = sys.argv[1:]
    app = create_app(warm=False, data=data, settings=Settings(int(n_processes)))
    uvicorn.run(app, port=int(port), log_level="warning", timeout_graceful_shutdown=5)

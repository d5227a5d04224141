"""Store: a database, networks with revisions in it, runs, backups.

>>> store = NetworkStore(open_database(None))
>>> store.page().networks
()
"""

from .backup import restore, verified_version, write_backup
from .database import Database, open_database
from .networks import NetworkStore
from .records import Condition, StoredNetwork, StoreLimits
from .run_records import Run, RunLimits
from .runs import RunStore

__all__ = [
    "Condition",
    "Database",
    "NetworkStore",
    "Run",
    "RunLimits",
    "RunStore",
    "StoreLimits",
    "StoredNetwork",
    "open_database",
    "restore",
    "verified_version",
    "write_backup",
]

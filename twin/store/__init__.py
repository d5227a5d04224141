"""Stored networks: a database, networks with revisions in it, backups.

>>> store = NetworkStore(open_database(None))
>>> store.page().networks
()
"""

from .backup import restore, write_backup
from .database import Database, open_database
from .networks import NetworkStore
from .records import Condition, StoredNetwork, StoreLimits

__all__ = [
    "Condition",
    "Database",
    "NetworkStore",
    "StoreLimits",
    "StoredNetwork",
    "open_database",
    "restore",
    "write_backup",
]

"""Real servers for tests: each in a folder of its own, stopped by its process id, gone at the end."""

from tests.servers.openbao import OpenBao, free_port, openbao
from tests.servers.postgres import Postgres, postgres

__all__ = ["OpenBao", "Postgres", "free_port", "openbao", "postgres"]

"""The user of the store that pull requests have can read, and nothing else: that is all that a plan needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from tests.cli.kit import AUTH, RSA, Shop
from tests.servers.postgres import Postgres, postgres

_numbers = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    with postgres() as running:
        yield running


def test_plan_and_drift_need_a_user_that_can_only_read(
    shop: Shop, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = next(_numbers)
    database, reader = f"tokens_{number}", f"reader_{number}"
    server.run(f"CREATE DATABASE {database}", f"CREATE ROLE {reader} LOGIN")
    shop.spec("apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: acme}\n", "workspace.yaml")
    shop.spec(RSA)
    shop.ok("keygen")
    writes, reads = server.url(database), server.url(database, reader)
    # Before there is anything: it reads as empty, and nothing is made.
    assert len(shop.ok("--store", reads, "plan", "--format", "json").json["changes"]) == 1
    shop.ok("--store", writes, "apply", "--yes")

    with psycopg.connect(
        host=str(server.socket), user="postgres", dbname=database, autocommit=True
    ) as granting:
        granting.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}".encode())
    shop.spec(AUTH, "erp.yaml")
    monkeypatch.setenv("RECONCILER_STORE", reads)
    planned = shop.ok("plan", "--format", "json").json
    assert [change["name"] for change in planned["changes"]] == ["erp"]
    shop.ok("drift")
    ran = shop.run("apply", "--yes")
    assert ran.code == 1
    assert "not foreseen" not in ran.err
    monkeypatch.setenv("RECONCILER_STORE", writes)
    assert [token["name"] for token in json.loads(shop.ok("list", "--format", "json").out)["tokens"]] == [
        "historian"
    ]

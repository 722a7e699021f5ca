"""A live store that was written to past apply is found, column by column; the columns left are listed.

The statements are made of names of the schema: nobody else has a say in them.
"""

# ruff: noqa: S608

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Column

from reconciler.audit.verifying.finding import Check
from reconciler.audit.verifying.living import NOT_COVERED
from reconciler.live import schema
from tests.apply.kit import jwt_token, login_token
from tests.audit.audited import LIFE, Audited, copied, lived, told
from tests.servers import postgres

TABLES = {"token": schema.token, "credential": schema.credential, "record": schema.record}
"""Those whose columns are changed one by one."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """A workspace with some history, signed: not to be written to."""
    return lived(tmp_path_factory.mktemp("live") / "house")


@pytest.fixture
def house(whole: Audited, tmp_path: Path) -> Audited:
    """A copy to tamper with."""
    return copied(whole, tmp_path / "house")


def run(house: Audited, *statements: str) -> None:
    """SQL, past everything that would object."""
    house.close()
    with closing(sqlite3.connect(house.root / ".reconciler" / "live.db")) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            connection.execute(statement)


def more(house: Audited) -> None:
    """Another apply."""
    house.asks(jwt_token("line", apis=("a", "b")), login_token("shop", shop="T"))
    house.applies()


def columns() -> Iterator[tuple[str, str, str]]:
    """(table, column, which rows) of all that is vouched for."""
    rows = {
        "token": ("state = 'active' AND name = 'shop'", "state = 'deleted'"),
        "credential": ("state = 'active'", "state = 'retiring'"),
        "record": (f"sequence = {LIFE}", "sequence = 2"),
    }
    for table, made in TABLES.items():
        for column in made.c:
            if f"{table}.{column.name}" not in NOT_COVERED:
                yield from ((table, column.name, where) for where in rows[table])


def changed(column: Column[object]) -> str:
    """SQL for another value of a column, of the same shape as far as that can be."""
    name = column.name
    values = {
        "grants": """'{"apis":["*"],"users":["*"]}'""",
        "state": "CASE state WHEN 'active' THEN 'disabled' ELSE 'active' END",
        "setback": """'{"count":1,"retry_at":2,"spec":"x"}'""",
        "artifact_recipients": """'["age1x"]'""",
    }
    if name in values:
        return values[name]
    return f"coalesce({name}, 0) + 100" if column.type.python_type is int else f"coalesce({name}, '') || 'x'"


def touched(house: Audited, table: str, where: str) -> set[str]:
    """What findings call the rows that are about to change: names and ids of tokens, numbers of records."""
    house.close()
    asked = f"SELECT sequence, sequence FROM record WHERE {where}"
    if table == "token":
        asked = f"SELECT id, name FROM token WHERE {where}"
    if table == "credential":
        asked = f"SELECT id, name FROM token WHERE id IN (SELECT token_id FROM credential WHERE {where})"
    with closing(sqlite3.connect(house.root / ".reconciler" / "live.db")) as connection:
        return {str(word) for row in connection.execute(asked) for word in row}


@pytest.mark.parametrize(("table", "column", "where"), list(columns()))
def test_each_column_that_is_changed_is_found(table: str, column: str, where: str, house: Audited) -> None:
    """Of live tokens, tombstones, credentials that work, and records: and what is found is named.

    A token by its name or id, a record by its number: also where the store counts others than it has.
    """
    value = changed(TABLES[table].c[column])
    if table == "credential" and column == "state":
        value = "CASE state WHEN 'active' THEN 'retiring' ELSE 'active' END"
    whose = touched(house, table, where)
    run(house, f"UPDATE {table} SET {column} = {value} WHERE {where}")
    report = house.found(live=True)
    assert report.faults
    assert all(one.check.startswith("live-") for one in report.faults)
    words = {word for one in report.faults for word in re.split(r"[ ()/:]", f"{one.where} {one.message}")}
    told_of = [f"{one.where}: {one.message}" for one in report.faults]
    assert whose & words, told_of


def test_postgresql_is_held_against_the_records_as_sqlite_is(tmp_path: Path) -> None:
    """The same history leaves nothing to find there, and a grant that was widened by hand is found."""
    with postgres() as server:
        server.run("CREATE DATABASE audited")
        house = lived(tmp_path / "house", url=server.url("audited"))
        before = house.found(live=True)
        with psycopg.connect(host=str(server.socket), user="postgres", dbname="audited") as connection:
            connection.execute(
                """UPDATE token SET grants = '{"apis":["*"],"users":["u"]}' WHERE name = 'line'"""
            )
        token = house.live()["line"]
        after = house.found(live=True)
        house.close()
    assert before.faults == []
    assert before.checked["live store"] == f"3 tokens and tombstones, {LIFE} records"
    assert told(after) == {(Check.LIVE_EDITED, f"live token line ({token.id})")}


def test_every_column_is_vouched_for_or_listed() -> None:
    """A new column has to be thought about: this fails until it is changed above, or listed with a reason."""
    for table in schema.metadata.tables.values():
        for column in table.c:
            vouched = table.name in TABLES
            listed = table.name in NOT_COVERED or f"{table.name}.{column.name}" in NOT_COVERED
            assert vouched or listed, f"{table.name}.{column.name}"


@pytest.mark.parametrize("name", ["shop", "line"])
def test_a_token_that_is_removed_is_found(name: str, house: Audited) -> None:
    """The counts are made to fit."""
    token = house.live()[name]
    run(
        house,
        f"DELETE FROM credential WHERE token_id = '{token.id}'",
        f"DELETE FROM token WHERE id = '{token.id}'",
        "UPDATE workspace SET token_count = token_count - 1",
    )
    assert told(house.found(live=True)) == {(Check.LIVE_MISSING, f"live token {name} ({token.id})")}


def test_a_tombstone_that_is_removed_is_found(house: Audited) -> None:
    """As if the token had never been."""
    (dead,) = house.store().graveyard()
    run(
        house,
        f"DELETE FROM credential WHERE token_id = '{dead.id}'",
        f"DELETE FROM token WHERE id = '{dead.id}'",
        "UPDATE workspace SET tombstone_count = tombstone_count - 1",
    )
    assert told(house.found(live=True)) == {(Check.LIVE_MISSING, f"live token {dead.name} ({dead.id})")}


def test_a_token_that_is_raised_from_the_dead_is_found(house: Audited) -> None:
    """With its credential."""
    (dead,) = house.store().graveyard()
    run(
        house,
        f"UPDATE token SET state = 'active', deleted_at = NULL, credential_count = 1 WHERE id = '{dead.id}'",
        f"UPDATE credential SET state = 'active' WHERE token_id = '{dead.id}'",
        "UPDATE workspace SET tombstone_count = tombstone_count - 1, token_count = token_count + 1",
    )
    assert {check for check, _ in told(house.found(live=True))} == {Check.LIVE_EDITED}


def test_a_token_that_nobody_issued_is_found(house: Audited) -> None:
    """Made by hand, as whole as the others."""
    names = ", ".join(column.name for column in schema.token.c if column.name not in {"id", "name"})
    halves = ", ".join(column.name for column in schema.credential.c if column.name != "token_id")
    source = house.live()["shop"].id
    run(
        house,
        f"INSERT INTO token (id, name, {names}) SELECT 'forged', 'forged', {names} FROM token"
        f" WHERE id = '{source}'",
        f"INSERT INTO credential (token_id, {halves}) SELECT 'forged', {halves} FROM credential"
        f" WHERE token_id = '{source}'",
        "UPDATE workspace SET token_count = token_count + 1",
    )
    assert told(house.found(live=True)) == {(Check.LIVE_UNEXPLAINED, "live token forged (forged)")}


def test_an_older_copy_of_the_store_is_found(house: Audited, tmp_path: Path) -> None:
    """Restored whole: records and tokens of the clone are not in it."""
    house.close()
    file = house.root / ".reconciler" / "live.db"
    shutil.copy(file, tmp_path / "older.db")
    more(house)
    house.close()
    shutil.copy(tmp_path / "older.db", file)
    found = {check for check, _ in told(house.found(live=True))}
    assert {Check.LIVE_BEHIND, Check.LIVE_EDITED} <= found


def test_a_token_out_of_an_older_copy_is_found(house: Audited, tmp_path: Path) -> None:
    """One row is put back to what it was before its grants were narrowed."""
    with closing(sqlite3.connect(house.root / ".reconciler" / "live.db")) as connection:
        (declared,) = connection.execute("SELECT grants FROM token WHERE name = 'line'").fetchone()
    assert json.loads(declared)["apis"] == ["b"]
    run(house, """UPDATE token SET grants = '{"apis":["a","b"],"users":["u"]}' WHERE name = 'line'""")
    token = house.live()["line"]
    assert told(house.found(live=True)) == {(Check.LIVE_EDITED, f"live token line ({token.id})")}


def test_the_last_record_removed_from_the_store_is_found(house: Audited) -> None:
    """The clone has it."""
    run(
        house,
        f"DELETE FROM record WHERE sequence = {LIFE}",
        "UPDATE workspace SET record_count = record_count - 1",
    )
    last = house.records()[-1].relative_to(house.root).as_posix()
    assert (Check.LIVE_BEHIND, last) in told(house.found(live=True))


def test_a_store_that_is_ahead_is_a_note(house: Audited) -> None:
    """What apply published is not pulled yet: the tokens are held against the records of the store."""
    more(house)
    house.close()
    house.repo.git("reset", "--quiet", "--hard", "HEAD~1")
    report = house.found(live=True)
    assert report.faults == []
    assert Check.LIVE_AHEAD in {one.check for one in report.notes}
    assert any("only the live store has" in one for one in report.unchecked)


def test_a_record_that_only_the_store_has_must_be_signed_too(house: Audited) -> None:
    """Else whoever writes to the store could explain what he wrote."""
    own, before = house.signer, house.repo.git("rev-parse", "HEAD")
    assert own is not None
    house.signer, house.settings = None, {}
    more(house)
    house.close()
    house.repo.git("reset", "--quiet", "--hard", before)
    assert Check.RECORD_UNSIGNED in {check for check, _ in told(house.found(live=True, keys=[own.line]))}


def test_a_store_that_cannot_be_read_is_a_fault(house: Audited) -> None:
    """It is not taken for an empty one."""
    house.close()
    (house.root / ".reconciler" / "live.db").write_bytes(b"no database")
    report = house.found(live=True)
    assert (Check.LIVE_UNREADABLE, "live store") in told(report)
    assert any("whole line was rewritten" in one for one in report.unchecked)
    anchored = house.found(live=True, anchors=[report.head])
    assert not any("whole line was rewritten" in one for one in anchored.unchecked)


def test_what_the_counts_give_away_is_named(house: Audited) -> None:
    """A row is removed, one is broken, and a tombstone rises, past every count: each is told as well."""
    shop, line = house.live()["shop"], house.live()["line"]
    (dead,) = house.store().graveyard()
    run(
        house,
        f"DELETE FROM token WHERE id = '{shop.id}'",
        f"UPDATE token SET grants = '{{' WHERE id = '{line.id}'",
        f"UPDATE token SET state = 'active', deleted_at = NULL WHERE id = '{dead.id}'",
    )
    report = house.found(live=True)
    assert told(report) == {
        (Check.LIVE_UNREADABLE, "live store"),
        (Check.LIVE_MISSING, f"live token shop ({shop.id})"),
        (Check.LIVE_UNREADABLE, f"live token line ({line.id})"),
        (Check.LIVE_EDITED, f"live token {dead.name} ({dead.id})"),
    }
    assert any("live tokens that no record tells of" in one for one in report.unchecked)


def test_an_apply_that_only_the_store_knows_is_no_edit_where_counts_do_not_fit(house: Audited) -> None:
    """What its own records tell of is taken as in a read that is whole."""
    more(house)
    house.close()
    house.repo.git("reset", "--quiet", "--hard", "HEAD~1")
    shop = house.live()["shop"]
    run(house, f"DELETE FROM token WHERE id = '{shop.id}'")
    found = told(house.found(live=True))
    assert found == {
        (Check.LIVE_UNREADABLE, "live store"),
        (Check.LIVE_MISSING, f"live token shop ({shop.id})"),
    }


def test_a_store_that_is_not_there_is_one_finding(house: Audited) -> None:
    """A fresh clone has none: nobody tampered with it, and nothing is said of its tokens."""
    house.close()
    (house.root / ".reconciler" / "live.db").unlink()
    (found,) = house.found(live=True).faults
    assert (found.check, found.where) == (Check.LIVE_UNREADABLE, "live store")
    assert found.message == "there is none at sqlite:.reconciler/live.db"
    assert "--store" in found.hint


def test_before_the_first_apply_no_store_is_missed(tmp_path: Path) -> None:
    """It is told as not checked."""
    house = Audited(tmp_path / "house", f"sqlite:///{tmp_path}/house/.reconciler/live.db")
    house.asks(jwt_token("one"))
    report = house.found(live=True)
    assert report.faults == []
    assert "live store" not in report.checked
    assert any("there is none at" in one for one in report.unchecked)


def test_a_number_that_no_record_can_hold_is_an_edit(house: Audited) -> None:
    """The digest of JSON ends at 2 to the power of 53, and the store does not."""
    token = house.live()["shop"]
    run(house, f"UPDATE credential SET not_before = {2**63 - 1} WHERE token_id = '{token.id}'")
    assert told(house.found(live=True)) == {(Check.LIVE_EDITED, f"live token shop ({token.id})")}

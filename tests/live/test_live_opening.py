"""Opening: making a store, reading one that is not there, versions, URLs, and what is refused."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from reconciler.errors import SettingsError, StoreError, StoreNewer, StoreUnreadable
from reconciler.live import making, schema
from reconciler.live.interface import Batch, Lease, Workspace
from reconciler.live.opening import open_store
from tests.live.hands import edit, look
from tests.live.values import (
    NOW,
    Opener,
    credential,
    deleted,
    everything,
    intent,
    put,
    record,
    run,
    token,
    write,
)
from tests.servers import Postgres

PASSWORD = "hunter2-sesame"
RIGHT = "opensesame"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_private(tmp_path: Path, opener: Opener) -> None:
    """0600 in a folder of 0700 that git ignores; the files beside it too; nothing is left over."""
    store = opener(f"sqlite:///{tmp_path}/deep/er/live.db")
    put(store, token("a"))
    folder = tmp_path / "deep" / "er"
    assert mode(folder) == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"
    assert {path.name: mode(path) for path in folder.glob("live*")} == {
        "live.db": 0o600,
        "live.db-shm": 0o600,
        "live.db-wal": 0o600,
    }


def test_a_folder_that_was_there_stays_as_it_was(tmp_path: Path, opener: Opener) -> None:
    """No .gitignore in somebody else's folder."""
    opener(f"sqlite:///{tmp_path}/live.db").close()
    assert [path.name for path in tmp_path.iterdir()] == ["live.db"]


def test_a_relative_file(tmp_path: Path, opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default URL names a file under the current folder; odd characters are no trouble."""
    monkeypatch.chdir(tmp_path)
    store = opener("sqlite:///.recon%20 c#iler/live.db")
    put(store, token("a"))
    assert [path.name for path in tmp_path.glob("*/live.db")] == ["live.db"]


def test_each_store_has_an_id_of_its_own(new_url: str, tmp_path: Path, opener: Opener) -> None:
    """Made once, kept for good."""
    first = opener(new_url).state().store_id
    assert len(first) == 32
    assert opener(new_url).state().store_id == first
    assert opener(f"sqlite:///{tmp_path}/other.db").state().store_id != first


def test_reading_a_store_that_is_not_there(new_url: str, tmp_path: Path, opener: Opener) -> None:
    """It is empty at revision 0, and nothing is made: no file, no folder, no table."""
    store = opener(new_url, create=False)
    assert store.state() == Workspace("", 0)
    assert (list(store.tokens()), list(store.intents()), list(store.records())) == ([], [], [])
    assert (store.token("a"), store.tombstones("a")) == (None, ())
    lease = Lease("acme", "x", "run", 1, NOW, NOW)
    store.release(lease)
    for writing in (
        lambda: store.acquire("x", "run", NOW, 300),
        lambda: store.renew(lease, NOW, 300),
        lambda: store.commit(lease, Batch()),
    ):
        with pytest.raises(StoreError, match="does not exist yet"):
            writing()
    assert list(tmp_path.iterdir()) == []
    if new_url.startswith("postgresql"):
        assert look(new_url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []


def test_reading_a_store_that_is_there(url: str, opener: Opener) -> None:
    """`create=False` reads what there is."""
    put(opener(url), token("a"))
    assert opener(url, create=False).token("a") is not None


def test_a_store_names_its_workspaces_and_nothing_else_of_them(new_url: str, opener: Opener) -> None:
    for name in ("umbrella", "acme"):
        put(opener(new_url, name), token(name, name))
    store = opener(new_url, "third", create=False)
    assert tuple(store.workspaces()) == ("acme", "umbrella")
    assert list(store.tokens()) == []


def test_migrations_build_what_the_schema_says(new_url: str, opener: Opener) -> None:
    """Alembic finds no difference between an upgraded empty database and `schema.metadata`."""
    opener(new_url).close()
    engine = create_engine(new_url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == schema.HEAD


def test_every_migration_is_known() -> None:
    """`VERSIONS` lists what is in the folder, in order, so that opening need not load Alembic."""
    config = Config()
    config.set_main_option("script_location", "reconciler.live:migrations")
    scripts = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(scripts)) == schema.VERSIONS


def test_a_newer_store(url: str, opener: Opener) -> None:
    """A version that this tool does not know is refused, for reading too."""
    edit(url, "UPDATE alembic_version SET version_num = '0999'")
    for create in (True, False):
        with pytest.raises(StoreNewer, match="newer version of this tool") as raised:
            opener(url, create=create)
        assert "0999" in str(raised.value)
        assert raised.value.hint


def back_to_0004(url: str) -> None:
    edit(url, "DROP INDEX token_changed", "DROP TABLE used_assertion", "DROP TABLE history")
    edit(url, "ALTER TABLE workspace DROP COLUMN approval")
    edit(url, "DROP INDEX run_ended")
    edit(url, "ALTER TABLE run DROP COLUMN released")
    edit(url, "ALTER TABLE run DROP COLUMN reason")
    edit(url, "ALTER TABLE run DROP COLUMN stopped")
    edit(url, "UPDATE alembic_version SET version_num = '0004'")


def test_an_older_store(url: str, opener: Opener) -> None:
    """It is brought up to date by whoever writes, and loses nothing; a reader is told."""
    before = opener(url)
    put(before, token("a"), token("b"))
    put(before, deleted("b"))
    (stored,), (dead,) = before.tokens(), before.graveyard()
    before.close()
    back_to_0004(url)
    for column in ("artifact_contents", "artifact_recipients", "last_generation", "setback"):
        edit(url, f"ALTER TABLE token DROP COLUMN {column}")
    edit(url, "ALTER TABLE run DROP COLUMN overrides")
    edit(url, "ALTER TABLE intent DROP COLUMN failed")
    edit(url, "ALTER TABLE workspace DROP COLUMN tombstone_count")
    edit(url, "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(StoreError, match="older version") as raised:
        opener(url, create=False)
    assert "apply" in raised.value.hint
    assert list(opener(url).tokens()) == [stored]
    assert list(opener(url).graveyard()) == [dead]
    assert look(url, "SELECT version_num FROM alembic_version") == [(schema.HEAD,)]


def test_a_store_of_before_verifiers(url: str, opener: Opener) -> None:
    """From 0004: it keeps all that is in it, and then tells what changed and remembers what was used."""
    before = opener(url)
    put(before, token("a"), token("b"), token("c", credentials=(credential(2), credential())))
    put(before, deleted("b"))
    told_less = replace(run(), released=(), reason=None)
    write(before, Batch(begin=told_less, journal=[intent(0, token("x")), intent(1, None)], record=record(1)))
    kept = everything(before)
    before.close()
    back_to_0004(url)
    with pytest.raises(StoreError, match="older version"):
        opener(url, create=False)
    after = opener(url)
    assert everything(after) == kept
    assert [one.name for one in after.since(1).tokens] == ["b"]
    assert after.first_use("sha256:1", NOW + 60, NOW)


def test_a_store_without_a_version(url: str, opener: Opener) -> None:
    """Nobody can tell what is in it."""
    edit(url, "DELETE FROM alembic_version")
    with pytest.raises(StoreUnreadable, match="of which version"):
        opener(url)


def test_missing_tables(url: str, opener: Opener) -> None:
    """A store that lost a table is damaged, and not empty."""
    store = opener(url)
    put(store, token("a"))
    edit(url, "DROP TABLE credential")
    with pytest.raises(StoreUnreadable) as raised:
        list(store.tokens())
    assert "backup" in raised.value.hint


def test_opening_needs_no_alembic(url: str) -> None:
    """A store that is up to date is opened without the 0.4 s that loading Alembic takes."""
    code = (
        "import sys; from reconciler.live.opening import open_store;"
        " open_store(sys.argv[1], 'acme').close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"mysql://u:{PASSWORD}@host/db", "of the make"),
        (f"postgres//u:{PASSWORD}@host/db", "not a URL"),
        (f"postgresql://u:{PASSWORD}@host:port/db", "not a URL"),
        (f"postgresql://u:p@{PASSWORD}@host/db", "an @ too many"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://host/live.db", "names no file"),
        ("sqlite:///live.db?mode=ro", "takes no options"),
    ],
)
def test_urls_that_name_no_store(url: str, says: str) -> None:
    """A SettingsError that helps, and never quotes a password."""
    with pytest.raises(SettingsError, match=says) as raised:
        open_store(url, "acme")
    assert raised.value.hint
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))


def test_without_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL without psycopg says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingsError, match="not installed") as raised:
        open_store("postgresql://localhost/db", "acme")
    assert "reconciler[postgres]" in raised.value.hint


@pytest.mark.parametrize(
    "form", ["postgresql://guarded:{}@/made?host={}", "postgresql://guarded@/made?password={}&host={}"]
)
def test_a_wrong_password(server: Postgres, form: str) -> None:
    """The error says what to correct and shows the password nowhere, not in a traceback either."""
    with pytest.raises(StoreUnreadable, match="password authentication failed") as raised:
        open_store(form.format(PASSWORD, server.socket), "acme")
    assert "PGPASSWORD" in raised.value.hint
    assert PASSWORD not in "".join(traceback.format_exception(raised.value)) + repr(raised.value)


@pytest.mark.parametrize(
    "form", ["postgres://guarded:{}@/made?host={}", "postgresql://guarded@/made?password={}&host={}"]
)
def test_the_right_password_is_not_shown_either(server: Postgres, opener: Opener, form: str) -> None:
    """It opens the store, and is neither in `url` nor in `repr` nor in an error."""
    store = opener(form.format(RIGHT, server.socket), create=False)
    assert store.state().revision == 0
    assert "guarded" in store.url
    with pytest.raises(StoreUnreadable, match="permission denied") as raised:
        put(store, token("a"))
    assert "may read and write" in raised.value.hint
    shown = "".join(traceback.format_exception(raised.value))
    assert RIGHT not in shown + store.url + repr(store) + repr(raised.value)


@pytest.mark.parametrize("place", ["/db?host={}/nowhere", "127.0.0.1:1/db?connect_timeout=5"])
def test_no_server(tmp_path: Path, place: str) -> None:
    """An unreachable server says where to look."""
    with pytest.raises(StoreUnreadable, match="cannot be used") as raised:
        open_store(f"postgresql://u:{PASSWORD}@" + place.format(tmp_path), "acme")
    assert "server runs" in raised.value.hint
    assert PASSWORD not in str(raised.value)


def test_no_database(server: Postgres) -> None:
    """One that is not there has to be made by whoever runs the server."""
    with pytest.raises(StoreUnreadable, match="does not exist") as raised:
        open_store(server.url("nothing"), "acme")
    assert "make the database" in raised.value.hint


def test_a_place_that_cannot_be(tmp_path: Path) -> None:
    """A file where a folder must be, and a folder where the file must be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnreadable, match="cannot be made") as raised:
        open_store(f"sqlite:///{tmp_path}/file/live.db", "acme")
    assert "another place" in raised.value.hint
    with pytest.raises(StoreUnreadable, match="unable to open") as raised:
        open_store(f"sqlite:///{tmp_path}", "acme")
    assert "may read and write" in raised.value.hint


def test_a_folder_that_may_not_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a store is there cannot be told, so it is not taken for missing."""

    def refuse(self: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(StoreUnreadable, match="Permission denied"):
        open_store(f"sqlite:///{tmp_path}/live.db", "acme", create=False)


def test_making_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that was half made never shows under its name."""

    def fail(connection: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(making, "_migrate", fail)
    with pytest.raises(StoreUnreadable, match="No space left"):
        open_store(f"sqlite:///{tmp_path}/live.db", "acme")
    assert list(tmp_path.iterdir()) == []


def test_another_process_was_faster(
    tmp_path: Path, made_file: Path, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that appears while one is being made is the one that is used."""
    link = os.link

    def late(source: Path, target: Path) -> None:
        link(made_file, target)
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    store = opener(f"sqlite:///{tmp_path}/live.db")
    assert store.state().store_id == opener(f"sqlite:///{made_file}").state().store_id


def test_repr_and_url(url: str, opener: Opener) -> None:
    """They show where the store is."""
    store = opener(url)
    assert store.url in repr(store)
    assert "acme" in repr(store)

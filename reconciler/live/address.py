"""Where a store is: a URL that was understood, and how to show it without its password."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from reconciler.errors import SettingsError

DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
FORMS = "write sqlite:///FOLDER/live.db, or postgresql://USER@HOST/DATABASE"
SECRET_OPTIONS = frozenset({"password", "sslpassword", "oauth_client_secret"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is."""

    url: URL
    """With the driver, and with any password."""
    shown: str
    """Without any password."""
    file: Path | None = None
    """Of a SQLite store."""


def parse(text: str) -> Address:
    """The address that a store URL names. Raises SettingsError, which never quotes the URL."""
    url = _split(text)
    driver = DRIVERS.get(url.drivername)
    if driver is None:
        raise SettingsError(f'a live store cannot be of the make "{url.drivername}"', hint=FORMS)
    if driver.startswith("sqlite"):
        return _file(url)
    if any("@" in part for part in (url.host or "", url.username or "", url.database or "")):
        raise SettingsError(
            "the URL of the live store has an @ too many",
            hint="write an @ in the password as %40, or leave the password out and set PGPASSWORD",
        )
    return Address(url.set(drivername=driver), _shown(url))


def _split(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        # What was raised quotes the URL, and that may hold a password.
        raise SettingsError("the URL of the live store is not a URL", hint=FORMS) from None


def _file(url: URL) -> Address:
    if not url.database or url.database == ":memory:" or url.host:
        raise SettingsError("the URL of the live store names no file", hint=FORMS)
    if url.query:
        raise SettingsError("the URL of a SQLite store takes no options", hint="drop the part from ? on")
    return Address(url, url.render_as_string(), Path(url.database))


def _shown(url: URL) -> str:
    masked = {key: "***" for key in url.query if key in SECRET_OPTIONS}
    return url.update_query_dict(masked).render_as_string(hide_password=True)

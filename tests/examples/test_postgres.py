"""The Postgres of the tests changes nothing on the machine."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.examples.postgres import run_postgres

pytestmark = pytest.mark.slow


def test_postgres_changes_nothing_outside_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Postgres runs without `useradd`, creates no user, changes no permissions, and removes its folder."""
    monkeypatch.setenv("PATH", str(tmp_path))
    accounts = Path("/etc/passwd").read_bytes()
    modes = {parent: parent.stat().st_mode for parent in (*tmp_path.parents, *Path(psycopg.__file__).parents)}

    with run_postgres(password="any") as url, psycopg.connect(url) as connection:
        folder = Path(connection.info.host)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert Path("/etc/passwd").read_bytes() == accounts
        assert {parent: parent.stat().st_mode for parent in modes} == modes

    assert not folder.exists()

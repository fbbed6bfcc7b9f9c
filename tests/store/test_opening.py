from __future__ import annotations

import multiprocessing
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from stillfit.clock import FakeClock
from stillfit.errors import StoreError
from stillfit.store import migrate, schema
from stillfit.store.store import Store
from tests.store.builders import BALLAST, advice, batch, series


def opened(url: str, *, exclusive: bool = True) -> Store:
    return Store.open(url, clock=FakeClock(), exclusive=exclusive, ballast_bytes=BALLAST)


def test_what_was_written_is_there_after_a_restart(url: str) -> None:
    first = opened(url)
    first.write(batch(series({-1: 1.0}, [(-1, 0)])))
    first.commit([advice()], epoch=None)
    first.close()

    second = opened(url)

    assert (second.advice(), len(second.subjects())) == ((advice(),), 1)
    second.close()


def test_the_migrations_build_the_schema_that_the_code_uses(url: str) -> None:
    store = opened(url)
    groups = [(store._state, [schema.STATE]), (store._samples, [schema.HISTORY])]
    if store._state is store._samples:
        groups = [(store._state, [schema.STATE, schema.HISTORY])]

    for database, metadata in groups:
        with database.read() as connection:
            context = MigrationContext.configure(connection)
            assert compare_metadata(context, metadata) == []  # type: ignore[arg-type]  # a list is taken as well
    store.close()


def test_the_newest_revisions_are_those_of_the_scripts() -> None:
    scripts = ScriptDirectory.from_config(migrate._config())

    assert set(scripts.get_heads()) == set(migrate.HEADS.values())


def test_a_store_of_the_version_before_gets_what_it_lacks(url: str) -> None:
    store = opened(url)
    with store._state.write() as connection:
        connection.execute(sa.text("DROP TABLE spending"))
        connection.execute(
            sa.text("UPDATE alembic_version SET version_num = '0001_state' WHERE version_num = '0002_state'")
        )
    store.close()

    with closing(opened(url)) as migrated:
        assert migrated.spending.spent("2026-11") == {}


def test_a_store_of_a_newer_program_is_refused(url: str) -> None:
    store = opened(url)
    with store._state.write() as connection:
        connection.execute(
            sa.text("UPDATE alembic_version SET version_num = '0099_state' WHERE version_num = '0002_state'")
        )
    store.close()

    with pytest.raises(StoreError, match=r"made by a newer stillfit \(schema 0099_state\)"):
        opened(url)


def test_a_second_daemon_is_refused_and_a_command_may_join(sqlite_store: Store, sqlite_path: Path) -> None:
    with pytest.raises(StoreError, match=r"in use by another stillfit \(process \d+\)"):
        opened(f"sqlite:///{sqlite_path}")

    command = opened(f"sqlite:///{sqlite_path}", exclusive=False)
    command.commit([advice()], epoch=None)
    command.close()
    assert sqlite_store.advice() == (advice(),)


def test_a_closed_store_can_be_opened_again(sqlite_path: Path) -> None:
    for _ in range(2):
        opened(f"sqlite:///{sqlite_path}").close()


def test_a_command_does_not_make_a_store(sqlite_path: Path) -> None:
    with pytest.raises(StoreError, match="there is none at"):
        opened(f"sqlite:///{sqlite_path}", exclusive=False)

    assert not sqlite_path.parent.exists()


def test_files_are_for_their_owner_only(sqlite_store: Store, sqlite_path: Path) -> None:
    sqlite_store.write(batch(series({-1: 1.0}, [(-1, 0)])))

    assert stat.S_IMODE(sqlite_path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in sqlite_path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize("name", ["stillfit.db", "stillfit-history.db"])
@pytest.mark.parametrize("damage", ["pages", "noise"])
def test_a_damaged_file_is_refused_and_left_alone(sqlite_path: Path, name: str, damage: str) -> None:
    opened(f"sqlite:///{sqlite_path}").close()
    victim = sqlite_path.with_name(name)
    content = bytearray(victim.read_bytes())
    content[4096 if damage == "pages" else 0 :] = b"\xa5" * len(content[4096 if damage == "pages" else 0 :])
    victim.write_bytes(content)

    with pytest.raises(StoreError, match="is damaged"):
        opened(f"sqlite:///{sqlite_path}")

    assert victim.read_bytes() == bytes(content)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no url", "cannot be read"),
        ("mysql://host/db", "mysql://host/db is not supported"),
        ("sqlite://", "is not supported"),
        ("sqlite:////proc/nowhere/stillfit.db", "cannot be made"),
    ],
)
def test_a_store_that_cannot_be_is_refused_with_what_to_write(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as refused:
        opened(url)

    assert not refused.value.retryable


def test_an_unreachable_postgresql_is_a_sentence_without_the_password() -> None:
    with pytest.raises(StoreError, match="tried again") as refused:
        opened("postgresql://user:hunter2@127.0.0.1:1/db")

    assert refused.value.retryable
    assert "hunter2" not in str(refused.value)


def test_an_older_store_is_copied_before_it_is_migrated(sqlite_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(f"sqlite:///{sqlite_path}").close()
    monkeypatch.setitem(migrate.HEADS, "state", "0003_state")
    monkeypatch.setattr(
        migrate, "_upgrade", lambda connection, branches: connection.execute(sa.text("DROP TABLE advice"))
    )

    opened(f"sqlite:///{sqlite_path}").close()

    with closing(sqlite3.connect(sqlite_path.with_name("stillfit.db.before-0002_state"))) as copy:
        assert copy.execute("SELECT count(*) FROM advice").fetchone() == (0,)


def test_a_command_refuses_a_store_that_is_not_migrated(sqlite_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(f"sqlite:///{sqlite_path}").close()
    monkeypatch.setitem(migrate.HEADS, "state", "0003_state")

    with pytest.raises(StoreError, match="older schema"):
        opened(f"sqlite:///{sqlite_path}", exclusive=False)


def test_a_migration_that_fails_leaves_the_old_schema(sqlite_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_halfway(connection: sa.Connection, branches: tuple[str, ...]) -> None:
        connection.execute(sa.text("DROP TABLE advice"))
        connection.execute(sa.text("DROP TABLE no_such_table"))

    opened(f"sqlite:///{sqlite_path}").close()
    with monkeypatch.context() as patched:
        patched.setitem(migrate.HEADS, "state", "0003_state")
        patched.setattr(migrate, "_upgrade", fail_halfway)
        with pytest.raises(StoreError, match="no such table"):
            opened(f"sqlite:///{sqlite_path}")

    store = opened(f"sqlite:///{sqlite_path}")
    assert store.advice() == ()
    store.close()


@pytest.mark.server("postgresql")
def test_two_replicas_that_start_together_migrate_once(postgresql_url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_open_and_close, [postgresql_url] * 2) == [True, True]


def _open_and_close(url: str) -> bool:
    opened(url).close()
    return True

"""Keys become tags that are stable, keyed and bare wherever a chat might read them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from stillfit.keyfile import kept_secret
from stillfit.redaction import LONGEST_SHOWN, Redaction, hidden

OURS = Redaction(lambda: b"secret of this installation")
SHOWING = Redaction(OURS.secret, show=True)
HOSTILE = ("ann@example.com", "", "4111 1111 1111 1111", "⟨⟩", "a⟩b\n\u202ec", "\udc80", "k" * 2_048, "key#3fa9c1")


@pytest.mark.parametrize("key", HOSTILE)
def test_a_tag_says_nothing_of_the_key(key: str) -> None:
    assert re.fullmatch(r"key#[0-9a-f]{6}", OURS.partition_key(key))
    assert re.fullmatch(r"key#[0-9a-f]{6}/sort#[0-9a-f]{6}", OURS.item(key, key))


def test_the_same_key_has_the_same_tag_and_an_item_begins_with_its_partition_key() -> None:
    again = Redaction(lambda: b"secret of this installation")

    assert again.partition_key("ann") == OURS.partition_key("ann") != OURS.partition_key("bob")
    assert OURS.item("ann", "2026").startswith(f"{OURS.partition_key('ann')}/")


def test_another_installation_has_other_tags() -> None:
    assert Redaction(lambda: b"another").partition_key("ann") != OURS.partition_key("ann")


def test_a_sort_key_does_not_show_that_it_equals_a_partition_key() -> None:
    partition, sort = OURS.item("ann", "ann").split("/")

    assert partition.removeprefix("key#") != sort.removeprefix("sort#")


@pytest.mark.parametrize("key", HOSTILE)
def test_what_is_shown_can_be_hidden_again(key: str) -> None:
    shown = SHOWING.item(key, key)

    assert hidden(f"{shown} and {SHOWING.partition_key(key)}") == f"{OURS.item(key, key)} and {OURS.partition_key(key)}"
    assert shown.isprintable()


def test_a_key_is_shown_up_to_a_limit() -> None:
    assert SHOWING.partition_key("ann") == f"{OURS.partition_key('ann')}⟨ann⟩"
    assert len(SHOWING.partition_key("k" * 2_048)) == len("key#123456⟨⟩") + LONGEST_SHOWN


def test_the_secret_is_never_printed() -> None:
    assert "secret of" not in repr(OURS)


def test_the_file_is_made_once_for_its_owner_only_and_read_ever_after(tmp_path: Path) -> None:
    path = tmp_path / "stillfit.key"
    first, second = kept_secret(path)(), kept_secret(path)()

    assert first == second
    assert len(first) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["stillfit.key"]


def test_nothing_is_read_or_made_before_the_first_key(tmp_path: Path) -> None:
    kept_secret(tmp_path / "stillfit.key")

    assert not (tmp_path / "stillfit.key").exists()


@pytest.mark.parametrize("content", [b"", b"short\n"], ids=["empty", "too short"])
def test_a_file_without_a_secret_is_told_once_and_not_used(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "stillfit.key"
    path.write_bytes(content)
    secret = kept_secret(path)
    with capture_logs() as logs:
        assert secret() == secret() != content

    assert [line["event"] for line in logs] == ["secret of the installation not kept"]
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_costs_stability_and_nothing_else(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert len(kept_secret(tmp_path / "none" / "stillfit.key")()) >= 16

    assert logs[0]["why"] == "No such file or directory"

"""Chromium itself: a page becomes a picture, after its scripts have run."""

import struct
from pathlib import Path

import pytest

from tests.servers.chromium import rendered, screenshot

PAGE = "<!doctype html><p id=said>before</p><script>said.textContent = 'af' + 'ter'</script>"


@pytest.fixture
def url(tmp_path: Path) -> str:
    page = tmp_path / "page.html"
    page.write_text(PAGE)
    return page.as_uri()


@pytest.mark.server("chromium")
def test_a_picture_has_the_size_that_was_asked_for(url: str, tmp_path: Path) -> None:
    png = screenshot(url, tmp_path / "page.png", width=640, height=480).read_bytes()

    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (640, 480)


@pytest.mark.server("chromium")
def test_the_page_is_read_after_its_scripts(url: str) -> None:
    assert "after" in rendered(url)

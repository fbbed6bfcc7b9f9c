"""Pages are as the code says, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.cli.pages import DOCS, PAGES

ROOT = DOCS.parent
MARKDOWN = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_written_from_the_code_is_current(page: str) -> None:
    assert (DOCS / page).read_text() == PAGES[page](), "run python -m tests.cli.pages"


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", page.read_text())

    assert not [link for link in links if not (page.parent / link).exists()]

"""What `stillfit demo` prints first: nothing before it is worth a screen, and something in the end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stillfit.cli.demo import BEHIND, PATIENCE, _Screen
from stillfit.export.view import View
from tests.export.fleet import AWS, VIEW


def as_far_as(behind: timedelta) -> View:
    return replace(VIEW, sources=(replace(AWS, covered_until=VIEW.at - behind),))


@pytest.mark.parametrize(
    ("behind", "pictures", "printed"),
    [
        (BEHIND, 1, True),
        (BEHIND + timedelta(seconds=1), 1, False),
        (BEHIND + timedelta(seconds=1), PATIENCE - 1, False),
        (BEHIND + timedelta(seconds=1), PATIENCE, True),
    ],
    ids=["up to now", "behind", "still behind", "for too long"],
)
def test_the_first_screen_waits_for_data_up_to_now(
    behind: timedelta, pictures: int, printed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = _Screen(whole=False)
    for _ in range(pictures):
        screen(as_far_as(behind))

    assert ("first look taken" in capsys.readouterr().out) is printed

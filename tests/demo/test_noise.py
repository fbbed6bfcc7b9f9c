"""Randomness that depends on seed, stream and minute alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stillfit.demo.noise import jitter, uniform

MINUTES = 60 * np.arange(29_000_000, 29_010_000, dtype=np.int64)


@given(first=st.integers(0, 9_000), length=st.integers(1, 900), seed=st.integers(0, 2**31))
def test_any_window_in_any_order_gives_the_same_values(first: int, length: int, seed: int) -> None:
    window = slice(first, first + length)

    assert np.array_equal(jitter(MINUTES[window], "a", seed, 0.1), jitter(MINUTES, "a", seed, 0.1)[window])


def test_all_seconds_of_a_minute_share_its_value() -> None:
    assert uniform(MINUTES + 59, "a", 7).tolist() == uniform(MINUTES, "a", 7).tolist()


def test_values_are_spread_evenly_over_zero_to_one() -> None:
    shares, _ = np.histogram(uniform(MINUTES, "a", 7), bins=10, range=(0.0, 1.0))

    assert shares.sum() == len(MINUTES)
    assert shares.min() > 0.9 * len(MINUTES) / 10


def test_streams_and_seeds_have_nothing_to_do_with_each_other() -> None:
    rows = [uniform(MINUTES, stream, seed) for stream, seed in (("a", 7), ("b", 7), ("a", 8))]

    assert np.abs(np.corrcoef(rows) - np.eye(3)).max() < 0.05


def test_jitter_keeps_the_mean_and_deviates_by_about_its_size() -> None:
    factors = jitter(MINUTES, "a", 7, 0.1)

    assert abs(factors.mean() - 1.0) < 0.005
    assert 0.08 < factors.std() < 0.12

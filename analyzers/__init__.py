"""Detectors: what hurts, and why. Pure: the same case gives the same answer.

A new one is a module here, its page in docs/analyzers/, its cases in tests/cases/ and a line in ANALYZERS. A module
whose name begins with an underscore is part of the detector that imports it.
"""

from analyzers import (
    cassandra_monitoring_load,
    cassandra_tombstones,
    cost_drift,
    dynamodb_index_key,
    dynamodb_throttling,
    dynamodb_unused,
)
from stillfit.case import Analyzer

ANALYZERS: tuple[Analyzer, ...] = (
    dynamodb_throttling.ANALYZER,
    dynamodb_index_key.ANALYZER,
    dynamodb_unused.ANALYZER,
    cassandra_tombstones.ANALYZER,
    cassandra_monitoring_load.ANALYZER,
    cost_drift.ANALYZER,
)

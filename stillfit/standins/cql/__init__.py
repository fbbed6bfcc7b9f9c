"""A strict CQL server for demo, tests and benchmarks: many nodes, typed virtual tables, faults on demand."""

from stillfit.standins.cql.catalogue import Column
from stillfit.standins.cql.faults import Fault, FaultKind
from stillfit.standins.cql.server import Asked, CqlStandin
from stillfit.standins.cql.world import Family, Keyspace, Node, Role, Row, StillWorld, Table, World

__all__ = [
    "Asked",
    "Column",
    "CqlStandin",
    "Family",
    "Fault",
    "FaultKind",
    "Keyspace",
    "Node",
    "Role",
    "Row",
    "StillWorld",
    "Table",
    "World",
]

"""How long a node may take: for each question, for all of them, and how often it may be late."""

from collections.abc import Sequence

from collector.cassandra import system_tables
from collector.cassandra.connection import Peer, Row
from collector.cassandra.failures import QueryError
from collector.cassandra.visit import Answers, Errand, Patience, visit
from stillfit.model import Engine, GapReason, Subject

PATIENCE = Patience(query_s=2.0, deadline_s=5.0, timeouts=2)
LOCAL = {"release_version": "5.0.9", "gossip_generation": 1, "schema_version": "v"}
FEATURES = {system_tables.LOCAL, system_tables.VIRTUAL_COLUMNS, system_tables.STORED_COLUMNS}


class LateNode:
    """Takes `took_s` for each question, `slow_s` for those that come last; times out where it may not take as long."""

    def __init__(self, took_s: float, slow_s: float = 0.0) -> None:
        self._took_s, self._slow_s = took_s, slow_s
        self.now = 0.0
        self.allowed: list[float] = []

    def peers(self) -> tuple[Peer, ...]:
        return ()

    def query(self, peer: Peer, statement: str, timeout_s: float) -> Sequence[Row]:
        took_s = self._took_s if statement in FEATURES else self._slow_s
        self.allowed.append(timeout_s)
        self.now += min(took_s, timeout_s)
        if took_s > timeout_s:
            raise QueryError(GapReason.TIMEOUT, "did not answer in time")
        return [LOCAL] if statement == system_tables.LOCAL else []

    def close(self) -> None: ...


def visited(node: LateNode) -> Answers:
    peer = Peer(name="a", datacenter="dc1", rack="r1")
    subject = Subject(engine=Engine.CASSANDRA, scope=("prod", ""), node="a")
    return visit(node, Errand(peer=peer, subject=subject, source="cassandra/prod", patience=PATIENCE), lambda: node.now)


def test_a_question_may_take_its_time_and_no_more_than_is_left_of_the_whole() -> None:
    node = LateNode(took_s=1.5)
    visited(node)

    assert node.allowed[:4] == [2.0, 2.0, 2.0, 0.5]


def test_after_the_whole_time_nothing_more_is_asked() -> None:
    node = LateNode(took_s=1.0, slow_s=1.0)
    answers = visited(node)

    assert len(node.allowed) == 5
    assert {gap.reason for gap in answers.gaps} >= {GapReason.TIMEOUT}


def test_a_node_twice_late_is_asked_no_third_time() -> None:
    node = LateNode(took_s=0.0, slow_s=60.0)
    visited(node)

    assert node.allowed[len(FEATURES) :] == [2.0, 2.0]


def test_a_node_that_hangs_is_asked_once_and_is_one_gap() -> None:
    node = LateNode(took_s=60.0)
    answers = visited(node)

    assert node.allowed == [2.0]
    assert [(gap.missing, gap.reason) for gap in answers.gaps] == [("*", GapReason.TIMEOUT)]

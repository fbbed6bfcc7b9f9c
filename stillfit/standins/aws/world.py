"""Everything a stand-in knows: the simulated accounts, what their services hold, how they fail, and what was billed."""

import time
from collections.abc import Callable

from stillfit.standins.aws.backups_state import BackupsState
from stillfit.standins.aws.bill import Bill
from stillfit.standins.aws.calls import Call
from stillfit.standins.aws.cost_ledger import CostLedger
from stillfit.standins.aws.dax_state import DaxState
from stillfit.standins.aws.dynamodb_state import DynamoDbState
from stillfit.standins.aws.faults import Faults
from stillfit.standins.aws.identities import Identities
from stillfit.standins.aws.insight_rules import InsightRules
from stillfit.standins.aws.keyspaces_state import KeyspacesState
from stillfit.standins.aws.kms_state import KmsState
from stillfit.standins.aws.metric_store import MetricStore, Publication
from stillfit.standins.aws.points import Metric, Points, Provider
from stillfit.standins.aws.price_lists import PriceLists
from stillfit.standins.aws.quotas import Quotas
from stillfit.standins.aws.regions_state import RegionsState
from stillfit.standins.aws.scaling_state import ScalingState
from stillfit.standins.aws.tokens import Tokens


class World:
    """One simulated AWS. `now` gives epoch seconds; nothing later is ever served.

    `wall` is the clock by which signatures are too old or too early. Clients sign by the machine's own, so it is not
    `now`, which may be simulated; a test that wants a machine whose clock is off sets `wall`.

    `before_call` is run with each call that is about to be served, in the thread that serves it: there a simulator
    brings settings up to `call.at`, and a test looks at parameters.
    """

    def __init__(self, *, now: Callable[[], float] = time.time, faults: Faults | None = None) -> None:
        self.now = now
        self.wall: Callable[[], float] = time.time
        self.faults = faults or Faults()
        self.metrics = MetricStore()
        self.publication = Publication()
        self.insights = InsightRules()
        self.dynamodb = DynamoDbState(now)
        self.backups = BackupsState(self.dynamodb)
        self.scaling = ScalingState(now)
        self.keyspaces = KeyspacesState(now)
        self.dax = DaxState(now)
        self.kms = KmsState()
        self.price_lists = PriceLists()
        self.ledger = CostLedger()
        self.identities = Identities()
        self.regions = RegionsState()
        self.quotas = Quotas(now)
        self.tokens = Tokens()
        self.bill = Bill()
        self.before_call: list[Callable[[Call], None]] = []

    def put(self, account: str, region: str, metric: Metric, points: Points) -> None:
        """Store measured points; those later than now() wait there until their time has come."""
        self.metrics.put(account, region, metric, points)

    def provide(self, account: str, region: str, provider: Provider) -> None:
        """Ask a simulator, lazily, for what has not been put."""
        self.metrics.provide(account, region, provider)

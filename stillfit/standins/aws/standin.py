"""The stand-in as a server: every service of a world behind one address."""

from functools import partial

from stillfit.standins.aws.dispatch import answer
from stillfit.standins.aws.world import World
from stillfit.standins.server import StandInServer


class AwsStandIn(StandInServer):
    """Serves `world` on `url`; regions and accounts are told apart by the signatures of the requests."""

    def __init__(self, world: World, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(partial(answer, world), host=host, port=port)
        self.world = world

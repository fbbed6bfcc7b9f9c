"""IAM, the little that other collectors ask of it. OPERATIONS is the table the dispatch reads."""

from collections.abc import Callable

from stillfit.standins.aws.calls import Answer, Call
from stillfit.standins.aws.world import World


def list_account_aliases(_: World, __: Call) -> Answer:
    """No account has an alias here: most have none."""
    return {"AccountAliases": [], "IsTruncated": False}


OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {"ListAccountAliases": list_account_aliases}

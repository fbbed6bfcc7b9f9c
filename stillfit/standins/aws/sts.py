"""STS: who am I, and may I be somebody else. One function an operation; OPERATIONS is the table the dispatch reads."""

from stillfit.standins.aws.calls import Answer, Call, RefusedError
from stillfit.standins.aws.world import World

DEFAULT_SESSION_S = 3_600


def get_caller_identity(_: World, call: Call) -> Answer:
    return {"UserId": call.user_id, "Account": call.account, "Arn": call.arn}


def assume_role(world: World, call: Call) -> Answer:
    """Only roles that were added can be assumed, with their external id where they have one."""
    asked = call.parameters
    role = world.identities.role(asked["RoleArn"])
    if role is None or role.external_id not in (None, asked.get("ExternalId")):
        message = f"User: {call.arn} is not authorized to perform: sts:AssumeRole on resource: {asked['RoleArn']}"
        raise RefusedError("AccessDeniedException", message, status=403)
    expires = call.at + asked.get("DurationSeconds", DEFAULT_SESSION_S)
    identity, secret = world.identities.assume(role, asked["RoleSessionName"], expires=expires)
    return {
        "Credentials": {
            "AccessKeyId": identity.access_key,
            "SecretAccessKey": secret,
            "SessionToken": identity.session_token,
            "Expiration": expires,
        },
        "AssumedRoleUser": {"AssumedRoleId": identity.user_id, "Arn": identity.arn},
    }


OPERATIONS = {
    "GetCallerIdentity": get_caller_identity,
    "AssumeRole": assume_role,
}

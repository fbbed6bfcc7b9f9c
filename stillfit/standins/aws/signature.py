"""The scope of an AWS Signature Version 4: who signs, for which region and which service.

The signature itself is not computed: a stand-in has no secrets worth keeping, and a wrong one shows nothing about the
client that its own SDK does not. Age is not checked either: the world's clock may run faster than the signer's
(`FaultKind.CLOCK_SKEW` answers as the service does to a clock that is off).
"""

import re
from dataclasses import dataclass

from stillfit.standins.aws.calls import RefusedError
from stillfit.standins.server import Request

_SCOPE = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request,"
    r"\s*SignedHeaders=[^,]+,\s*Signature=[0-9a-f]{64}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    access_key: str
    region: str
    service: str
    session_token: str | None


def scope_of(request: Request) -> Scope:
    header = request.headers.get("authorization")
    if header is None:
        raise RefusedError("MissingAuthenticationTokenException", "Missing Authentication Token", status=403)
    match = _SCOPE.fullmatch(header.strip())
    if match is None:
        raise RefusedError("IncompleteSignatureException", "Authorization header is not a complete AWS4 signature.")
    return Scope(
        access_key=match["key"],
        region=match["region"],
        service=match["service"],
        session_token=request.headers.get("x-amz-security-token"),
    )

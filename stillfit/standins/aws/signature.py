"""AWS Signature Version 4: who signs, for which region and service, with the right secret or not, and when.

Canonical request, string to sign and signing key: IAM User Guide, "Create a signed AWS API request". A request may be
five minutes old or early (the services say so in their refusals).
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from stillfit.standins.aws.calls import RefusedError
from stillfit.standins.server import Request

MAX_SKEW = timedelta(minutes=5)
_MOMENT = "%Y%m%dT%H%M%SZ"
_SCOPE = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,\s]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)"
    r"/aws4_request,\s*SignedHeaders=(?P<headers>[a-z0-9;_-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a request says of its signer; nothing in it is proven yet."""

    access_key: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    session_token: str | None

    @property
    def path(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def scope_of(request: Request) -> Scope:
    header = request.headers.get("authorization")
    if header is None:
        raise RefusedError("MissingAuthenticationTokenException", "Missing Authentication Token", status=403)
    match = _SCOPE.fullmatch(header.strip())
    if match is None:
        raise RefusedError("IncompleteSignatureException", "Authorization header is not a complete AWS4 signature.")
    return Scope(
        access_key=match["key"],
        day=match["day"],
        region=match["region"],
        service=match["service"],
        signed_headers=tuple(match["headers"].split(";")),
        signature=match["signature"],
        session_token=request.headers.get("x-amz-security-token"),
    )


def check_age(request: Request, scope: Scope, wall: float) -> None:
    """Refuse what was signed more than five minutes off `wall`, epoch seconds of the service's own clock."""
    told = request.headers.get("x-amz-date", "")
    try:
        signed, now = datetime.strptime(told, _MOMENT).replace(tzinfo=UTC), datetime.fromtimestamp(int(wall), UTC)
    except ValueError as error:
        message = f"Authorization header requires existence of an 'X-Amz-Date' header in the form {_MOMENT}."
        raise RefusedError("IncompleteSignatureException", message) from error
    if scope.day != told[:8]:
        raise _refused(f"Date in Credential scope does not match YYYYMMDD from the date of the request: {told}")
    if signed < now - MAX_SKEW:
        early = f"{now - MAX_SKEW:{_MOMENT}} ({now:{_MOMENT}} - 5 min.)"
        raise _refused(f"Signature expired: {told} is now earlier than {early}")
    if signed > now + MAX_SKEW:
        late = f"{now + MAX_SKEW:{_MOMENT}} ({now:{_MOMENT}} + 5 min.)"
        raise _refused(f"Signature not yet current: {told} is still later than {late}")


def check_signature(request: Request, scope: Scope, secret: str) -> None:
    """Compute the signature anew; a wrong secret and an altered request look the same, to the service too."""
    if not {"host", "x-amz-date"} <= set(scope.signed_headers):
        raise _refused("'Host' and 'X-Amz-Date' must be signed headers of the AWS Signature.")
    canonical = hashlib.sha256(_canonical(request, scope).encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{scope.path}\n{canonical}"
    key = f"AWS4{secret}".encode()
    for part in scope.path.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), scope.signature):
        raise _refused(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details."
        )


def _canonical(request: Request, scope: Scope) -> str:
    headers = "".join(f"{name}:{_trimmed(request.headers.get(name, ''))}\n" for name in scope.signed_headers)
    asked = parse_qsl(request.query, keep_blank_values=True)
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in asked)
    query = "&".join(f"{name}={value}" for name, value in pairs)
    body = hashlib.sha256(request.body).hexdigest()
    parts = (request.method, quote(request.path, safe="/~"), query, headers, ";".join(scope.signed_headers), body)
    return "\n".join(parts)


def _trimmed(value: str) -> str:
    return " ".join(value.split())


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _refused(message: str) -> RefusedError:
    return RefusedError("InvalidSignatureException", message)

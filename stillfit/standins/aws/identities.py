"""Who signs: access keys, the accounts behind them, and roles that may be assumed (STS)."""

import re
import secrets
import threading
from dataclasses import dataclass, replace

from stillfit.standins.aws.calls import RefusedError
from stillfit.standins.aws.policies import Document, Policy

DEFAULT_ACCOUNT = "123456789012"
_ACCOUNT = re.compile(r"\d{12}")
_ROLE_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}):role/([\w+=,.@/-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    access_key: str
    account: str
    arn: str
    user_id: str
    session_token: str | None = None
    expires: float | None = None  # epoch seconds
    secret: str | None = None
    """None: any will do. The signature of a request is computed anew only where the secret is known."""
    policy: Policy | None = None
    """None: may do everything that the stand-in offers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    arn: str
    account: str
    name: str
    external_id: str | None = None
    policy: Policy | None = None


class Identities:
    """Keys nobody registered belong to DEFAULT_ACCOUNT, or to the account they spell ("111122223333"), until strict."""

    def __init__(self) -> None:
        self.strict = False
        self._keys: dict[str, Identity] = {}
        self._removed: set[str] = set()
        self._roles: dict[str, Role] = {}
        self._lock = threading.Lock()

    def add_key(
        self,
        access_key: str,
        *,
        account: str = DEFAULT_ACCOUNT,
        user: str = "stillfit",
        secret: str | None = None,
        policy: Document | None = None,
    ) -> None:
        """Add a key, or replace one. With `policy`, an IAM policy document, whatever it does not allow is denied.

        Raises ValueError on a document with anything that the stand-in cannot judge.
        """
        granted = None if policy is None else Policy.read(policy)
        with self._lock:
            self._keys[access_key] = replace(_user(access_key, account, user), secret=secret, policy=granted)
            self._removed.discard(access_key)

    def expire_key(self, access_key: str, at: float) -> None:
        """From `at`, in epoch seconds, the key is refused as expired."""
        with self._lock:
            self._keys[access_key] = replace(self._keys[access_key], expires=at)

    def remove_key(self, access_key: str) -> None:
        """Afterwards the key is unknown: InvalidClientTokenId, as after a rotation."""
        with self._lock:
            self._keys.pop(access_key, None)
            self._removed.add(access_key)

    def add_role(self, arn: str, *, external_id: str | None = None, policy: Document | None = None) -> None:
        match = _ROLE_ARN.fullmatch(arn)
        if match is None:
            raise ValueError(f"add_role: {arn!r} is no role ARN; write arn:aws:iam::ACCOUNT:role/NAME.")
        with self._lock:
            name = match[3].rsplit("/", 1)[-1]
            granted = None if policy is None else Policy.read(policy)
            self._roles[arn] = Role(arn=arn, account=match[2], name=name, external_id=external_id, policy=granted)

    def remove_role(self, arn: str) -> None:
        """Nobody may assume it any more; sessions that were begun go on until they end."""
        with self._lock:
            self._roles.pop(arn, None)

    def role(self, arn: str) -> Role | None:
        return self._roles.get(arn)

    def assume(self, role: Role, session: str, *, expires: float) -> tuple[Identity, str]:
        """Fresh keys for the role's session, and their secret."""
        arn = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{session}"
        secret = secrets.token_urlsafe(30)[:40]
        identity = Identity(
            access_key="ASIA" + secrets.token_hex(8).upper(),
            account=role.account,
            arn=arn,
            user_id=f"AROASTANDIN{role.name.upper()[:8]}:{session}",
            session_token=secrets.token_urlsafe(120),
            expires=expires,
            secret=secret,
            policy=role.policy,
        )
        with self._lock:
            self._keys[identity.access_key] = identity
        return identity, secret

    def find(self, access_key: str, session_token: str | None, now: float) -> Identity:
        """The identity behind a request's key; refuses unknown keys, wrong session tokens and expired ones."""
        known = self._keys.get(access_key)
        if known is None and not self.strict and access_key not in self._removed:
            account = access_key if _ACCOUNT.fullmatch(access_key) else DEFAULT_ACCOUNT
            return _user(access_key, account, "stillfit")
        if known is None or known.session_token not in (None, session_token):
            raise RefusedError("UnrecognizedClientException", "The security token included in the request is invalid.")
        if known.expires is not None and now >= known.expires:
            raise RefusedError("ExpiredTokenException", "The security token included in the request is expired")
        return known


def _user(access_key: str, account: str, user: str) -> Identity:
    arn = f"arn:aws:iam::{account}:user/{user}"
    return Identity(access_key=access_key, account=account, arn=arn, user_id="AIDASTANDIN" + user.upper()[:9])

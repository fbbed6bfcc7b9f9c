"""Whose KMS key encrypts a table: one that AWS manages for DynamoDB (alias aws/dynamodb), or one of the customer.

DescribeTable tells the key and not its kind. A key of another account, or a multi-Region one (mrk-...), is always the
customer's: AWS managed keys are neither shared nor multi-Region (KMS developer guide, "AWS KMS keys" and "Multi-Region
keys in AWS KMS"). Of any other key KMS is asked by the key's own ARN, once while the process lives, because what it is
never changes and requests are billed (collector/aws/spending/meter.py). The alias aws/dynamodb is never asked for:
DescribeKey of an AWS alias without a key makes that key (KMS API reference, DescribeKey, KeyId).
"""

from __future__ import annotations

from collector.aws.settings.rounds import Detail
from collector.aws.settings.tables import Description, Settings, kms_key
from collector.aws.spending.meter import Meter
from collector.aws.wire.connection import Connection

ATTRIBUTE = "encryption_key"
CUSTOMERS, OF_AWS = "CUSTOMER_MANAGED", "AWS_MANAGED"
_KINDS = {"CUSTOMER": CUSTOMERS, "AWS": OF_AWS}
"""KeyManager of DescribeKey (KMS API reference, KeyMetadata)."""


class Keys:
    """Of one account and region; remembers each key. Thread-safe."""

    def __init__(self, connection: Connection, account: str, meter: Meter) -> None:
        self._connection = connection
        self._meter = meter
        self._account = account
        self._kinds: dict[str, str] = {}

    @property
    def detail(self) -> Detail:
        """What the tables with a KMS key are asked for."""
        return Detail(
            attributes=(ATTRIBUTE,),
            action="kms:DescribeKey",
            ask=self._ask,
            concerns=lambda table: bool(kms_key(table)),
        )

    def _ask(self, table: Description) -> Settings:
        arn = kms_key(table)
        if arn not in self._kinds:
            self._kinds[arn] = (
                CUSTOMERS if self._is_customers(arn) else self._asked(arn, f'table "{table["TableName"]}"')
            )
        return {ATTRIBUTE: self._kinds[arn]}

    def _is_customers(self, arn: str) -> bool:
        account, _, key = arn.split(":", 4)[-1].partition(":")
        return account != self._account or key.startswith("key/mrk-")

    def _asked(self, arn: str, about: str) -> str:
        """Raises SourceError, and KeyError or ValueError on an answer without a kind, or of one that nobody knows."""
        with self._meter.calling("keys") as calling:
            told = self._connection.call("kms", "DescribeKey", about, expect="KeyMetadata", KeyId=arn)
            calling.answered()
        manager = told["KeyMetadata"]["KeyManager"]
        if manager not in _KINDS:
            raise ValueError("a key is managed by AWS or by the customer, and by nobody else")
        return _KINDS[manager]

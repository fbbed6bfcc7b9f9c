"""How a bill writes regions: the part before the first hyphen of a usage type. Pure.

From "Understanding DynamoDB billing and usage reports" (DynamoDB developer guide, 2026) and the price list of AmazonMCS
of 2025-11-05. us-east-1 mostly has nothing before its usage types; what came later has USE1- in the list and on bills
(USE1-TimedPITRStorage-ByteHrs, USE1-Streams-Requests); eu-west-1 has EU-.
Regions younger than the guide (APE2, APS7, APS8, CAN2, MXC1) are as readers of price lists and bills have them.
"""

from __future__ import annotations

import re

HOME = "us-east-1"
BILLING_CODES = {
    "USE1": HOME,
    "USE2": "us-east-2",
    "USW1": "us-west-1",
    "USW2": "us-west-2",
    "UGE1": "us-gov-east-1",
    "UGW1": "us-gov-west-1",
    "AFS1": "af-south-1",
    "APE1": "ap-east-1",
    "APE2": "ap-east-2",
    "APN1": "ap-northeast-1",
    "APN2": "ap-northeast-2",
    "APN3": "ap-northeast-3",
    "APS1": "ap-southeast-1",
    "APS2": "ap-southeast-2",
    "APS3": "ap-south-1",
    "APS4": "ap-southeast-3",
    "APS5": "ap-south-2",
    "APS6": "ap-southeast-4",
    "APS7": "ap-southeast-5",
    "APS8": "ap-southeast-6",
    "APS9": "ap-southeast-7",
    "CAN1": "ca-central-1",
    "CAN2": "ca-west-1",
    "CNN1": "cn-north-1",
    "CNW1": "cn-northwest-1",
    "EU": "eu-west-1",
    "EUW1": "eu-west-1",
    "EUW2": "eu-west-2",
    "EUW3": "eu-west-3",
    "EUC1": "eu-central-1",
    "EUC2": "eu-central-2",
    "EUN1": "eu-north-1",
    "EUS1": "eu-south-1",
    "EUS2": "eu-south-2",
    "ILC1": "il-central-1",
    "MEC1": "me-central-1",
    "MES1": "me-south-1",
    "MXC1": "mx-central-1",
    "SAE1": "sa-east-1",
}
_CODE = re.compile(r"(EU|[A-Z]{3}\d)-(?=.)")
"""IA-ReadRequestUnits has no region before it, and neither has Streams-Requests."""


def split(usage_type: str) -> tuple[str, str]:
    """The billing code before a usage type, empty where there is none, and the usage itself."""
    found = _CODE.match(usage_type)
    return (found[1], usage_type[found.end() :]) if found else ("", usage_type)


def region_of(usage_type: str) -> str | None:
    """The region that a usage type names; None for a code that is not known yet."""
    code, _ = split(usage_type)
    return BILLING_CODES.get(code) if code else HOME


def usage_in(usage_type: str, region: str) -> str | None:
    """The usage without its region, where the usage type can belong to `region`; None where it belongs to another.

    A code that is not known yet is taken at the price list's word; no code at all means us-east-1 and nothing else.
    """
    code, usage = split(usage_type)
    owner = BILLING_CODES.get(code, region) if code else HOME
    return usage if owner == region else None

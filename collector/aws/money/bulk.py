"""The price list by its offer files: plain HTTPS, no credentials, one small index and one file a region and service.

A file's address has its version in it, so the index alone tells whether anything has changed. Files are read to a limit
(AmazonCloudWatch's, the largest of ours, is about a megabyte a region) and within a time, whoever answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import httpx
import orjson

from collector.aws.money.exchange import Exchanges
from collector.aws.money.offers import Odd, OddOfferError, Offer, offers_of_file
from stillfit.errors import SourceError
from stillfit.model import GapReason

URL = "https://pricing.us-east-1.amazonaws.com"
"""Where the offer files lie (AWS Price List User Guide)."""
MAX_BYTES = 64 * 1024 * 1024
WHOLE_S = 60.0
"""What one file may take in all (ours)."""
_FILE = re.compile(r"/offers/v1\.0/aws/\w+/(?P<version>\d{14})/[a-z0-9-]+/index\.json")


class OfferFiles:
    """Reads the files below `url`. One thread at a time; `stop` may come from any."""

    def __init__(self, url: str = URL, *, whole_s: float = WHOLE_S) -> None:
        self._url = url.rstrip("/")
        self._exchanges = Exchanges(whole_s)

    def paths(self, region: str, services: Iterable[str]) -> dict[str, str]:
        """The path of each service's file for a region; a service that is not sold there has none."""
        paths: dict[str, str] = {}
        for service in services:
            index = self._read(f"/offers/v1.0/aws/{service}/current/region_index.json")
            known = index.get("regions")
            if not isinstance(known, dict):
                _garbled(service, "an index without regions")
            if region in known:
                paths[service] = _path(service, known[region])
        return paths

    def offers(self, path: str) -> tuple[Offer | Odd, ...]:
        """All that one file sells. Raises SourceError where it cannot be read."""
        try:
            return tuple(offers_of_file(self._read(path)))
        except OddOfferError as error:
            _garbled(path, str(error))

    def stop(self) -> None:
        self._exchanges.stop()

    def _read(self, path: str) -> Mapping[str, Any]:
        try:
            with self._exchanges.get(self._url + path) as answer:
                if answer.status_code != httpx.codes.OK:
                    _lost(path, f"HTTP {answer.status_code}", GapReason.UNREACHABLE)
                document = orjson.loads(_body(path, answer))
        except httpx.TimeoutException:
            _lost(path, "no answer in time", GapReason.TIMEOUT)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            if self._exchanges.was_cut:
                _lost(path, "not whole in time", GapReason.TIMEOUT)
            _lost(path, str(error) or type(error).__name__, GapReason.UNREACHABLE)
        except orjson.JSONDecodeError:
            _garbled(path, "no JSON")
        if not isinstance(document, dict):
            _garbled(path, "no JSON object")
        return document


def _body(path: str, answer: httpx.Response) -> bytes:
    body = bytearray()
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > MAX_BYTES:
            _garbled(path, f"more than {MAX_BYTES} bytes")
    return bytes(body)


def version_in(path: str) -> str:
    """The version that the path of a file names."""
    found = _FILE.fullmatch(path)
    return found["version"] if found else ""


def _path(service: str, entry: object) -> str:
    """Only what is below the same address: an index must not send us elsewhere."""
    path = entry.get("currentVersionUrl") if isinstance(entry, dict) else None
    if not (isinstance(path, str) and version_in(path)):
        _garbled(service, "an index that names no file")
    return path


def _lost(what: str, why: str, reason: GapReason) -> NoReturn:
    sentence = f"the price list file of {what} could not be read ({why}): check the way to the Internet, or a proxy"
    raise SourceError(sentence, reason=reason, retryable=True)


def _garbled(what: str, why: str) -> NoReturn:
    sentence = f"the price list file of {what} is not one ({why}): is there a proxy in between?"
    raise SourceError(sentence, reason=GapReason.GARBLED, retryable=True)

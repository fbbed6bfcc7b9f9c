"""Requests that have time: httpx gives an answer five seconds, which a slow machine may need for nothing at all."""

from __future__ import annotations

from functools import partial

import httpx

LONG_S = 120.0

get = partial(httpx.get, timeout=LONG_S)
post = partial(httpx.post, timeout=LONG_S)
request = partial(httpx.request, timeout=LONG_S)

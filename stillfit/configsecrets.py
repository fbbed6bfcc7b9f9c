"""Secrets that a file holds: read once at start and at each reload, so that nothing later meets a missing file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from stillfit.config import Config, Prometheus
from stillfit.yamlfile import Place

MAX_BYTES = 8_192
"""Ours: the longest password or token is far shorter; anything above is another file."""

Mistaken = Callable[[Place, str], None]


def with_secrets(config: Config, mistaken: Mistaken) -> Config:
    """The configuration with the content of `password_file` and `token_file` in place."""
    clusters = list(config.cassandra)
    for number, one in enumerate(clusters):
        password = _read(one.password_file, ("cassandra", number, "password_file"), mistaken)
        clusters[number] = one.model_copy(update={"password": password}) if password else one
    stores = tuple(_signing_in(one, ("prometheus", number), mistaken) for number, one in enumerate(config.prometheus))
    slack = config.slack
    token = _read(slack.token_file if slack else None, ("slack", "token_file"), mistaken)
    if slack is not None and token is not None:
        slack = slack.model_copy(update={"token": token})
    return config.model_copy(update={"cassandra": tuple(clusters), "prometheus": stores, "slack": slack})


def _signing_in(one: Prometheus, place: Place, mistaken: Mistaken) -> Prometheus:
    secrets = {
        "password": _read(one.password_file, (*place, "password_file"), mistaken),
        "token": _read(one.token_file, (*place, "token_file"), mistaken),
    }
    return one.model_copy(update={name: secret for name, secret in secrets.items() if secret})


def _read(path: Path | None, place: Place, mistaken: Mistaken) -> SecretStr | None:
    if path is None:
        return None
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_BYTES + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "no reason given") if isinstance(error, OSError) else "not UTF-8 text"
        mistaken(place, f"{path} cannot be read: {reason}")
        return None
    problem = _problem(text)
    if problem:
        mistaken(place, f"{path} {problem}")
        return None
    return SecretStr(text)


def _problem(text: str) -> str:
    if not text:
        return "is empty: it must hold nothing but the secret"
    if len(text) > MAX_BYTES or "\n" in text:
        return "holds more than one line: it must hold nothing but the secret"
    if not text.isprintable():
        return "holds a character that cannot be printed: it must hold nothing but the secret"
    return ""

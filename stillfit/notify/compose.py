"""Which transitions people are told of, as messages for the outbox. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from stillfit.advice import LIVE_STATES, Advice, AdviceState, Transition
from stillfit.notify.message import message
from stillfit.notify.sink import Sink
from stillfit.store.outbox import OutboxMessage


def compose(
    advice: Iterable[Advice], transitions: Iterable[Transition], sinks: Iterable[Sink], *, instance: str
) -> tuple[OutboxMessage, ...]:
    """One message per transition that people may see and sink, in the order of the transitions."""
    records, places = {one.id: one for one in advice}, tuple(sinks)
    return tuple(
        OutboxMessage(
            advice_id=step.advice_id,
            number=step.number,
            sink=sink.name,
            channel=sink.channel,
            payload=message(records[step.advice_id], step, instance=instance).dump(),
        )
        for step in transitions
        if told(step)
        for sink in places
    )


def told(step: Transition) -> bool:
    """What was never shown needs no end: only what is or was live is told."""
    if step.before is AdviceState.PENDING:
        return step.after in LIVE_STATES
    return step.after is not AdviceState.PENDING

"""The event outbox. `record` is the last write of a transaction: see docs/architecture.md, live
updates.
"""

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F

from .models import Event, OutboxTurn, Project

if TYPE_CHECKING:
    from apps.accounts.models import User

QUIET = {"password", "token", "secret"}


def record(
    project: Project | None,
    actor: "User | None",
    verb: str,
    target_type: str,
    target_id: object,
    label: str = "",
    **data: Any,
) -> Event:
    """Append an event. Must run inside a transaction, after its other writes, so that ids are
    committed in order.

    `data` may hold `changes` ({field: [old, new]}); it never holds a secret.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An event is written in the transaction that it tells of.")
    if QUIET & data.keys():
        raise ValueError("An event must not hold a secret.")
    if not OutboxTurn.objects.filter(pk=1).update(n=F("n") + 1):
        OutboxTurn.objects.get_or_create(pk=1)
    event = Event.objects.create(
        project=project,
        actor=actor,
        verb=verb,
        target_type=target_type,
        target_id=str(target_id),
        label=label[:200],
        data=data,
    )
    transaction.on_commit(_wake, robust=True)
    return event


def _wake() -> None:
    from .live import wake

    wake()

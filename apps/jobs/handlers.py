"""Handlers of the kinds of jobs. Apps register theirs from `ready()`; the module that does the work
is imported only in a worker.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from .models import Job

if TYPE_CHECKING:
    from .work import Work


def _nothing(job: Job) -> None:
    """Nothing else changes with the job."""


@dataclass(frozen=True)
class Handler:
    """`run` is "module:function", called with a Work in a worker. `failed` and `stopped` run in the
    transaction that ends the job.
    """

    run: str
    failed: Callable[[Job], None] = _nothing
    stopped: Callable[[Job], None] = _nothing

    def function(self) -> Callable[["Work"], None]:
        module, name = self.run.split(":")
        return getattr(import_module(module), name)


_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    _handlers[kind] = handler


def handler_for(kind: str) -> Handler:
    return _handlers[kind]

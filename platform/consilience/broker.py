"""The broker in a folder, for a machine without Redis. kombu's own writes where others read: a
worker that came between the creation of a file and its writing took an empty message, and died of
it (kombu issue 1551).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:
        """A message appears whole, by its name; a reader passes over the name that it is written
        under.
        """
        name = Path(self.data_folder_out) / f"{round(1000 * monotonic())}_{uuid4()}.{queue}.msg"
        written = name.with_suffix(".part")
        written.write_text(dumps(payload))
        written.rename(name)

    def get_table(self, exchange: str) -> Any:
        with self.alone():
            return super().get_table(exchange)

    def _queue_bind(self, *args: Any) -> None:
        with self.alone():
            super()._queue_bind(*args)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time in the tables of queues."""
        with (self.control_folder / ".lock").open("w") as file:
            filesystem.lock(file, filesystem.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    Channel = Channel

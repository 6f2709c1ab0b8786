"""The broker in a folder: nobody reads what is half written."""

from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from consilience.celery import app


def test_a_reader_between_the_halves_of_a_message_finds_none_and_then_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = {
        name: str(tmp_path) for name in ("data_folder_in", "data_folder_out", "control_folder")
    }
    whole = Path.write_text
    between = []

    def in_halves(path: Path, text: str) -> None:
        for end in (0, len(text) // 2, len(text)):
            whole(path, text[:end])
            with pytest.raises(Empty):
                reader._get("default")
            between.append(end)

    with (
        app.connection_for_write(transport_options=folder) as writing,
        app.connection_for_read(transport_options=folder) as reading,
    ):
        reader: Any = reading.default_channel
        monkeypatch.setattr(Path, "write_text", in_halves)
        writing.default_channel._put("default", {"job": 7})
        assert len(between) == 3
        assert reader._get("default") == {"job": 7}
        with pytest.raises(Empty):
            reader._get("default")

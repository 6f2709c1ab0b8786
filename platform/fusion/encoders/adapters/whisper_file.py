"""The encoder half of a Whisper model from a CTranslate2 file (binary version 6), as a state dict
of transformers' WhisperEncoder.

Layout of the file: version u32, specification name, revision u32, number of variables u32, then for
each variable its name, rank u8, sizes u32, type u8, bytes u32 and data. A name is its length u16
and that many bytes, the last of them 0.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fusion.encoders.base import EncoderError

TYPES = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
BINARY_VERSION = 6


class Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0

    def number(self, form: str) -> int:
        [value] = struct.unpack_from("<" + form, self.content, self.place)
        self.place += struct.calcsize("<" + form)
        return int(value)

    def name(self) -> str:
        length = self.number("H")
        raw = self.content[self.place : self.place + length]
        self.place += length
        return raw.rstrip(b"\0").decode()

    def array(self) -> np.ndarray:
        shape = [self.number("I") for _ in range(self.number("B"))]
        form = np.dtype(TYPES[self.number("B")])
        length = self.number("I")
        values = np.frombuffer(self.content, form, length // form.itemsize, self.place).reshape(
            shape
        )
        self.place += length
        return values


def variables(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Name and values of each variable of the encoder, as float32."""
    reader = Reader(path.read_bytes())
    if (version := reader.number("I")) != BINARY_VERSION:
        raise EncoderError(f"{path.name} has binary version {version}; {BINARY_VERSION} is read")
    reader.name()
    reader.number("I")
    for _ in range(reader.number("I")):
        name, values = reader.name(), reader.array()
        if name.startswith("encoder/"):
            yield name.removeprefix("encoder/"), values.astype(np.float32)


def encoder_state(path: Path, layers: int) -> dict[str, np.ndarray]:
    """Names of transformers -> values. Query, key and value are one matrix in the file; the key has
    no bias in Whisper.
    """
    found: dict[str, Any] = dict(variables(path))
    state = {
        f"conv{n}.{part}": found[f"conv{n}/{part}"] for n in (1, 2) for part in ("weight", "bias")
    }
    state["embed_positions.weight"] = found["position_encodings/encodings"]
    state |= norm("layer_norm", found, "layer_norm")
    for n in range(layers):
        own, other = f"layers.{n}", f"layer_{n}"
        state |= norm(f"{own}.self_attn_layer_norm", found, f"{other}/self_attention/layer_norm")
        state |= norm(f"{own}.final_layer_norm", found, f"{other}/ffn/layer_norm")
        state |= attention(f"{own}.self_attn", found, f"{other}/self_attention/linear_0")
        names = {
            "self_attn.out_proj": "self_attention/linear_1",
            "fc1": "ffn/linear_0",
            "fc2": "ffn/linear_1",
        }
        for mine, theirs in names.items():
            state |= {
                f"{own}.{mine}.{part}": found[f"{other}/{theirs}/{part}"]
                for part in ("weight", "bias")
            }
    return {name: np.ascontiguousarray(values) for name, values in state.items()}


def norm(own: str, found: dict[str, Any], other: str) -> dict[str, np.ndarray]:
    return {f"{own}.weight": found[f"{other}/gamma"], f"{own}.bias": found[f"{other}/beta"]}


def attention(own: str, found: dict[str, Any], other: str) -> dict[str, np.ndarray]:
    weights = np.split(found[f"{other}/weight"], 3)
    biases = np.split(found[f"{other}/bias"], 3)
    parts = {}
    for letter, weight, bias in zip("qkv", weights, biases):
        parts[f"{own}.{letter}_proj.weight"] = weight
        if letter != "k":
            parts[f"{own}.{letter}_proj.bias"] = bias
    return parts

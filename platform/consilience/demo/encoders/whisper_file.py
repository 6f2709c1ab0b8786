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
    """A Reader takes numbers, names and arrays from the file, one after the other."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.position = 0

    def number(self, form: str) -> int:
        [value] = struct.unpack_from("<" + form, self.content, self.position)
        self.position += struct.calcsize("<" + form)
        return int(value)

    def name(self) -> str:
        length = self.number("H")
        raw = self.content[self.position : self.position + length]
        self.position += length
        return raw.rstrip(b"\0").decode()

    def array(self) -> np.ndarray:
        shape = [self.number("I") for _ in range(self.number("B"))]
        form = np.dtype(TYPES[self.number("B")])
        length = self.number("I")
        values = np.frombuffer(self.content, form, length // form.itemsize, self.position)
        self.position += length
        return values.reshape(shape)


def variables(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name and the values, float32, of each variable of the encoder."""
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
    """Return the state dict: transformers' names -> values. Query, key and value are one matrix in
    the file; the key has no bias in Whisper.
    """
    weights: dict[str, Any] = dict(variables(path))
    state = linear("conv1", weights, "conv1") | linear("conv2", weights, "conv2")
    state["embed_positions.weight"] = weights["position_encodings/encodings"]
    state |= norm("layer_norm", weights, "layer_norm")
    for n in range(layers):
        name, variable = f"layers.{n}", f"layer_{n}"
        attended = f"{variable}/self_attention"
        state |= norm(f"{name}.self_attn_layer_norm", weights, f"{attended}/layer_norm")
        state |= norm(f"{name}.final_layer_norm", weights, f"{variable}/ffn/layer_norm")
        state |= attention(f"{name}.self_attn", weights, f"{attended}/linear_0")
        state |= linear(f"{name}.self_attn.out_proj", weights, f"{attended}/linear_1")
        state |= linear(f"{name}.fc1", weights, f"{variable}/ffn/linear_0")
        state |= linear(f"{name}.fc2", weights, f"{variable}/ffn/linear_1")
    return {name: np.ascontiguousarray(values) for name, values in state.items()}


def linear(name: str, weights: dict[str, Any], variable: str) -> dict[str, np.ndarray]:
    return {f"{name}.{part}": weights[f"{variable}/{part}"] for part in ("weight", "bias")}


def norm(name: str, weights: dict[str, Any], variable: str) -> dict[str, np.ndarray]:
    return {
        f"{name}.weight": weights[f"{variable}/gamma"],
        f"{name}.bias": weights[f"{variable}/beta"],
    }


def attention(name: str, weights: dict[str, Any], variable: str) -> dict[str, np.ndarray]:
    matrices = np.split(weights[f"{variable}/weight"], 3)
    biases = np.split(weights[f"{variable}/bias"], 3)
    state = {}
    for letter, matrix, bias in zip("qkv", matrices, biases):
        state[f"{name}.{letter}_proj.weight"] = matrix
        if letter != "k":
            state[f"{name}.{letter}_proj.bias"] = bias
    return state

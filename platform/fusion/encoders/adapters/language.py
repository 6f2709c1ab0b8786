"""Text encoders: tokens of chosen layers, pooled."""

from collections.abc import Callable, Sequence
from functools import cache, cached_property
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fusion.encoders.base import Block, Choice, Content, fingerprint_of
from fusion.encoders.families import POOLINGS
from fusion.encoders.runtime import (
    checked_layers,
    checked_pooling,
    checked_segments,
    device,
    inference,
    pool_frames,
    pool_tokens,
    precision,
    read_frozen,
)

MAX_TOKENS = 256
SEGMENTS = 4  # where stretches are asked for without their number

Tokenise = Callable[[str], list[int]]


class Language:
    """BERT, RoBERTa, GPT-2, NeoX, Llama and their kin. `tokenise` turns a text into at most
    `most_tokens` ids, special ones included.

    Texts are padded on the right and the padding is masked: a decoder's tokens see only what stands
    before them, so its mean and its last real token are those of the text alone. `read` gives the
    network when the first text is encoded: where all vectors are in the cache, none is needed.
    """

    kind = "text"
    batch = 32
    window = 4096

    def __init__(
        self,
        name: str,
        choice: Choice,
        config: Any,
        read: Callable[[], nn.Module],
        tokenise: Tokenise,
        weights: str,
    ) -> None:
        self.name = name
        self.read = read
        self.tokenise = tokenise
        pad = getattr(config, "pad_token_id", None)
        self.pad = pad if isinstance(pad, int) and pad > 0 else 0
        self.layers = checked_layers(
            name, choice.layers, [config.num_hidden_layers], config.num_hidden_layers
        )
        self.pooling = checked_pooling(name, choice.pooling, POOLINGS["tokens"])
        self.segments = (
            checked_segments(name, "text", choice, SEGMENTS) if self.pooling == "segments" else 1
        )
        self.blocks = [Block(self.segments, config.hidden_size)] * len(self.layers)
        self.dim = sum(block.size for block in self.blocks)
        pooling = f"{self.segments} segments" if self.segments > 1 else self.pooling
        options = {
            "layers": self.layers,
            "pooling": pooling,
            "tokens": most_tokens(config),
            "precision": precision(),
        }
        self.fingerprint = fingerprint_of(name, weights, **options)

    @cached_property
    def model(self) -> nn.Module:
        return read_frozen(self.read)

    @cached_property
    def options(self) -> dict[str, bool]:
        """Keep a decoder from storing keys and values for a next token."""
        return (
            {"use_cache": False} if "use_cache" in signature(self.model.forward).parameters else {}
        )

    def prepare(self, content: Content) -> list[int]:
        """Token ids; an empty text is one padding token."""
        return self.tokenise(str(content)) or [self.pad]

    def bucket(self, prepared: list[int]) -> int:
        return len(prepared)

    def encode(self, inputs: Sequence[list[int]]) -> np.ndarray:
        with inference():
            return self.vectors(inputs).float().cpu().numpy()

    def vectors(self, inputs: Sequence[list[int]]) -> Tensor:
        ids, mask = self.padded(inputs)
        states = self.model(
            input_ids=ids, attention_mask=mask, output_hidden_states=True, **self.options
        ).hidden_states
        if self.pooling == "segments":
            return torch.cat(
                [
                    pool_frames(
                        states[layer].float(), list(map(len, inputs)), self.segments, self.pooling
                    )
                    for layer in self.layers
                ],
                1,
            )
        return torch.cat(
            [pool_tokens(states[layer], mask, self.pooling) for layer in self.layers], 1
        )

    def padded(self, inputs: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
        """Return ids and mask, int64 (b, tokens)."""
        longest = max(map(len, inputs))
        gaps = [longest - len(tokens) for tokens in inputs]
        ids = torch.tensor([[*tokens, *[self.pad] * gap] for tokens, gap in zip(inputs, gaps)])
        mask = torch.tensor([[1] * (longest - gap) + [0] * gap for gap in gaps])
        return ids.to(device()), mask.to(device())


def most_tokens(config: Any) -> int:
    """Return the tokens of a text, at most 256 and no more than the positions; RoBERTa and MPNet
    reserve two positions for padding.
    """
    places = getattr(config, "max_position_embeddings", None) or MAX_TOKENS
    reserved = (
        2
        if getattr(config, "model_type", "") in ("roberta", "xlm-roberta", "camembert", "mpnet")
        else 0
    )
    return min(MAX_TOKENS, places - reserved)


def tokeniser_of(folder: str, limit: int = MAX_TOKENS) -> Tokenise:
    """Return the tokenizer of a transformers folder, with its special tokens, cut at `limit`."""

    @cache
    def tokenizer() -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)

    def tokenise(text: str) -> list[int]:
        return list(tokenizer()(text, truncation=True, max_length=limit)["input_ids"])

    return tokenise

"""Time series encoders with pretrained weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fusion.encoders.adapters.plain import drawn
from fusion.encoders.base import Block, Choice, Content, EncoderError, fingerprint_of
from fusion.encoders.families import POOLINGS
from fusion.encoders.runtime import (
    checked_layers,
    checked_pooling,
    checked_segments,
    device,
    frozen,
    inference,
    pool_frames,
    precision,
)

SEGMENTS = 4


class PatchSeries:
    """PatchTST (Nie et al. 2023): a series drawn through as many points as the model reads, cut
    into patches.

    The model standardises each series by itself, so that its level and its spread are lost; they
    follow the vector as two more numbers.
    """

    kind = "series"
    batch = 64
    window = 4096

    def __init__(self, name: str, choice: Choice, model: nn.Module, weights: str) -> None:
        config: Any = model.config
        if config.num_input_channels != 1 and not (
            config.share_embedding and config.share_projection
        ):
            raise EncoderError(
                f"{name} reads {config.num_input_channels} series at once, "
                f"each with weights of its own; a cell holds one"
            )
        self.name, self.points, self.channels = (
            name,
            config.context_length,
            config.num_input_channels,
        )
        self.model = frozen(model)
        # a pretraining checkpoint would mask patches at random
        self.model.do_mask_input = False  # type: ignore[assignment]
        self.class_token = int(bool(config.use_cls_token))
        self.layers = checked_layers(
            name, choice.layers, [config.num_hidden_layers], config.num_hidden_layers
        )
        self.pooling = checked_pooling(name, choice.pooling, POOLINGS["series"])
        self.segments = (
            checked_segments(name, "series", choice, SEGMENTS) if self.pooling == "segments" else 1
        )
        self.blocks = [*[Block(self.segments, config.d_model)] * len(self.layers), Block(1, 2)]
        self.dim = sum(block.size for block in self.blocks)
        options = {
            "layers": self.layers,
            "pooling": self.pooling,
            "segments": self.segments,
            "precision": precision(),
        }
        self.fingerprint = fingerprint_of(name, weights, **options)

    def prepare(self, content: Content) -> np.ndarray:
        """Return the series, float32 (points,); gaps are bridged, a series without numbers is 0."""
        return drawn(content, self.points).astype(np.float32)

    def bucket(self, prepared: np.ndarray) -> int:
        return 0

    def encode(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        with inference():
            return self.vectors(inputs).cpu().numpy()

    def vectors(self, inputs: Sequence[np.ndarray]) -> Tensor:
        values = torch.from_numpy(np.stack(inputs)).to(device())
        output = self.model(
            past_values=values[..., None].expand(-1, -1, self.channels), output_hidden_states=True
        )
        # hidden_states are the inputs of the layers
        states = (*output.hidden_states, output.last_hidden_state)
        scale = torch.stack([values.mean(1), values.std(1, correction=0)], 1)
        return torch.cat([*(self.pooled(states[layer]) for layer in self.layers), scale], 1)

    def pooled(self, state: Tensor) -> Tensor:
        """Pool a state, (b, channels, patches, d), all channels alike; a class token would stand
        before the patches.
        """
        patches = state[:, 0, self.class_token :].float()
        return pool_frames(patches, [patches.shape[1]] * len(patches), self.segments, self.pooling)

"""Audio encoders. A recording is padded to the next of a few lengths, by its own length alone, so
its vector never depends on others.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from fusion.data.modalities import audio
from fusion.encoders.base import Block, Choice, Content, fingerprint_of
from fusion.encoders.families import POOLINGS
from fusion.encoders.runtime import (
    batch_of,
    checked_layers,
    checked_pooling,
    checked_segments,
    device,
    exact,
    frozen,
    inference,
    pool_frames,
    precision,
    read_frozen,
)

RATE = 16_000
CUTS = (0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 30.0)
FRAME = 320  # samples between two vectors: 20 ms in Whisper and in wav2vec2
MIN_SAMPLES = 400


class Speech(ABC):
    """Decoding, the lengths, and pooling into `segments` means over the real frames."""

    kind = "audio"
    window = 128

    def __init__(self, name: str, choice: Choice, segments: int) -> None:
        self.name, self.batch = name, batch_of(8, 8)
        self.pooling = checked_pooling(
            name, choice.pooling or ("segments" if segments > 1 else "mean"), POOLINGS["wave"]
        )
        self.segments = (
            checked_segments(name, "recording", choice, segments)
            if self.pooling == "segments"
            else 1
        )

    def prepare(self, content: Content) -> np.ndarray:
        """Return float32 (samples,) at 16 kHz, the first 30 seconds of a longer recording."""
        samples = audio.decode(Path(str(content)), RATE, seconds=CUTS[-1])[: int(CUTS[-1] * RATE)]
        return np.pad(samples, (0, max(0, MIN_SAMPLES - len(samples))))

    def bucket(self, prepared: np.ndarray) -> int:
        """Return the number of the shortest length that holds the recording."""
        return bisect_left(CUTS, len(prepared) / RATE)

    def padded(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Return recordings padded to the same length, float32 (b, samples)."""
        samples = int(CUTS[max(self.bucket(x) for x in inputs)] * RATE)
        return np.stack([np.pad(x, (0, samples - len(x))) for x in inputs])

    def encode(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        with inference():
            return self.vectors(inputs).cpu().numpy()

    @abstractmethod
    def vectors(self, inputs: Sequence[np.ndarray]) -> Tensor:
        """Return a vector for each recording, float32 (b, dim)."""

    def frames(self, samples: int) -> int:
        """Return the number of vectors that a recording of so many samples fills."""
        return -(-samples // FRAME)

    def pool(self, x: Tensor, inputs: Sequence[np.ndarray]) -> Tensor:
        """Pool x, (b, frames, d), over each recording's own frames, never over padding: float32
        (b, d * segments).
        """
        frames = [self.frames(len(recording)) for recording in inputs]
        return pool_frames(x.float(), frames, self.segments, self.pooling)

    def options(self, layers: Sequence[int], last: int) -> dict[str, Any]:
        """Return the options that differ from the default, which keeps its fingerprint."""
        options: dict[str, Any] = {} if list(layers) == [last] else {"layers": list(layers)}
        return options | ({"pooling": self.pooling} if self.pooling in ("first", "last") else {})


class WhisperSpeech(Speech):
    """The encoder of Whisper (Radford et al. 2022), its position table cut to the length of the
    batch: 3 s cost a tenth of 30 s.

    Measured on 1,115 spoken digits (median 0.46 s): cut to 0.6 s they are told apart as well as
    padded to 2 s, in a third of the time.
    """

    def __init__(
        self,
        name: str,
        choice: Choice,
        config: Any,
        read: Callable[[], nn.Module],
        weights: str,
        segments: int = 4,
    ) -> None:
        super().__init__(name, choice, segments)
        last = config.encoder_layers
        self.layers = checked_layers(name, choice.layers, [last], last)
        self.read, self.mel_bins = read, config.num_mel_bins
        self.longest = config.max_source_positions * FRAME / RATE
        self.dim = config.d_model * self.segments * len(self.layers)
        self.blocks = [Block(self.segments, config.d_model)] * len(self.layers)
        options = {
            "segments": self.segments,
            "cuts": CUTS,
            "precision": precision(),
            **self.options(self.layers, last),
        }
        self.fingerprint = fingerprint_of(name, weights, **options)

    @cached_property
    def model(self) -> Any:
        """The network, read when the first recording is encoded: where all vectors are in the
        cache, none is needed.
        """
        return read_frozen(self.read)

    @cached_property
    def positions(self) -> Tensor:
        return cast(Tensor, self.model.embed_positions.weight.detach().clone())

    @cached_property
    def mel(self) -> Any:
        from transformers import WhisperFeatureExtractor

        return WhisperFeatureExtractor(feature_size=self.mel_bins)

    def cut_to(self, frames: int) -> None:
        positions = self.positions  # of the whole encoder, read before it is cut
        self.model.embed_positions = nn.Embedding.from_pretrained(positions[:frames])
        self.model.config.max_source_positions = frames

    def vectors(self, inputs: Sequence[np.ndarray]) -> Tensor:
        clips = self.padded(inputs)[:, : int(self.longest * RATE)]
        with exact():
            spectra = self.mel(
                list(clips),
                sampling_rate=RATE,
                return_tensors="pt",
                padding="max_length",
                max_length=clips.shape[1],
            )
        self.cut_to(clips.shape[1] // FRAME)
        states = self.model(
            spectra.input_features.to(device()), output_hidden_states=True
        ).hidden_states
        return torch.cat([self.pool(states[layer], inputs) for layer in self.layers], 1)


class WaveSpeech(Speech):
    """wav2vec 2.0, HuBERT, WavLM: they read the wave itself."""

    def __init__(
        self,
        name: str,
        choice: Choice,
        model: nn.Module,
        weights: str,
        normalise: bool,
        segments: int = 4,
    ) -> None:
        super().__init__(name, choice, segments)
        config: Any = model.config
        self.model = frozen(model)
        self.normalise = normalise
        self.receptive, self.stride = receptive_field(config.conv_kernel, config.conv_stride)
        self.layers = checked_layers(
            name, choice.layers, [config.num_hidden_layers], config.num_hidden_layers
        )
        self.masked = config.feat_extract_norm == "layer"
        self.dim = config.hidden_size * self.segments * len(self.layers)
        self.blocks = [Block(self.segments, config.hidden_size)] * len(self.layers)
        options = {
            "segments": self.segments,
            "layers": self.layers,
            "normalise": normalise,
            "cuts": CUTS,
            "precision": precision(),
        }
        self.fingerprint = fingerprint_of(name, weights, pooling=self.pooling, **options)

    def frames(self, samples: int) -> int:
        return 1 + max(0, samples - self.receptive) // self.stride

    def vectors(self, inputs: Sequence[np.ndarray]) -> Tensor:
        ready = (
            [(x - x.mean()) / np.sqrt(x.var() + 1e-7) for x in inputs]
            if self.normalise
            else list(inputs)
        )
        clips = torch.from_numpy(self.padded(ready)).to(device())
        lengths = torch.as_tensor([len(x) for x in inputs])
        mask = (
            (torch.arange(clips.shape[1])[None] < lengths[:, None]).long().to(device())
            if self.masked
            else None
        )
        states = self.model(clips, attention_mask=mask, output_hidden_states=True).hidden_states
        return torch.cat([self.pool(states[layer], inputs) for layer in self.layers], 1)


def receptive_field(kernels: Sequence[int], strides: Sequence[int]) -> tuple[int, int]:
    """Return the samples that the first vector of a stack of convolutions sees, and the samples
    from one vector to the next.
    """
    field, stride = 1, 1
    for kernel, step in zip(kernels, strides):
        field += (kernel - 1) * stride
        stride *= step
    return field, stride


class SpectrogramSpeech(Speech):
    """The audio spectrogram transformer (Gong et al. 2021, AST): patches of a spectrogram, each
    stretch of time averaged over its bands.

    It always sees the length that it was trained on (10 s in the published one); what is longer is
    cut, pooling "first" is the class token.
    """

    def __init__(
        self,
        name: str,
        choice: Choice,
        model: nn.Module,
        weights: str,
        statistics: dict[str, float],
        segments: int = 4,
    ) -> None:
        super().__init__(name, choice, segments)
        config: Any = model.config
        self.model, self.config, self.statistics = frozen(model), config, statistics
        self.layers = checked_layers(
            name, choice.layers, [config.num_hidden_layers], config.num_hidden_layers
        )
        self.dim = config.hidden_size * self.segments * len(self.layers)
        options = {
            "segments": self.segments,
            "layers": self.layers,
            "statistics": statistics,
            "precision": precision(),
        }
        self.fingerprint = fingerprint_of(name, weights, pooling=self.pooling, **options)

    @cached_property
    def mel(self) -> Any:
        from transformers import ASTFeatureExtractor

        return ASTFeatureExtractor(
            num_mel_bins=self.config.num_mel_bins,
            max_length=self.config.max_length,
            **self.statistics,
        )

    def bucket(self, prepared: np.ndarray) -> int:
        return 0

    def frames(self, samples: int) -> int:
        """Return the number of patches: a spectrum each 10 ms, a patch each `time_stride`."""
        spectra = samples // (RATE // 100)
        return 1 + max(0, spectra - self.config.patch_size) // int(self.config.time_stride)

    def vectors(self, inputs: Sequence[np.ndarray]) -> Tensor:
        with exact():
            extracted = self.mel(list(inputs), sampling_rate=RATE, return_tensors="pt")
        spectra = extracted.input_values.to(device())
        states = self.model(spectra, output_hidden_states=True).hidden_states
        return torch.cat([self.pooled(states[layer], inputs) for layer in self.layers], 1)

    def pooled(self, state: Tensor, inputs: Sequence[np.ndarray]) -> Tensor:
        """Pool a state, (b, 2 + bands * times, d), class and distillation token first."""
        if self.pooling == "first":
            return state[:, 0].float()
        bands = 1 + (self.config.num_mel_bins - self.config.patch_size) // int(
            self.config.frequency_stride
        )
        return self.pool(state[:, 2:].unflatten(1, (bands, -1)).mean(1), inputs)

"""Encoders of random weights with a fixed seed: real architectures in milliseconds, for tests and
for machines without the packages.
"""

import zlib

import torch
from torch import nn
from transformers import BertConfig, BertModel, ResNetConfig, ResNetModel, WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from fusion.encoders.adapters.language import MAX_TOKENS, Language
from fusion.encoders.adapters.speech import WhisperSpeech
from fusion.encoders.adapters.vision import HubVision
from fusion.encoders.base import Choice, Encoder, weights_digest
from fusion.encoders.catalogue import Entry

SEED = 20_240
VOCABULARY = 2_000


def load(entry: Entry, choice: Choice) -> Encoder:
    # the caller's random numbers go on as if nothing had been drawn
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = {"image": resnet, "audio": whisper, "text": bert}[entry.kind]()
    weights = weights_digest(dict(model.state_dict()))
    if entry.kind == "image":
        preparation = {
            "mean": [127.5] * 3,
            "std": [127.5] * 3,
            "px": entry.resolution,
            "grid": list(entry.default_grid),
        }
        return HubVision(entry.name, entry.title, choice, model, weights, preparation)
    if entry.kind == "audio":
        return WhisperSpeech(
            entry.name, choice, model.config, lambda: model, weights, entry.default_grid[0]
        )
    return Language(entry.name, choice, model.config, lambda: model, tokenise, weights)


def resnet() -> nn.Module:
    return ResNetModel(
        ResNetConfig(
            embedding_size=16,
            hidden_sizes=[16, 32],
            depths=[1, 1],
            layer_type="basic",
            downsample_in_first_stage=False,
        )
    )


def whisper() -> nn.Module:
    config = WhisperConfig(
        d_model=32, encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=64, num_mel_bins=80
    )
    return WhisperEncoder(config)


def bert() -> nn.Module:
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
    )
    return BertModel(config, add_pooling_layer=False)


def tokenise(text: str) -> list[int]:
    """Words hashed into the vocabulary; 0 pads."""
    return [1 + zlib.crc32(word.encode()) % (VOCABULARY - 1) for word in text.lower().split()][
        :MAX_TOKENS
    ]

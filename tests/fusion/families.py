"""Tiny models of every family, saved as transformers folders."""

from pathlib import Path
from typing import Any

import torch
import transformers

from fusion.encoders import named
from fusion.encoders.families import FAMILIES

TOKENS = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
TEXT = {**TOKENS, "vocab_size": 60, "max_position_embeddings": 34}
DECODER = {"bos_token_id": 1, "eos_token_id": 2}
PATCHES = {**TOKENS, "image_size": 32, "patch_size": 8}
MAPS = {"hidden_sizes": [8, 16], "depths": [1, 1]}
WAVE = {
    **TOKENS,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}

CONFIGS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "bert": ("BertModel", "BertConfig", TEXT),
    "roberta": ("RobertaModel", "RobertaConfig", TEXT),
    "gpt2": ("GPT2Model", "GPT2Config", {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 60, "n_positions": 34, **DECODER}),
    "gpt_neox": ("GPTNeoXModel", "GPTNeoXConfig", {**TEXT, **DECODER}),
    "llama": ("LlamaModel", "LlamaConfig", {**TEXT, **DECODER}),
    "resnet": ("ResNetModel", "ResNetConfig", {"embedding_size": 8, "layer_type": "basic", **MAPS}),
    "convnext": ("ConvNextModel", "ConvNextConfig", {**MAPS, "num_stages": 2}),
    "swin": ("SwinModel", "SwinConfig", {"image_size": 32, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 1], "window_size": 4}),
    "vit": ("ViTModel", "ViTConfig", PATCHES),
    "dinov2": ("Dinov2Model", "Dinov2Config", PATCHES),
    "whisper": (
        "WhisperModel",
        "WhisperConfig",
        {"d_model": 16, "encoder_layers": 2, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
         "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "vocab_size": 60, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
         "decoder_start_token_id": 1},
    ),
    "wav2vec2": ("Wav2Vec2Model", "Wav2Vec2Config", WAVE),
    "hubert": ("HubertModel", "HubertConfig", {**WAVE, "feat_extract_norm": "layer"}),
    "audio-spectrogram-transformer": ("ASTModel", "ASTConfig", {**TOKENS, "max_length": 256}),
    "patchtst": (
        "PatchTSTModel",
        "PatchTSTConfig",
        {"context_length": 64, "patch_length": 8, "patch_stride": 8, "d_model": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
         "ffn_dim": 16, "num_input_channels": 1},
    ),
}  # fmt: skip
FEW_HEADS = {**TEXT, **DECODER, "num_key_value_heads": 2, "pad_token_id": 0}
KIN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "electra": ("ElectraModel", "ElectraConfig", {**TEXT, "embedding_size": 16}),
    "distilbert": ("DistilBertModel", "DistilBertConfig", {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 16, "vocab_size": 60, "max_position_embeddings": 34}),
    "albert": ("AlbertModel", "AlbertConfig", {**TEXT, "embedding_size": 8}),
    "mpnet": ("MPNetModel", "MPNetConfig", TEXT),
    "modernbert": ("ModernBertModel", "ModernBertConfig", {**TEXT, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}),
    "xlm-roberta": ("XLMRobertaModel", "XLMRobertaConfig", TEXT),
    "camembert": ("CamembertModel", "CamembertConfig", TEXT),
    "gpt_neo": ("GPTNeoModel", "GPTNeoConfig", {"hidden_size": 16, "num_layers": 2, "num_heads": 2, "attention_types": [[["global"], 2]], "vocab_size": 60, "max_position_embeddings": 34, **DECODER}),
    "opt": ("OPTModel", "OPTConfig", {"hidden_size": 16, "word_embed_proj_dim": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 16, "vocab_size": 60, "max_position_embeddings": 34, **DECODER}),
    "mistral": ("MistralModel", "MistralConfig", FEW_HEADS),
    "qwen2": ("Qwen2Model", "Qwen2Config", FEW_HEADS),
    "qwen3": ("Qwen3Model", "Qwen3Config", {**FEW_HEADS, "head_dim": 8}),
    "phi": ("PhiModel", "PhiConfig", FEW_HEADS),
    "phi3": ("Phi3Model", "Phi3Config", FEW_HEADS),
    "convnextv2": ("ConvNextV2Model", "ConvNextV2Config", {**MAPS, "num_stages": 2}),
    "deit": ("DeiTModel", "DeiTConfig", PATCHES),
    "beit": ("BeitModel", "BeitConfig", PATCHES),
    "wavlm": ("WavLMModel", "WavLMConfig", WAVE),
}  # fmt: skip
"""Families that are read as one of those above is; they are made when they are asked for."""
KINDS = {name: FAMILIES[name].kind for name in (*CONFIGS, *KIN)}
WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "a",
    "pair",
    "of",
    "them",
    "none",
    "the",
    "count",
    "was",
    "even",
]


def saved(folder: Path, family: str, **changes: Any) -> Path:
    """The same random weights each time."""
    model, config, values = (CONFIGS | KIN)[family]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        getattr(transformers, model)(
            getattr(transformers, config)(**{**values, **changes})
        ).save_pretrained(folder)
    if KINDS[family] == "text":
        (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
        tokenizer = transformers.BertTokenizerFast(str(folder / "vocab.txt"))
        if FAMILIES[family].title in ("GPT", "Llama"):  # these add no special tokens
            tokenizer.backend_tokenizer.post_processor = None
        tokenizer.save_pretrained(folder)
    return folder


def choice(name, **options):
    found = named(name)
    for option, value in options.items():
        setattr(found, option, value)
    return found


def encoded(encoder, contents):
    return encoder.encode([encoder.prepare(content) for content in contents])

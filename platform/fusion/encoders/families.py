"""The families of transformers that can be encoders. Light, like the catalogue."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """A family of architectures.

    kind: of the modality; reader: the layout of its output; poolings: those to choose from, the
    default first.
    """

    title: str
    kind: str
    reader: str

    @property
    def poolings(self) -> tuple[str, ...]:
        return POOLINGS[self.reader]


POOLINGS = {
    "tokens": ("mean", "first", "last", "segments"),
    "map": ("mean", "grid"),
    "patches": ("mean", "first", "grid"),
    "whisper": ("segments", "mean", "first", "last"),
    "wave": ("segments", "mean", "first", "last"),
    "spectrogram": ("segments", "mean", "first", "last"),
    "series": ("mean", "segments", "first", "last"),
}

FAMILIES = {
    **dict.fromkeys(
        ("bert", "electra", "distilbert", "albert", "mpnet", "modernbert"),
        Family("BERT", "text", "tokens"),
    ),
    **dict.fromkeys(("roberta", "xlm-roberta", "camembert"), Family("RoBERTa", "text", "tokens")),
    **dict.fromkeys(("gpt2", "gpt_neo", "gpt_neox", "opt"), Family("GPT", "text", "tokens")),
    **dict.fromkeys(
        ("llama", "mistral", "qwen2", "qwen3", "phi", "phi3"), Family("Llama", "text", "tokens")
    ),
    "resnet": Family("ResNet", "image", "map"),
    **dict.fromkeys(("convnext", "convnextv2"), Family("ConvNeXt", "image", "map")),
    "swin": Family("Swin", "image", "map"),
    **dict.fromkeys(("vit", "deit", "dinov2", "beit"), Family("ViT", "image", "patches")),
    "whisper": Family("Whisper", "audio", "whisper"),
    **dict.fromkeys(("wav2vec2", "wavlm"), Family("wav2vec 2.0", "audio", "wave")),
    "hubert": Family("HuBERT", "audio", "wave"),
    "audio-spectrogram-transformer": Family("AST", "audio", "spectrogram"),
    "patchtst": Family("PatchTST", "series", "series"),
}
"""model_type of config.json -> family."""

"""Reading 1,000 samples of each modality: seconds of CPU against plain loops in the same run, from
the cache, and the cache itself.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from consilience.demo.encoders import packaged
from fusion.core.progress import Progress
from fusion.data.alignment import Aligned
from fusion.data.modalities import audio, image
from fusion.data.study import Study
from fusion.data.study_columns import align
from fusion.encoders import catalogue
from fusion.encoders.cache import Cache
from fusion.encoders.embedding import contents, embed
from fusion.encoders.runtime import OF_RECIPES, in_precision
from fusion.estimates.machine import has_bf16
from fusion.pipeline.run import train
from fusion.schema.recipe import EncoderChoice, Recipe
from fusion.schema.result import EvaluationResult

from .engine import interval
from .rows import Place, Row, fact, under
from .study import study_of

N, REPEATS = 1000, 3
FP32, BF16, CACHED, COSINE = 0.70, 0.28, 0.02, 0.99
POOLED = {
    "image": EncoderChoice(name="efficientnet-lite0", pooling="mean"),
    "audio": EncoderChoice(name="whisper-tiny-en", pooling="mean"),
    "text": EncoderChoice(name="minilm-l6-v2", pooling="mean"),
}
"""One vector a sample from the last layer, as most people would take it; the picture at 128 pixels.
"""
IMAGE_PX, SPEECH_SECONDS, RATE = 128, 1.5, 16_000
BATCH = {"image": 32, "audio": 16, "text": 32}
VECTORS, DIM, WINDOW, LOOKED_UP = 1_000_000, 384, 512, 256
LOOK_UP_MS, OPENING_MS = 5.0, 100.0
Vectors = NDArray[np.float32]


def measure(place: Place) -> list[Row]:
    torch.set_num_threads(1)
    aligned = align(Study.load(study_of(place)))
    some = first_of(aligned, 48 if place.small else N)
    cells = sum(len(contents(modality)) for modality in some.modalities.values())
    plain = median([seconds(lambda: plain_loops(some))[0] for _ in range(REPEATS)])
    rows = [Row("contents read", f"{cells:,}"), fact("plain loops, CPU", plain, "s")]
    exact = [timed(some, place.folder / f"fp32-{n}", "fp32") for n in range(REPEATS)]
    rows += [
        share("embedding in fp32", median([took for took, _ in exact]), plain, FP32, place.small)
    ]
    again, _ = timed(some, place.folder / "fp32-0", "fp32")
    rows += [share("from the cache", again, plain, CACHED, place.small)]
    if has_bf16():
        rounded = [timed(some, place.folder / f"bf16-{n}", "bf16") for n in range(REPEATS)]
        rows += [
            share(
                "embedding in bf16", median([took for took, _ in rounded]), plain, BF16, place.small
            )
        ]
        rows += [cosine(name, exact[0][1][name], rounded[0][1][name]) for name in exact[0][1]]
        rows += macro_f1(aligned, place)
    return [*rows, *cache(place)]


def first_of(aligned: Aligned, n: int) -> Aligned:
    """Return the first n contents of each modality that a pretrained encoder reads, a row each."""
    modalities = {}
    for name, modality in aligned.modalities.items():
        if modality.kind in POOLED:
            rows = list(contents(modality).values())[:n]
            modalities[name] = replace(modality, cells=[modality.cells[row] for row in rows])
    most = max(len(modality.cells) for modality in modalities.values())
    filled = {
        name: replace(modality, cells=[*modality.cells, *[None] * (most - len(modality.cells))])
        for name, modality in modalities.items()
    }
    return Aligned([str(i) for i in range(most)], [None] * most, filled)


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def median(values: Sequence[float]) -> float:
    return float(np.median(values))


def timed(some: Aligned, folder: Path, precision: str) -> tuple[float, dict[str, Vectors]]:
    with in_precision(OF_RECIPES[precision]):
        took, features = seconds(lambda: embed(some, choices(some), Cache(folder), Progress()))
    return took, {name: x[some.modalities[name].present()] for name, x in features.x.items()}


def choices(some: Aligned) -> dict[str, EncoderChoice]:
    return {name: POOLED[modality.kind] for name, modality in some.modalities.items()}


def share(what: str, took: float, plain: float, bar: float, small: bool) -> Row:
    return Row(
        f"{what}, CPU",
        f"{took:.2f} s, {took / plain:.3f} of plain loops",
        f"at most {bar}",
        None if small else took <= bar * plain,
    )


def cosine(name: str, exact: Vectors, rounded: Vectors) -> Row:
    norms = np.linalg.norm(exact, axis=1) * np.linalg.norm(rounded, axis=1)
    cosines = (exact * rounded).sum(1) / norms
    return Row(
        f"  cosine of {name} to fp32",
        f"{cosines.min():.4f} to {cosines.max():.4f}",
        f"at least {COSINE}",
        bool(cosines.min() >= COSINE),
    )


def macro_f1(aligned: Aligned, place: Place) -> list[Row]:
    """Compare macro-F1 of the default recipe in both precisions."""
    exact, rounded = (trained(aligned, place, precision) for precision in ("fp32", "bf16"))
    score, other = exact.headline.score, rounded.headline.score
    assert score.low is not None
    assert score.high is not None
    unchanged = score.low <= other.value <= score.high
    return [
        Row("  macro-F1 in fp32", interval(score.model_dump())),
        Row(
            "  macro-F1 in bf16",
            interval(other.model_dump()),
            "within the interval of fp32",
            unchanged,
        ),
    ]


def trained(aligned: Aligned, place: Place, precision: str) -> EvaluationResult:
    recipe = Recipe.default().model_copy(update={"precision": precision})
    return train(
        aligned,
        recipe,
        place.folder / f"run-{precision}",
        Cache(place.folder / "embeddings"),
        Progress(),
    )


def plain_loops(some: Aligned) -> None:
    """Run the networks as published, batches as the rows come, all padded to the longest."""
    readers = {"image": plain_images, "audio": plain_recordings, "text": plain_texts}
    with torch.inference_mode():
        for modality in some.modalities.values():
            rows = [row for row, cell in enumerate(modality.cells) if cell is not None]
            size, read = BATCH[modality.kind], readers[modality.kind]()
            for begin in range(0, len(rows), size):
                read([modality.content(row) for row in rows[begin : begin + size]])


def plain_images() -> Callable[[Sequence[Any]], Any]:
    from safetensors.torch import load_file

    from consilience.demo.encoders.efficientnet import BLOCKS, EfficientNetLite0

    model = EfficientNetLite0()
    model.load_state_dict(load_file(packaged.converted(known("image"), packaged.read_pth)))
    model.eval()

    def read(paths: Sequence[Any]) -> Any:
        pixels = np.stack([image.decode(Path(str(path)), IMAGE_PX) for path in paths]).astype(
            np.float32
        )
        return model(
            torch.from_numpy((pixels - 127) / 128).permute(0, 3, 1, 2).contiguous(), [BLOCKS]
        )[BLOCKS].mean((2, 3))

    return read


def plain_recordings() -> Callable[[Sequence[Any]], Any]:
    from transformers import WhisperFeatureExtractor

    encoder: Any = packaged.load(known("audio"), POOLED["audio"])
    extract, samples = WhisperFeatureExtractor(feature_size=80), int(SPEECH_SECONDS * RATE)
    encoder.cut_to(samples // 320)

    def read(paths: Sequence[Any]) -> Any:
        sounds = [audio.decode(Path(str(path)), RATE, SPEECH_SECONDS)[:samples] for path in paths]
        spectra = extract(
            sounds,
            sampling_rate=RATE,
            return_tensors="pt",
            padding="max_length",
            max_length=samples,
        )
        return encoder.model(spectra.input_features).last_hidden_state.mean(1)

    return read


def plain_texts() -> Callable[[Sequence[Any]], Any]:
    from transformers import AutoTokenizer

    entry = known("text")
    tokenizer = AutoTokenizer.from_pretrained(
        str(packaged.checked_file(entry).parent), local_files_only=True
    )
    encoder: Any = packaged.load(entry, POOLED["text"])

    def read(texts: Sequence[Any]) -> Any:
        tokens = tokenizer(
            [str(text) for text in texts], padding=True, truncation=True, return_tensors="pt"
        )
        states, mask = (
            encoder.model(**tokens).last_hidden_state,
            tokens["attention_mask"][..., None],
        )
        return (states * mask).sum(1) / mask.sum(1)

    return read


def known(kind: str) -> catalogue.Entry:
    entry = catalogue.get(POOLED[kind].name)
    assert entry is not None
    return entry


def cache(place: Place) -> list[Row]:
    """Measure a store of a million vectors, written a window at a time."""
    n, rng = 20_000 if place.small else VECTORS, np.random.default_rng(0)
    digests = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(n)]
    folder, fingerprint = place.folder / "million", "f" * 64
    writer = Cache(folder).store(fingerprint, DIM)
    for begin in range(0, n, WINDOW):
        window = digests[begin : begin + WINDOW]
        writer.put(window, rng.standard_normal((len(window), DIM), dtype=np.float32))
    begun = time.perf_counter()
    reader = Cache(folder).store(fingerprint, DIM)
    opened, took = 1000 * (time.perf_counter() - begun), []
    for _ in range(20):
        batch = [digests[i] for i in rng.integers(0, n, LOOKED_UP)]
        begun = time.perf_counter()
        _, known = reader.get(batch)
        took.append(1000 * (time.perf_counter() - begun))
        assert known.all()
    title = f"cache of {n:,} x {DIM}"
    return [
        under(f"{title}: opening, {len(reader.shards)} files", opened, OPENING_MS, "ms"),
        under(f"{title}: a shuffled batch of {LOOKED_UP}", median(took), LOOK_UP_MS, "ms"),
    ]

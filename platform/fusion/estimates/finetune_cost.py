"""The cost of fine-tuning, beside all else of a run (fusion.estimates.cost): seconds of training
passes, MB of weights, gradients and activations.

Typical figures were measured with MiniLM, Whisper tiny and EfficientNet-Lite0 on a core; a machine
learns its own ratio to them.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fusion.encoders import catalogue
from fusion.schema.recipe import EncoderChoice, Recipe

if TYPE_CHECKING:
    from fusion.estimates.cost import Input, Shape

PASS = {"lora": 2.0, "last": 2.0, "full": 4.0}
"""There and back through the encoder, against a cell that is only read."""
AGAIN = 1.4
"""Times that, where blocks are computed twice to save memory."""
NUMBER, STATE = 4, 12
"""Bytes of a weight in float32; of its gradient and the two moments that AdamW keeps of it."""
ACTIVATIONS_MB = 10.0
"""Of a sample, for each 20 million parameters, and no less; a third of it where blocks are computed
twice.
"""
PARAMETERS, BLOCKS, WIDTH = 25_000_000, 12, 768
"""Of an encoder that says nothing of itself."""
MAPS = 18
"""Widths of the linear maps of a transformer's block together, in and out: four of attention, two
four times as wide between.
"""


def tuned(shape: "Shape", recipe: Recipe) -> Iterator[tuple["Input", EncoderChoice]]:
    for modality in shape.inputs:
        for choice in recipe.encoders.get(modality.name, []):
            if choice.tune != "frozen":
                yield modality, choice


def ways(shape: "Shape", recipe: Recipe) -> str:
    """Return the ways of fine-tuning as the machine remembers how long they take."""
    return "+".join(sorted({choice.tune for _, choice in tuned(shape, recipe)}))


def cells(shape: "Shape", recipe: Recipe) -> dict[str, float]:
    """Encoder -> passes through it by typical figures: every set of training rows tunes it once and
    reads all samples with it.
    """
    sets = shape.rounds * (1 + recipe.training.inner_folds) + 1
    share = 1 - 1 / max(2, shape.rounds)
    cells: dict[str, float] = {}
    for modality, choice in tuned(shape, recipe):
        options = choice.tuning_options
        passes = (
            options.epochs * share * PASS[choice.tune] * (AGAIN if options.checkpointing else 1)
        )
        cells[choice.name] = cells.get(choice.name, 0.0) + sets * modality.present * (passes + 1)
    return cells


def memory_mb(shape: "Shape", recipe: Recipe) -> tuple[float, EncoderChoice | None]:
    """Return the MB of the encoder that takes most while it is tuned, one at a time, and that
    encoder.
    """
    sizes = [(encoder_mb(choice), choice) for _, choice in tuned(shape, recipe)]
    return max(sizes, key=lambda size: size[0], default=(0.0, None))


def encoder_mb(choice: EncoderChoice) -> float:
    entry, options = catalogue.get(choice.name), choice.tuning_options
    parameters = (entry and entry.parameters) or PARAMETERS
    share = 1.0 if choice.tune == "full" else min(1.0, options.blocks / blocks_of(choice))
    batch = -(-options.batch_size // options.accumulate)
    activations = (
        ACTIVATIONS_MB
        * max(1.0, parameters / 20e6)
        * share
        * batch
        * (1 / 3 if options.checkpointing else 1)
    )
    return (
        parameters * NUMBER + trained(choice, parameters) * (STATE + NUMBER)
    ) / 2**20 + activations


def trained(choice: EncoderChoice, parameters: int) -> float:
    """Return about how many weights fine-tuning changes."""
    entry, options = catalogue.get(choice.name), choice.tuning_options
    if choice.tune == "full":
        return parameters
    share = min(1.0, options.blocks / blocks_of(choice))
    if choice.tune == "last":
        return parameters * share
    return (
        options.rank
        * MAPS
        * ((entry and entry.dim) or WIDTH)
        * min(options.blocks, blocks_of(choice))
    )


def blocks_of(choice: EncoderChoice) -> int:
    entry = catalogue.get(choice.name)
    return max(1, len(entry.layers) - 1) if entry and entry.layers else BLOCKS

"""Choose the weights of an encoder to train: low-rank adapters, its last blocks, or everything that
its vectors depend on.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from fusion.encoders import load
from fusion.encoders.base import Encoder, EncoderError, fingerprint_of, weights_digest
from fusion.schema.recipe import EncoderChoice

ONE_SECOND = 16_000
"""Samples of a recording."""

Adapted = Mapping[str, Mapping[int, "Tuned"]]
"""Modality -> number of the encoder -> its tuned weights."""


@dataclass(frozen=True)
class Tuned:
    """The weights of an encoder that tuning changed.

    tensors: name of a weight -> its values; of LoRA the adapters alone.
    """

    choice: EncoderChoice
    tensors: dict[str, NDArray[Any]] = field(repr=False)

    @cached_property
    def digest(self) -> str:
        return weights_digest(
            {name: torch.from_numpy(value) for name, value in self.tensors.items()}
        )

    @property
    def parameters(self) -> int:
        return sum(value.size for value in self.tensors.values())

    def put_on(self, encoder: Encoder) -> None:
        """The freshly loaded encoder becomes the tuned one, by another fingerprint. Raises
        EncoderError where the weights do not fit.
        """
        adapt(encoder, self.choice)
        chosen = trained(encoder)
        if {name: value.shape for name, value in chosen.items()} != {
            name: value.shape for name, value in self.tensors.items()
        }:
            raise EncoderError(
                f"the tuned weights do not fit the encoder {encoder.name}; "
                f"they were made for another version of it"
            )
        with torch.no_grad():
            for name, value in chosen.items():
                value.copy_(torch.from_numpy(self.tensors[name]))
        seal(encoder, self.digest)

    def part(self, part: dict[str, Any]) -> dict[str, Any]:
        """Return an encoder's share of the features as `embed` describes it, tuned."""
        return part | {
            "fingerprint": fingerprint_of(part["name"], part["fingerprint"], tuned=self.digest)
        }


def count(choice: EncoderChoice, folders: bool = False) -> tuple[int, int]:
    """Return the numbers of trained and of all parameters of an encoder as the recipe tunes it.
    Loads it; raises EncoderError where it cannot be tuned.
    """
    encoder = load(choice, folders)
    n_all = sum(value.numel() for value in network(encoder).parameters())
    if choice.tune == "frozen":
        return 0, n_all
    adapt(encoder, choice)
    return sum(value.numel() for value in trained(encoder).values()), n_all


def network(encoder: Encoder) -> nn.Module:
    """Return the network of an encoder; raises EncoderError for one without weights."""
    model = getattr(encoder, "model", None)
    if not isinstance(model, nn.Module) or not hasattr(encoder, "vectors"):
        raise EncoderError(
            f"encoder {encoder.name} has no weights that could be tuned; leave it frozen"
        )
    return model


def adapt(encoder: Encoder, choice: EncoderChoice) -> None:
    """Make the weights that `choice.tune` names trainable and no others; adapters are drawn from
    torch's random state.
    """
    model, tuning = network(encoder), choice.tuning_options
    model.requires_grad_(True)
    wanted = weights_used(encoder)
    if choice.tune != "full":
        last = [f"{name}." for name in used_blocks(encoder, wanted)[-tuning.blocks :]]
        wanted = {name for name in wanted if name.startswith(tuple(last))}
    if choice.tune == "lora":
        add_adapters(encoder, wanted, tuning.rank)
        wanted = {name for name, value in model.named_parameters() if value.requires_grad}
    for name, value in model.named_parameters():
        value.requires_grad_(name in wanted)


def weights_used(encoder: Encoder) -> set[str]:
    """Return the names of the weights that a vector depends on: not a pooler, nor blocks above the
    last layer that is read.
    """
    before = {
        name: value for name, value in network(encoder).named_parameters() if value.requires_grad
    }
    vectors = encoder.vectors([example(encoder)])  # type: ignore[attr-defined]
    # embeddings of positions may be cut to the input's length, and are then not what they were a
    # moment ago
    unchanged = {
        name: value
        for name, value in network(encoder).named_parameters()
        if before.get(name) is value
    }
    gradients = torch.autograd.grad(
        vectors.square().sum(), list(unchanged.values()), allow_unused=True
    )
    return {name for name, gradient in zip(unchanged, gradients) if gradient is not None}


def example(encoder: Encoder) -> Any:
    """Return an input of the right kind, as `prepare` gives it."""
    if encoder.kind == "text":
        return encoder.prepare("one or two words")
    if encoder.kind == "audio":
        return np.zeros(ONE_SECOND, np.float32)
    if encoder.kind == "image":
        side = encoder.px  # type: ignore[attr-defined]
        return np.zeros((side, side, 3), np.uint8)
    return encoder.prepare(tuple(float(place) for place in range(64)))


def blocks_of(model: nn.Module) -> dict[str, nn.Module]:
    """Return the consecutive blocks of a network by name: the list that holds most of the weights,
    the outermost of equals.
    """
    lists = {
        name: module for name, module in model.named_modules() if isinstance(module, nn.ModuleList)
    }
    if not lists:
        return {}
    largest = max(lists, key=lambda name: sum(value.numel() for value in lists[name].parameters()))
    return {f"{largest}.{place}": block for place, block in enumerate(lists[largest])}


def used_blocks(encoder: Encoder, used: set[str]) -> list[str]:
    """Return the names of the blocks that hold used weights; raises EncoderError without any."""
    blocks = [
        block
        for block in blocks_of(network(encoder))
        if any(name.startswith(f"{block}.") for name in used)
    ]
    if not blocks:
        raise EncoderError(
            f"encoder {encoder.name} has no blocks one behind the other; "
            f"tune all of it (full), or leave it frozen"
        )
    return blocks


def add_adapters(encoder: Encoder, weights: set[str], rank: int) -> None:
    """Add a product of two matrices of this rank, zero at first, to every linear map or convolution
    of `weights` (Hu et al. 2022, LoRA, ICLR).
    """
    from peft import LoraConfig, inject_adapter_in_model
    from transformers.pytorch_utils import Conv1D

    model = network(encoder)
    maps = [
        name
        for name, module in model.named_modules()
        if f"{name}.weight" in weights
        and (
            isinstance(module, nn.Linear | Conv1D)
            or (isinstance(module, nn.Conv2d) and module.groups == 1)
        )
    ]
    if not maps:
        raise EncoderError(
            f"encoder {encoder.name} has no linear maps to adapt; "
            f"tune its last blocks (last), or leave it frozen"
        )
    transposed = any(isinstance(model.get_submodule(name), Conv1D) for name in maps)
    inject_adapter_in_model(
        LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=maps, fan_in_fan_out=transposed),
        model,
    )


def trained(encoder: Encoder) -> dict[str, Tensor]:
    """Return the trainable weights by name."""
    return {
        name: value for name, value in network(encoder).named_parameters() if value.requires_grad
    }


def tuned(encoder: Encoder, choice: EncoderChoice) -> Tuned:
    return Tuned(
        choice,
        {name: value.detach().cpu().numpy().copy() for name, value in trained(encoder).items()},
    )


def seal(encoder: Encoder, digest: str) -> None:
    """End the training; vectors of these weights have a fingerprint of their own."""
    network(encoder).eval().requires_grad_(False)
    encoder.fingerprint = fingerprint_of(encoder.name, encoder.fingerprint, tuned=digest)


def dropout_on(model: nn.Module) -> None:
    """Switch on dropout alone. Batch norms keep their moments; no layer is skipped and nothing else
    of the input is hidden.
    """
    for module in model.eval().modules():
        if isinstance(module, nn.Dropout):
            module.train()


@contextmanager
def checkpointed(model: nn.Module, on: bool) -> Iterator[None]:
    """Let each block be computed again in the backward pass and keep no activations until then
    (Chen et al. 2016, Sublinear Memory Cost).
    """
    config: Any = getattr(model, "config", None)
    if on and config is not None:
        # a language model would put its keys a second time beside those of the first
        config.use_cache = False
    blocks = list(blocks_of(model).values()) if on else []
    for block in blocks:
        block.forward = partial(  # type: ignore[method-assign]
            checkpoint, block.forward, use_reentrant=False
        )
    try:
        yield
    finally:
        for block in blocks:
            del block.forward

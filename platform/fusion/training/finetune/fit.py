"""The training loop of an encoder with a linear head on its vectors: AdamW, one-cycle, several
processes or one, exact resume.

A batch is cut into equal parts, one after the other (`accumulate`) and over the processes of
`accelerate launch`: the gradient is that of the whole batch whatever the number of parts, so
neither changes what is learnt (but for dropout, which each part draws anew).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusion.core.files import read_tensors, write_tensors
from fusion.encoders.adaptation import checkpointed, dropout_on, network, trained
from fusion.encoders.base import Encoder
from fusion.encoders.runtime import device
from fusion.features.whitening import Whitening
from fusion.schema.recipe import EncoderChoice, Training
from fusion.schema.task_names import TaskName
from fusion.tasks.losses import TEACHING
from fusion.training.loop import Hooks, seed_everything, starting
from fusion.training.optimizer import AdamW

RATES = {"lora": 1e-3, "last": 1e-4, "full": 5e-5}
"""Peak learning rates where the recipe names none: adapters are new and small, pretrained weights
are to be moved with care.
"""
CLIP = 1.0
"""Longest gradient, as a norm over all trained weights."""
PATIENCE = timedelta(hours=12)
"""How long the other processes wait while the first one embeds."""


class Headed(nn.Module):
    """An encoder and a linear head on its whitened vectors, which starts as the linear model on the
    frozen ones.

    So the first steps do not tear at the encoder for the sake of a random head (Kumar et al. 2022,
    LP-FT, ICLR).
    """

    mean: Tensor
    scale: Tensor
    components: Tensor
    prior: Tensor

    def __init__(
        self,
        encoder: Encoder,
        whitening: Whitening,
        weight: NDArray[Any],
        bias: NDArray[Any],
        prior: NDArray[Any] | None = None,
        task: TaskName = "classification",
    ) -> None:
        """weight: (whitened, D), bias, prior: (D,)"""
        super().__init__()
        self.teaching = TEACHING[task]
        self.register_buffer("prior", torch.tensor(bias if prior is None else prior))
        self.encoder, self.model = encoder, network(encoder)
        self.weight, self.bias = (
            nn.Parameter(torch.tensor(weight)),
            nn.Parameter(torch.tensor(bias)),
        )
        for name in ("mean", "scale", "components"):
            self.register_buffer(name, torch.tensor(getattr(whitening, name)))

    def forward(self, inputs: Sequence[Any]) -> Tensor:
        """Inputs as the encoder prepares them -> outputs (b, D)."""
        vectors = self.encoder.vectors(inputs).float()  # type: ignore[attr-defined]
        raw = (vectors - self.mean) / self.scale @ self.components @ self.weight + self.bias
        return self.teaching.speak(raw, self.prior)


@dataclass(frozen=True)
class Examples:
    """input(i): the i-th one as the encoder prepares it, decoded when it is asked for; y: (n, ...)
    as the learning task encodes it.
    """

    input: Callable[[int], Any]
    y: Tensor

    def part(self, rows: Tensor) -> tuple[list[Any], Tensor]:
        return [self.input(int(row)) for row in rows], self.y[rows]


def processes() -> Any:
    """The accelerator of this process: the processes that `accelerate launch` started, or this one
    alone. bf16 on a GPU.
    """
    from accelerate import Accelerator
    from accelerate.utils import InitProcessGroupKwargs

    on_cpu = device().type == "cpu"
    return Accelerator(
        cpu=on_cpu,
        mixed_precision="no" if on_cpu else "bf16",
        kwargs_handlers=[InitProcessGroupKwargs(timeout=PATIENCE)],
    )


def fit(
    headed: Headed,
    examples: Examples,
    choice: EncoderChoice,
    training: Training,
    unit: str,
    hooks: Hooks,
) -> list[float]:
    """Trains the trainable weights of the encoder with the head; the mean loss of each epoch.

    The same to the last bit with the same unit and seed, also when it was killed in between and the
    checkpoint was read.
    """
    tuning, n = choice.tuning_options, len(examples.y)
    steps = -(-n // tuning.batch_size)
    accelerator = processes()
    headed.to(device())
    weights = [value for value in headed.parameters() if value.requires_grad]
    optimizer = AdamW(
        weights,
        tuning.learning_rate or RATES[choice.tune],
        training.weight_decay,
        steps * tuning.epochs,
    )
    losses = restore(hooks, headed, optimizer)
    model, saved = accelerator.prepare(headed), time.monotonic()
    with checkpointed(headed.model, tuning.checkpointing):
        for epoch in range(len(losses), tuning.epochs):
            hooks.epoch(epoch)
            dropout_on(headed.model)
            order = order_of(unit, training.seeds[0], epoch, n, accelerator.process_index)
            total = torch.zeros((), device=device())
            for rows in order.tensor_split(steps) if steps else ():
                for value in weights:
                    value.grad = None
                batch = parts(examples, rows, tuning.accumulate, accelerator)
                for inputs, y, share, last in batch:
                    with nullcontext() if last else accelerator.no_sync(model):
                        loss = headed.teaching.losses(
                            y.to(device()), training.label_smoothing, model(inputs)
                        ).sum()
                        accelerator.backward(loss * share * accelerator.num_processes / len(rows))
                        total += loss.detach() * share
                descend(optimizer, weights)
            losses.append(float(accelerator.reduce(total)) / max(n, 1))
            due = time.monotonic() - saved >= hooks.checkpoint_seconds
            if hooks.checkpoint and accelerator.is_main_process and due:
                keep(hooks, headed, optimizer, losses)
                saved = time.monotonic()
    headed.eval()
    return losses


def descend(optimizer: AdamW, weights: Sequence[Tensor]) -> None:
    """Take one step along the clipped gradients; a weight that the batch did not touch has none."""
    nn.utils.clip_grad_norm_(weights, CLIP)
    optimizer.descend(
        [value.grad if value.grad is not None else torch.zeros_like(value) for value in weights]
    )


def order_of(unit: str, seed: int, epoch: int, n: int, process: int) -> Tensor:
    """The same order in every process; what is drawn afterwards, for dropout, differs
    between them.
    """
    seed_everything(unit, seed, epoch)
    order = torch.randperm(n)
    if process:
        seed_everything(unit, seed, epoch, process)
    return order


def parts(
    examples: Examples, rows: Tensor, accumulate: int, accelerator: Any
) -> Iterator[tuple[list[Any], Tensor, float, bool]]:
    """This process's parts of a batch: inputs, y, what they count, and whether it is the last one.

    Every process must go back through the network as often as the others, so one that has no sample
    left takes one that counts nothing.
    """
    n_parts = max(1, min(accumulate, len(rows) // accelerator.num_processes))
    own_parts = rows.tensor_split(n_parts * accelerator.num_processes)[
        accelerator.process_index :: accelerator.num_processes
    ]
    for place, part in enumerate(own_parts, 1):
        yield (
            *examples.part(part if len(part) else rows[:1]),
            float(len(part) > 0),
            place == n_parts,
        )


def state_of(headed: Headed) -> dict[str, Tensor]:
    return trained(headed.encoder) | {"head.weight": headed.weight, "head.bias": headed.bias}


def keep(hooks: Hooks, headed: Headed, optimizer: AdamW, losses: list[float]) -> None:
    """All that the next epoch depends on; random numbers are drawn anew for every epoch."""
    assert hooks.checkpoint is not None
    tensors = {f"net.{name}": value for name, value in state_of(headed).items()}
    tensors |= {f"optimizer.{name}": value for name, value in optimizer.tensors().items()}
    write_tensors(
        hooks.checkpoint,
        {name: value.detach().cpu().numpy() for name, value in tensors.items()},
        losses,
    )


def restore(hooks: Hooks, headed: Headed, optimizer: AdamW) -> list[float]:
    """The losses of the epochs that are done."""
    if hooks.checkpoint is None or not hooks.checkpoint.exists():
        return []
    tensors, losses = read_tensors(hooks.checkpoint)
    weights = starting(tensors, "net.")
    with torch.no_grad():
        for name, value in state_of(headed).items():
            value.copy_(weights[name])
    optimizer.load(starting(tensors, "optimizer."))
    return list(losses)

"""The training loop: AdamW, one-cycle, modality dropout, early stopping, a checkpoint after an
epoch, exact resume.

Several networks of one shape are trained side by side, each on its own samples, as one stack
(fusion.training.stacked): the sum of their losses has for each the gradient of its own, and AdamW
looks at each number alone, so none of them feels the others.
"""

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusion.core.files import read_tensors, write_tensors
from fusion.schema.recipe import Training
from fusion.tasks import task_of
from fusion.tasks.base import LearningTask
from fusion.tasks.calibration import temperature_of
from fusion.tasks.losses import TEACHING, Teaching
from fusion.training.knowledge_losses import Terms
from fusion.training.optimizer import AdamW
from fusion.training.stacked import stacked

AUX_WEIGHT = 1 / 3
CHECKPOINT_SECONDS = 2.0
"""A checkpoint costs two fsync; what takes less than this is simply repeated."""


@dataclass(frozen=True)
class Samples:
    """x: {modality: (n, dim)}, mask: (n, M) bool, y: (n, ...) as the learning task encodes it,
    fires: (n, R) bool, which rules speak about which samples.
    """

    x: dict[str, Tensor]
    mask: Tensor
    y: Tensor
    fires: Tensor | None = None

    def __len__(self) -> int:
        return len(self.y)

    def batch(self, rows: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """rows of any shape (...) -> x {modality: (..., dim)}, mask (..., M), y (..., as y is)"""
        flat = rows.flatten()
        chosen = [
            values.index_select(0, flat).unflatten(0, rows.shape)
            for values in (*self.x.values(), self.mask, self.y)
        ]
        return dict(zip(self.x, chosen)), chosen[-2], chosen[-1]

    @classmethod
    def joined(cls, parts: Sequence["Samples"]) -> tuple["Samples", list[int]]:
        """All of them one after the other, and where each begins; one that is given several times
        stands there once.
        """
        begins: dict[int, int] = {}
        different: list[Samples] = []
        for part in parts:
            if id(part) not in begins:
                begins[id(part)] = sum(map(len, different))
                different.append(part)
        x = {name: torch.cat([part.x[name] for part in different]) for name in parts[0].x}
        fires = [part.fires for part in different if part.fires is not None]
        whole = cls(
            x,
            torch.cat([part.mask for part in different]),
            torch.cat([part.y for part in different]),
            torch.cat(fires) if fires else None,
        )
        return whole, [begins[id(part)] for part in parts]


@dataclass
class History:
    """Curves by epoch, and the validation outputs (n_validation, D) of the best epoch (numbered
    from 1).

    The best epoch is that of the least log loss at its own best temperature: a temperature is
    fitted afterwards anyway, so over-confidence that it takes away must not stop a fit that still
    learns.
    """

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_score: list[float] = field(default_factory=list)
    calibrated_loss: list[float] = field(default_factory=list)
    best_epoch: int = 0
    best_logits: NDArray[np.float32] | None = None


@dataclass
class Watch:
    """Follows one of the networks for `epochs`: judged on `validation` after each, or for its
    weights after the last one.

    A network may be followed by several.
    """

    net: int
    epochs: int
    validation: Samples | None = None
    metric: Callable[[int, str, float], None] = lambda epoch, name, value: None
    history: History = field(default_factory=History)
    weights: dict[str, Tensor] = field(default_factory=dict)

    def goes_on(self, patience: int) -> bool:
        """Say whether the fit has epochs left and something was new in the last
        `patience` of them.
        """
        history = self.history
        return (
            len(history.train_loss) < self.epochs
            and len(history.validation_loss) - history.best_epoch < patience
        )


@dataclass
class Hooks:
    """epoch: told how many are done before each one; may raise to stop. checkpoint: a file, or None
    for none.
    """

    epoch: Callable[[int], None] = lambda done: None
    checkpoint: Path | None = None
    checkpoint_seconds: float = CHECKPOINT_SECONDS


def seed_everything(*parts: Any) -> None:
    """One seed from anything that names this fit, so that no fit depends on what ran before it."""
    seed = int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "little")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def drop_modalities(mask: Tensor, rate: float) -> Tensor:
    """mask: (..., M). Each modality of each sample is hidden with probability `rate`, but never the
    last one of a sample.
    """
    shown = mask & (torch.rand(mask.shape) >= rate)
    return torch.where(shown.any(-1, keepdim=True), shown, mask)


def batches(
    begins: Sequence[int], sizes: Sequence[int], steps: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch: each network's rows, `sizes` from `begins` on, in a random order. Yields rows and
    counts (networks, width), a step each.

    Who has fewer samples than another fills up with some that do not count.
    """
    rows, counts = [], []
    for begin, n in zip(begins, sizes):
        edges = torch.arange(steps + 1) * n // steps
        at = edges[:-1, None] + torch.arange(-(-max(sizes) // steps))
        rows.append(begin + torch.randperm(n)[at.clamp(max=n - 1)])
        counts.append(at < edges[1:, None])
    yield from zip(torch.stack(rows, 1), torch.stack(counts, 1).float())


def predict(net: nn.Module, x: Mapping[str, Tensor], mask: Tensor) -> NDArray[np.float32]:
    """Return the outputs of a trained network, (n, D)."""
    net.eval()
    with torch.inference_mode():
        return net(x, mask)[0].numpy()


def fit(
    nets: Sequence[nn.Module],
    samples: Sequence[Samples],
    recipe: Training,
    steps: int,
    watches: Sequence[Watch],
    hooks: Hooks,
    terms: Terms | None = None,
    task: LearningTask | None = None,
) -> None:
    """Trains each of `nets` on its samples by the recipe's one-cycle schedule, `steps` an epoch, as
    long as one of `watches` goes on.

    With the seed set before and the same input, the result is the same to the last bit, also when
    the process was killed in between and the checkpoint was read. What is found goes into
    `watches`. Networks must be of one shape, each with samples. task: classification by default.
    """
    task = task or task_of("classification")
    teaching = TEACHING[task.name]
    everything, begins = Samples.joined(samples)
    sizes = [len(part) for part in samples]
    stack = stacked(nets)
    optimizer = AdamW(
        stack.parameters(), recipe.learning_rate, recipe.weight_decay, steps * recipe.epochs
    )
    if hooks.checkpoint and hooks.checkpoint.exists():
        read_checkpoint(hooks.checkpoint, stack, optimizer, watches, task)
    saved = time.monotonic()
    while live := [watch for watch in watches if watch.goes_on(recipe.patience)]:
        hooks.epoch(max(len(watch.history.train_loss) for watch in live))
        stack.train()
        total = torch.zeros(len(nets))
        for rows, counts in batches(begins, sizes, steps):
            loss = batch_loss(stack, everything, rows, counts, recipe, teaching, terms)
            optimizer.step(loss.sum())
            total += loss.detach() * counts.sum(1)
        for watch in live:
            watch.history.train_loss.append(float(total[watch.net]) / sizes[watch.net])
            validate(nets[watch.net], watch, task)
            report_last(watch, task)
        if hooks.checkpoint and time.monotonic() - saved >= hooks.checkpoint_seconds:
            write_checkpoint(hooks.checkpoint, stack, optimizer, watches)
            saved = time.monotonic()


def batch_loss(
    stack: nn.Module,
    samples: Samples,
    rows: Tensor,
    counts: Tensor,
    recipe: Training,
    teaching: Teaching,
    terms: Terms | None,
) -> Tensor:
    """Return the loss of each network on its batch, (networks,): the mean over the samples that
    count, of the method and of its heads for single modalities where these are present.

    rows, counts: (networks, batch); terms: what knowledge adds.
    """
    x, mask, y = samples.batch(rows)
    mask = drop_modalities(mask, recipe.modality_dropout)
    fused, heads = stack(x, mask)
    outputs = torch.stack([fused, *heads.values()])
    losses = teaching.losses(y, recipe.label_smoothing, outputs)
    if terms is not None and samples.fires is not None:
        losses = losses + terms.losses(outputs.log_softmax(-1), y, samples.fires[rows])
    modalities: list[str] = stack.modalities  # type: ignore[assignment]
    columns = [column for column, name in enumerate(modalities) if name in heads]
    present = (counts.unsqueeze(-1) * mask)[..., columns].movedim(-1, 0)
    weights = torch.cat([counts[None], present])
    means = (losses * weights).sum(-1) / weights.sum(-1).clamp(min=1)
    return means[0] + AUX_WEIGHT * means[1:].sum(0)


def validate(net: nn.Module, watch: Watch, task: LearningTask) -> None:
    """Adds this epoch's validation figures and remembers the best epoch; without validation, keeps
    the weights of the last epoch.
    """
    history, validation = watch.history, watch.validation
    if validation is None:
        if len(history.train_loss) == watch.epochs:
            watch.weights = {name: value.clone() for name, value in net.state_dict().items()}
        return
    if not len(validation):
        return
    logits = predict(net, validation.x, validation.mask)
    y = validation.y.numpy()
    calibrated = task.log_loss(logits, y, temperature_of(logits, y, task.log_loss))
    if not history.calibrated_loss or calibrated < min(history.calibrated_loss):
        history.best_epoch, history.best_logits = len(history.train_loss), logits
    history.calibrated_loss.append(calibrated)
    history.validation_loss.append(task.log_loss(logits, y, 1.0))
    history.validation_score.append(task.score(y, task.predictions(task.beliefs(logits))))


def curves(history: History, task: LearningTask) -> dict[str, list[float]]:
    scores = history.validation_score
    return {
        "train_loss": history.train_loss,
        "validation_loss": history.validation_loss,
        f"validation_{task.headline}": scores,
    }


def report_all(watches: Sequence[Watch], task: LearningTask) -> None:
    """Every point again: whoever was killed may have been told of them without keeping them."""
    for watch in watches:
        for name, values in curves(watch.history, task).items():
            for epoch, value in enumerate(values, 1):
                watch.metric(epoch, name, value)


def report_last(watch: Watch, task: LearningTask) -> None:
    for name, values in curves(watch.history, task).items():
        if values:
            watch.metric(len(watch.history.train_loss), name, values[-1])


Tensors = dict[str, NDArray[Any]]


def packed(watches: Sequence[Watch]) -> tuple[Tensors, list[dict[str, Any]]]:
    """Return the histories and weights, as tensors and plain data, for a file."""
    tensors: Tensors = {}
    for i, watch in enumerate(watches):
        tensors |= {f"weights.{i}.{name}": value.numpy() for name, value in watch.weights.items()}
        if watch.history.best_logits is not None:
            tensors[f"best_logits.{i}"] = watch.history.best_logits
    return tensors, [
        {name: value for name, value in vars(watch.history).items() if name != "best_logits"}
        for watch in watches
    ]


def unpack(watches: Sequence[Watch], tensors: Tensors, facts: list[dict[str, Any]]) -> None:
    for i, (watch, curves) in enumerate(zip(watches, facts, strict=True)):
        watch.history = History(**curves, best_logits=tensors.get(f"best_logits.{i}"))
        watch.weights = starting(tensors, f"weights.{i}.")


def write_checkpoint(
    path: Path, stack: nn.Module, optimizer: AdamW, watches: Sequence[Watch]
) -> None:
    """Everything the next epoch depends on: weights, optimizer, random state, histories."""
    tensors, histories = packed(watches)
    tensors |= {f"net.{name}": value.numpy() for name, value in stack.state_dict().items()}
    tensors |= {f"optimizer.{name}": value.numpy() for name, value in optimizer.tensors().items()}
    write_tensors(path, tensors | {"random": torch.get_rng_state().numpy()}, histories)


def read_checkpoint(
    path: Path, stack: nn.Module, optimizer: AdamW, watches: Sequence[Watch], task: LearningTask
) -> None:
    tensors, histories = read_tensors(path)
    stack.load_state_dict(starting(tensors, "net."))
    optimizer.load(starting(tensors, "optimizer."))
    unpack(watches, tensors, histories)
    torch.set_rng_state(torch.from_numpy(tensors["random"]))
    report_all(watches, task)


def starting(tensors: Tensors, prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): torch.tensor(value)
        for name, value in tensors.items()
        if name.startswith(prefix)
    }

"""The training loop: AdamW, one-cycle, modality dropout, early stopping, a checkpoint after an epoch, exact resume.

Several networks of one shape are trained side by side, each on its own samples, as one stack (fusion.stack): the sum of their losses
has for each the gradient of its own, and AdamW looks at each number alone, so none of them feels the others.
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
from torch.nn import functional as F

from fusion.evaluate.calibration import log_loss, temperature_of
from fusion.evaluate.metrics import macro_f1
from fusion.files import read_tensors, write_tensors
from fusion.recipe import Training
from fusion.stack import stacked

AUX_WEIGHT = 1 / 3
CHECKPOINT_SECONDS = 1.0
"""A checkpoint costs two fsync; a fit that takes less than this is simply repeated."""


@dataclass(frozen=True)
class Samples:
    """x: {modality: (n, dim)}, mask: (n, M) bool, y: (n,) class numbers."""

    x: dict[str, Tensor]
    mask: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def batch(self, rows: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """rows of any shape (...) -> x {modality: (..., dim)}, mask (..., M), y (...)"""
        flat = rows.flatten()
        chosen = [values.index_select(0, flat).unflatten(0, rows.shape) for values in (*self.x.values(), self.mask, self.y)]
        return dict(zip(self.x, chosen)), chosen[-2], chosen[-1]

    @classmethod
    def joined(cls, parts: Sequence["Samples"]) -> "Samples":
        x = {name: torch.cat([part.x[name] for part in parts]) for name in parts[0].x}
        return cls(x, torch.cat([part.mask for part in parts]), torch.cat([part.y for part in parts]))


@dataclass
class History:
    """Curves by epoch, and the validation logits (n_validation, K) of the best epoch (numbered from 1).

    The best epoch is that of the least log loss at its own best temperature: a temperature is fitted afterwards anyway, so
    over-confidence that it takes away must not stop a fit that still learns.
    """

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_macro_f1: list[float] = field(default_factory=list)
    calibrated_loss: list[float] = field(default_factory=list)
    best_epoch: int = 0
    best_logits: NDArray[np.float32] | None = None


@dataclass
class Watch:
    """Follows one of the networks for `epochs`, judged on `validation` after each; a network may be followed by several."""

    net: int
    epochs: int
    validation: Samples | None = None
    metric: Callable[[int, str, float], None] = lambda epoch, name, value: None
    history: History = field(default_factory=History)

    def goes_on(self, patience: int) -> bool:
        """Not for all its epochs yet, and something new in the last `patience` of them."""
        found = self.history
        return len(found.train_loss) < self.epochs and len(found.validation_loss) - found.best_epoch < patience


@dataclass
class Hooks:
    """check: whether to stop (raises). checkpoint: a file, or None for none."""

    check: Callable[[], None] = lambda: None
    checkpoint: Path | None = None
    checkpoint_seconds: float = CHECKPOINT_SECONDS


def seed_everything(*parts: Any) -> None:
    """One seed from anything that names this fit, so that no fit depends on what ran before it."""
    seed = int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "little")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def drop_modalities(mask: Tensor, rate: float) -> Tensor:
    """mask: (..., M). Each modality of each sample is hidden with probability `rate`, but never the last one of a sample."""
    kept = mask & (torch.rand(mask.shape) >= rate)
    return torch.where(kept.any(-1, keepdim=True), kept, mask)


def loss_of(stack: nn.Module, x: dict[str, Tensor], mask: Tensor, y: Tensor, counts: Tensor, smoothing: float) -> Tensor:
    """(networks,): the mean over the samples that count, of the method and of its heads for single modalities where these are present.

    mask: (networks, batch, M); y, counts: (networks, batch).
    """
    logits, aux = stack(x, mask)
    heads = [column for column, name in enumerate(stack.modalities) if name in aux]  # type: ignore[arg-type]
    answers = torch.stack([logits, *aux.values()])
    wrong = F.cross_entropy(answers.flatten(0, -2), y.expand(answers.shape[:-1]).flatten(), reduction="none", label_smoothing=smoothing)
    counted = torch.cat([counts[None], (counts.unsqueeze(-1) * mask)[..., heads].movedim(-1, 0)])
    means = (wrong.view_as(counted) * counted).sum(-1) / counted.sum(-1).clamp(min=1)
    return means[0] + AUX_WEIGHT * means[1:].sum(0)


def batches(sizes: Sequence[int], batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch: each network's samples in a random order of its own. Yields rows and counts (networks, width), a step each.

    Row numbers run through the samples of all networks in turn. All take the same number of steps, of at most `batch_size`;
    who has fewer samples fills up with some that do not count.
    """
    steps = -(-max(sizes) // batch_size)
    rows, counts = [], []
    for first, n in zip(np.cumsum([0, *sizes]), sizes):
        edges = torch.arange(steps + 1) * n // steps
        at = edges[:-1, None] + torch.arange(-(-max(sizes) // steps))
        rows.append(first + torch.randperm(n)[at.clamp(max=n - 1)])
        counts.append(at < edges[1:, None])
    yield from zip(torch.stack(rows, 1), torch.stack(counts, 1).float())


def answer(net: nn.Module, x: Mapping[str, Tensor], mask: Tensor) -> NDArray[np.float32]:
    """Logits (n, K) of a trained network."""
    net.eval()
    with torch.inference_mode():
        return net(x, mask)[0].numpy()


def fit(nets: Sequence[nn.Module], samples: Sequence[Samples], recipe: Training, watches: Sequence[Watch], hooks: Hooks) -> None:
    """Trains each of `nets` in place on its samples by the recipe's one-cycle schedule, as long as one of `watches` goes on.

    With the seed set before and the same input, the result is the same to the last bit, also when the process was
    killed in between and the checkpoint was read. Networks must be of one shape, and each needs samples.
    """
    everything, sizes = Samples.joined(samples), [len(each) for each in samples]
    stack = stacked(nets)
    optimizer = torch.optim.AdamW(stack.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
    steps = recipe.epochs * -(-max(sizes) // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=steps)
    if hooks.checkpoint and hooks.checkpoint.exists():
        restore(hooks.checkpoint, stack, optimizer, schedule, watches)
        tell_all(watches)
    saved = time.monotonic()
    while live := [watch for watch in watches if watch.goes_on(recipe.patience)]:
        hooks.check()
        stack.train()
        total = torch.zeros(len(nets))
        for rows, counts in batches(sizes, recipe.batch_size):
            x, mask, y = everything.batch(rows)
            loss = loss_of(stack, x, drop_modalities(mask, recipe.modality_dropout), y, counts, recipe.label_smoothing)
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
            schedule.step()
            total += loss.detach() * counts.sum(1)
        for watch in live:
            watch.history.train_loss.append(float(total[watch.net]) / sizes[watch.net])
            judge(nets[watch.net], watch.validation, watch.history)
            tell(watch)
        if hooks.checkpoint and time.monotonic() - saved >= hooks.checkpoint_seconds:
            keep(hooks.checkpoint, stack, optimizer, schedule, watches)
            saved = time.monotonic()


def judge(net: nn.Module, validation: Samples | None, history: History) -> None:
    """Adds this epoch's validation figures and remembers the best epoch."""
    if validation is None or not len(validation):
        return
    logits = answer(net, validation.x, validation.mask)
    y = validation.y.numpy()
    calibrated = log_loss(logits, y, temperature_of(logits, y))
    if not history.calibrated_loss or calibrated < min(history.calibrated_loss):
        history.best_epoch, history.best_logits = len(history.train_loss), logits
    history.calibrated_loss.append(calibrated)
    history.validation_loss.append(log_loss(logits, y, 1.0))
    history.validation_macro_f1.append(macro_f1(y, logits.argmax(1), logits.shape[1]))


CURVES = ("train_loss", "validation_loss", "validation_macro_f1")


def tell_all(watches: Sequence[Watch]) -> None:
    """Every point again: whoever was killed may have been told of them without keeping them."""
    for watch in watches:
        for name in CURVES:
            for epoch, value in enumerate(getattr(watch.history, name), 1):
                watch.metric(epoch, name, value)


def tell(watch: Watch) -> None:
    for name in CURVES:
        if values := getattr(watch.history, name):
            watch.metric(len(watch.history.train_loss), name, values[-1])


Tensors = dict[str, NDArray[Any]]


def packed(watches: Sequence[Watch]) -> tuple[Tensors, list[dict[str, Any]]]:
    """The histories as tensors and plain data, for a file."""
    logits = {f"best_logits.{i}": watch.history.best_logits for i, watch in enumerate(watches)}
    tensors = {name: values for name, values in logits.items() if values is not None}
    return tensors, [{name: value for name, value in vars(watch.history).items() if name != "best_logits"} for watch in watches]


def unpack(watches: Sequence[Watch], tensors: Tensors, facts: list[dict[str, Any]]) -> None:
    for i, (watch, curves) in enumerate(zip(watches, facts, strict=True)):
        vars(watch.history).update(curves, best_logits=tensors.get(f"best_logits.{i}"))


def keep(path: Path, stack: nn.Module, optimizer: torch.optim.Optimizer, schedule: Any, watches: Sequence[Watch]) -> None:
    """Everything the next epoch depends on: weights, optimizer, schedule, random state, histories."""
    tensors, histories = packed(watches)
    tensors |= {f"net.{name}": value.numpy() for name, value in stack.state_dict().items()}
    state = optimizer.state_dict()
    for number, moments in state["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value.numpy() for name, value in moments.items()}
    tensors["random"] = torch.get_rng_state().numpy()
    write_tensors(path, tensors, {"groups": state["param_groups"], "schedule": schedule.state_dict(), "histories": histories})


def restore(path: Path, stack: nn.Module, optimizer: torch.optim.Optimizer, schedule: Any, watches: Sequence[Watch]) -> None:
    tensors, facts = read_tensors(path)
    stack.load_state_dict({name[4:]: torch.from_numpy(value) for name, value in tensors.items() if name.startswith("net.")})
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, moment = name.split(".")
            state.setdefault(int(number), {})[moment] = torch.from_numpy(value)
    groups = [group | {"betas": tuple(group["betas"])} for group in facts["groups"]]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    schedule.load_state_dict(facts["schedule"])
    unpack(watches, tensors, facts["histories"])
    torch.set_rng_state(torch.from_numpy(tensors["random"]))

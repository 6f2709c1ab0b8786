"""The training loop: AdamW, one-cycle, modality dropout, early stopping, a checkpoint after an epoch, exact resume."""

import hashlib
import random
import time
from collections.abc import Callable, Mapping
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
        return {name: x[rows] for name, x in self.x.items()}, self.mask[rows], self.y[rows]


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
class Hooks:
    """What the loop tells and asks: a point of a curve, and whether to stop (raises). `checkpoint`: a file, or None for none."""

    metric: Callable[[int, str, float], None] = lambda epoch, name, value: None
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
    """mask: (batch, M). Each modality of each sample is hidden with probability `rate`, but never the last one of a sample."""
    kept = mask & (torch.rand(mask.shape) >= rate)
    return torch.where(kept.any(1, keepdim=True), kept, mask)


def loss_of(net: nn.Module, x: dict[str, Tensor], mask: Tensor, y: Tensor, smoothing: float) -> Tensor:
    logits, aux = net(x, mask)
    loss = F.cross_entropy(logits, y, label_smoothing=smoothing)
    for column, name in enumerate(net.modalities):  # type: ignore[arg-type]
        present = mask[:, column]
        if name in aux and present.any():
            loss = loss + AUX_WEIGHT * F.cross_entropy(aux[name][present], y[present], label_smoothing=smoothing)
    return loss


def answer(net: nn.Module, x: Mapping[str, Tensor], mask: Tensor) -> NDArray[np.float32]:
    """Logits (n, K) of a trained network."""
    net.eval()
    with torch.inference_mode():
        return net(x, mask)[0].numpy()


def fit(net: nn.Module, samples: Samples, recipe: Training, epochs: int, validation: Samples | None, hooks: Hooks) -> History:
    """Trains `net` in place for `epochs` of the recipe's one-cycle schedule, or until `patience` epochs brought nothing new.

    With the seed set before and the same input, the result is the same to the last bit, also when the process was
    killed in between and the checkpoint was read.
    """
    if not len(samples):
        return History()
    steps = -(-len(samples) // recipe.batch_size)
    optimizer = torch.optim.AdamW(net.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=recipe.epochs * steps)
    history = History()
    if hooks.checkpoint and hooks.checkpoint.exists():
        restore(hooks.checkpoint, net, optimizer, schedule, history)
        tell_all(history, hooks)
    saved = time.monotonic()
    while len(history.train_loss) < epochs and not stale(history, recipe.patience):
        hooks.check()
        net.train()
        total = 0.0
        for rows in torch.randperm(len(samples)).split(recipe.batch_size):
            x, mask, y = samples.batch(rows)
            loss = loss_of(net, x, drop_modalities(mask, recipe.modality_dropout), y, recipe.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows)
        history.train_loss.append(total / len(samples))
        judge(net, validation, history)
        tell(history, hooks)
        if hooks.checkpoint and time.monotonic() - saved >= hooks.checkpoint_seconds:
            keep(hooks.checkpoint, net, optimizer, schedule, history)
            saved = time.monotonic()
    net.eval()
    return history


def stale(history: History, patience: int) -> bool:
    return len(history.validation_loss) - history.best_epoch >= patience if history.validation_loss else False


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


def tell_all(history: History, hooks: Hooks) -> None:
    """Every point again: whoever was killed may have been told of them without keeping them."""
    for name in CURVES:
        for epoch, value in enumerate(getattr(history, name), 1):
            hooks.metric(epoch, name, value)


def tell(history: History, hooks: Hooks) -> None:
    for name in CURVES:
        if values := getattr(history, name):
            hooks.metric(len(history.train_loss), name, values[-1])


def keep(path: Path, net: nn.Module, optimizer: torch.optim.Optimizer, schedule: Any, history: History) -> None:
    """Everything the next epoch depends on: weights, optimizer, schedule, random state, history."""
    tensors = {f"net.{name}": value.numpy() for name, value in net.state_dict().items()}
    state = optimizer.state_dict()
    for number, moments in state["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value.numpy() for name, value in moments.items()}
    tensors["random"] = torch.get_rng_state().numpy()
    if history.best_logits is not None:
        tensors["best_logits"] = history.best_logits
    curves = {name: value for name, value in vars(history).items() if name != "best_logits"}
    write_tensors(path, tensors, {"groups": state["param_groups"], "schedule": schedule.state_dict(), "history": curves})


def restore(path: Path, net: nn.Module, optimizer: torch.optim.Optimizer, schedule: Any, history: History) -> None:
    tensors, facts = read_tensors(path)
    net.load_state_dict({name[4:]: torch.from_numpy(value) for name, value in tensors.items() if name.startswith("net.")})
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, moment = name.split(".")
            state.setdefault(int(number), {})[moment] = torch.from_numpy(value)
    groups = [group | {"betas": tuple(group["betas"])} for group in facts["groups"]]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    schedule.load_state_dict(facts["schedule"])
    for name, value in facts["history"].items():
        setattr(history, name, value)
    history.best_logits = tensors.get("best_logits")
    torch.set_rng_state(torch.from_numpy(tensors["random"]))

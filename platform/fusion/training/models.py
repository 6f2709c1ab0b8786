"""One fitted model: a whitening for each modality, a network, a temperature. The unit of training,
of resuming and of the bundle.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.core.arrays import Floats
from fusion.core.files import BrokenFile
from fusion.features.prototypes import relation
from fusion.features.tokens import TokenWhitening
from fusion.features.whitening import Whitening
from fusion.methods import JOINT, build, reads_tokens
from fusion.methods.layers import Network
from fusion.methods.unimodal import Unimodal
from fusion.schema.recipe import Training
from fusion.schema.task_names import TaskName
from fusion.tasks import task_of
from fusion.tasks.base import LearningTask
from fusion.training.fold_data import FoldData
from fusion.training.loop import predict


@dataclass(frozen=True)
class Shape:
    """The facts that a network is built from. modalities: all of the task, in the order of the
    mask; inputs: those that this model reads; classes: how many numbers it writes about a sample.
    """

    name: str
    modalities: list[str]
    dims: dict[str, int]
    classes: int
    hidden: int
    dropout: float
    input_dropout: float
    tokens: dict[str, int] | None = None
    """Of each modality, for a method that reads tokens."""
    task: TaskName = "classification"

    @classmethod
    def of(cls, name: str, fold_data: FoldData, recipe: Training) -> "Shape":
        """Return the shape of a model whose inputs are whitened on the rows of a fold."""
        data = fold_data.data
        inputs = data.inputs(name)
        dims = {
            modality: fold_data.whitening_for(name, modality).dim if modality in inputs else 0
            for modality in data.modalities
        }
        tokens = None
        if reads_tokens(name):
            tokens = {modality: fold_data.token_whitening(modality).number for modality in inputs}
        return cls(
            name,
            data.modalities,
            dims,
            data.learning_task.width,
            recipe.hidden_dim,
            recipe.dropout,
            recipe.input_dropout,
            tokens,
            data.learning_task.name,
        )

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> "Shape":
        """Return the shape that a bundle describes; earlier versions counted joined seeds too."""
        if facts.get("seeds", 1) != 1:
            raise BrokenFile("its models join several seeds, which was removed; train it again.")
        return cls(**{name: value for name, value in facts.items() if name != "seeds"})

    @property
    def inputs(self) -> list[str]:
        return self.modalities if self.name in JOINT else [self.name]

    def network(self, log_prior: NDArray[np.float32]) -> Network:
        settings = (self.hidden, self.dropout, self.input_dropout, self.tokens, self.task)
        return build(self.name, self.dims, torch.as_tensor(log_prior), *settings)


def new_network(shape: Shape, fold_data: FoldData) -> Network:
    """Return a network as its training begins; that of a single modality begins as the linear model
    of the fold.
    """
    network = shape.network(fold_data.log_prior)
    if isinstance(network, Unimodal):
        part = fold_data.linear_part(shape.name)
        if part is not None:
            network.set_linear(*map(torch.from_numpy, part))
    likeness = fold_data.data.likeness
    if likeness is not None:
        network.relation = torch.from_numpy(relation(likeness).astype(np.float32))
    return network


@dataclass
class Model:
    shape: Shape
    whitening: dict[str, Whitening | TokenWhitening]
    network: Network
    temperature: float = 1.0

    @property
    def task(self) -> LearningTask:
        return task_of(self.shape.task)

    def inputs(self, x: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
        """Features of (n, dim) a modality -> whitened tensors."""
        return {name: torch.from_numpy(self.whitening[name](x[name])) for name in self.shape.inputs}

    def outputs(
        self, x: Mapping[str, NDArray[Any]], mask: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """(n, D), before the temperature; mask: (n, M) over all modalities of the task."""
        return self.outputs_of(self.inputs(x), mask)

    def outputs_of(
        self, whitened: Mapping[str, Tensor], mask: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """The same of inputs that are whitened already, by this model's whitening."""
        return predict(self.network, whitened, torch.as_tensor(mask.copy()))

    def predictions(
        self,
        x: Mapping[str, NDArray[Any]],
        mask: NDArray[np.bool_],
        temperature: float | None = None,
    ) -> Floats:
        """(n, D), calibrated unless another temperature is given; the training prior where none of
        the model's inputs is there.
        """
        return self.calibrated(self.outputs(x, mask), mask, temperature)

    def calibrated(
        self,
        outputs: NDArray[np.float32],
        mask: NDArray[np.bool_],
        temperature: float | None = None,
    ) -> Floats:
        """The same of outputs."""
        beliefs = self.task.beliefs(outputs, temperature or self.temperature)
        return self.task.predictions(np.where(self.seen(mask), beliefs, self.log_prior))

    def represent(
        self, x: Mapping[str, NDArray[Any]], mask: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """(n, dim): the fused representation, zeros where none of the model's inputs is there."""
        return self.vectors(self.inputs(x), mask)

    def vectors(
        self, whitened: Mapping[str, Tensor], mask: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """The same of inputs that are whitened already, by this model's whitening."""
        self.network.eval()
        with torch.inference_mode():
            represent = cast(Callable[..., Tensor], self.network.represent)
            vectors = represent(whitened, torch.as_tensor(mask.copy())).numpy()
        return np.where(self.seen(mask), vectors, np.float32(0))

    def seen(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(n, 1): samples that have any of the model's inputs."""
        return np.any(
            mask[:, [self.shape.modalities.index(name) for name in self.shape.inputs]],
            axis=1,
            keepdims=True,
        )

    @property
    def log_prior(self) -> NDArray[np.float32]:
        """(D,)"""
        return cast(Tensor, self.network.log_prior).numpy()

    def tensors(self) -> dict[str, NDArray[Any]]:
        tensors = {
            f"net.{name}": value.numpy() for name, value in self.network.state_dict().items()
        }
        for name, whitening in self.whitening.items():
            tensors |= whitening.tensors(f"whitening.{self.shape.modalities.index(name)}")
        return tensors

    def facts(self) -> dict[str, Any]:
        return {"shape": vars(self.shape), "temperature": self.temperature}

    @classmethod
    def of(cls, tensors: dict[str, NDArray[Any]], facts: dict[str, Any]) -> "Model":
        shape = Shape.of_facts(facts["shape"])
        read = {name: f"whitening.{shape.modalities.index(name)}" for name in shape.inputs}
        if any(".mix." in name or ".attention." in name for name in tensors if name[:4] != "net."):
            raise BrokenFile(
                "it adds up layers or places by learned weights, which was removed; train it again."
            )
        kind = Whitening if shape.tokens is None else TokenWhitening
        whitening: dict[str, Whitening | TokenWhitening] = {
            name: kind.of(tensors, prefix) for name, prefix in read.items()
        }
        if any(part.dim != shape.dims[name] for name, part in whitening.items()):
            raise BrokenFile("a whitening does not fit the network behind it.")
        with torch.device("meta"):  # a description that lies about its sizes allocates nothing
            network = shape.network(tensors["net.log_prior"])
        weights = {
            name[4:]: torch.from_numpy(value)
            for name, value in tensors.items()
            if name.startswith("net.")
        }
        for name, expected in network.state_dict().items():
            if name in weights and weights[name].dtype != expected.dtype:
                raise BrokenFile(
                    f"the weights {name} are of the type {weights[name].dtype}, not "
                    f"{expected.dtype}."
                )
        network.load_state_dict(weights, assign=True)
        return cls(shape, whitening, network.eval(), facts["temperature"])

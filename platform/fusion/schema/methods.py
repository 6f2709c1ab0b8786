"""The fusion methods: what each is called and what it needs. Light: no torch; the networks are in
fusion.methods.
"""

from typing import Literal, NamedTuple

Member = Literal["late", "concat", "gated", "lowrank", "bottleneck", "crossattention"]
Method = Literal[Member, "ensemble"]


class FusionMethod(NamedTuple):
    """network: whether it trains one that reads all modalities. step: seconds of a step through it
    against one through the network of a single modality, for three modalities. quick: cheap enough
    to be trained beside the chosen method.
    """

    title: str
    network: bool = True
    step: float = 1.0
    quick: bool = False


METHODS: dict[str, FusionMethod] = {
    "late": FusionMethod("Late fusion", network=False, quick=True),
    "concat": FusionMethod("Concatenation", step=1.4, quick=True),
    "gated": FusionMethod("Gated fusion", step=1.3, quick=True),
    "lowrank": FusionMethod("Low-rank fusion", step=1.9),
    "bottleneck": FusionMethod("Bottleneck fusion", step=11.0),
    "crossattention": FusionMethod("Cross-attention", step=9.0),
    "ensemble": FusionMethod("Ensemble", network=False),
}
JOINT = tuple(name for name, method in METHODS.items() if method.network)
"""The methods with a network of their own."""
QUICK = tuple(name for name, method in METHODS.items() if method.quick)


def step_of(name: str) -> float:
    """Return the step of a method; 1 for a modality alone."""
    return METHODS[name].step if name in METHODS else 1.0

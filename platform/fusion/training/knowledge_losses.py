"""Knowledge as differentiable terms: rules, hierarchies and order, as pure functions of
log-probabilities.

With p(y | x) the model, A_r the labels that rule r allows, f_r(x) = 1 where its condition holds and
w_r its weight:

    in training     loss = - sum_r w_r f_r(x) log p(A_r | x)
    at prediction   q(y | x) ~ p(y | x) exp(- sum_r w_r f_r(x) [y not in A_r])

The first is the semantic loss (Xu et al. 2018, ICML), the second a product of experts (Hinton
2002): the closed form of posterior regularisation (Hu et al. 2016, Harnessing Deep Neural
Networks with Logic Rules, eq. 4): of all q it minimises KL(q || p) + sum_r w_r f_r q(y not in A_r).
A rule of weight w thus divides the odds of what it forbids by e^w: 0.5 by 1.6, 1 by 2.7, 2.3 by 10.
A hard rule is the limit: what it forbids gets probability 0 and the rest is renormalised.

Shapes: n samples, K labels, R rules. fires: (n, R) bool, from `fusion.knowledge.fired` turned over;
allowed: (R, K) bool and weights: (R,), infinite for a hard rule, from `rule_tensors`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from fusion.knowledge.rules import Rule, allowed_labels

HARD_WEIGHT = 1.0
"""Weight of a hard rule in the training loss, as much as a label has: a wrong hard rule then hurts,
but does not break the training.
"""


CONCEPT_WEIGHT = 0.5
ORDER_WEIGHT = 1.0


class RuleTensors(NamedTuple):
    """allowed: (R, K) bool; weights: (R,), infinite where the rule is hard."""

    allowed: Tensor
    weights: Tensor


def rule_tensors(rules: Sequence[Rule], labels: Sequence[str]) -> RuleTensors:
    """Raises ValueError for a rule that leaves no label (`fusion.knowledge.check_rule` says so in
    words before).
    """
    allowed = torch.tensor(
        [allowed_labels(rule, labels) for rule in rules], dtype=torch.bool
    ).reshape(len(rules), len(labels))
    need_members(allowed)
    return RuleTensors(
        allowed, torch.tensor([rule.strength for rule in rules], dtype=torch.float32)
    )


def need_members(sets: Tensor) -> None:
    if not bool(sets.any(-1).all()):
        raise ValueError("a set of labels is empty: nothing can have that probability")


def log_mass(log_p: Tensor, sets: Tensor) -> Tensor:
    """log p(y in set | x) for each set. log_p: (..., n, K), normalised; sets: (G, K) bool -> (...,
    n, G).

    Where most of the mass lies inside it is log(1 - mass outside): exactly 0 when nothing lies
    outside, and precise near it.
    """
    need_members(sets)
    inside = (
        torch.stack([log_p[..., members].logsumexp(-1) for members in sets], -1)
        if len(sets)
        else log_p[..., :0]
    )
    outside = log_p.exp() @ (~sets).to(log_p.dtype).T
    mostly_in = outside < 0.5
    return torch.where(mostly_in, torch.log1p(-outside.where(mostly_in, 0)), inside)


@dataclass(frozen=True)
class Terms:
    """Everything that knowledge adds to the loss of training.

    rules: of the R rules; sets: (G, K) bool, the labels under each concept; order: (K,) numbers of
    the labels in their order, or none.
    """

    rules: RuleTensors
    sets: Tensor
    order: Tensor

    def losses(self, log_p: Tensor, y: Tensor, fires: Tensor) -> Tensor:
        """log_p: (..., n, K), y: (..., n), fires: (..., n, R) -> (..., n)"""
        lost = rule_losses(log_p, fires, *self.rules) + CONCEPT_WEIGHT * concept_losses(
            log_p, y, self.sets
        )
        if len(self.order):
            lost = lost + ORDER_WEIGHT * ranked_probability_losses(
                log_p[..., self.order], self.order.argsort()[y]
            )
        return lost


def rule_losses(log_p: Tensor, fires: Tensor, allowed: Tensor, weights: Tensor) -> Tensor:
    """Return - sum_r w_r f_r log p(A_r) of each sample, a number >= 0 beside the cross-entropy.

    log_p: (..., n, K), fires: (..., n, R) -> (..., n). Zero exactly when all probability lies on
    the labels that the rules firing there allow. Hard rules count with HARD_WEIGHT.
    """
    finite = torch.where(weights.isinf(), HARD_WEIGHT, weights).to(log_p.dtype)
    return (-log_mass(log_p, allowed) * finite).where(fires, 0).sum(-1)


def no_label_left(fires: Tensor, allowed: Tensor, weights: Tensor) -> Tensor:
    """(n,) bool: whether the hard rules that fire on a sample together forbid every label."""
    return forbidden(fires, allowed, weights).all(-1)


def forbidden(fires: Tensor, allowed: Tensor, weights: Tensor) -> Tensor:
    """(n, K) bool: labels that some hard rule firing on the sample does not allow."""
    return (fires & weights.isinf()).float() @ (~allowed).float() > 0


def apply_rules(log_p: Tensor, fires: Tensor, allowed: Tensor, weights: Tensor) -> Tensor:
    """log q of the formula above. log_p: (..., n, K), normalised -> the same shape, normalised;
    -inf for what a hard rule forbids.

    A sample on which no rule fires keeps its answer exactly. Where the hard rules leave no label
    (see `no_label_left`), or only labels that the model holds for impossible, the hard ones are
    passed over.
    """
    hard = forbidden(fires, allowed, weights)
    hard &= ~hard.all(-1, keepdim=True)
    finite = torch.where(weights.isinf(), 0, weights).to(log_p.dtype)
    penalty = (fires.to(log_p.dtype) * finite) @ (~allowed).to(log_p.dtype)
    soft = log_p - penalty
    masked = soft.masked_fill(hard, -torch.inf)
    scores = torch.where(masked.isinf().all(-1, keepdim=True), soft, masked)
    return torch.where(fires.any(-1, keepdim=True), scores.log_softmax(-1), log_p)


def ranked_probability_losses(log_p: Tensor, y: Tensor) -> Tensor:
    """Return the squared distance of the cumulative distributions of ordered labels, 0 to 1
    (Epstein 1969; Gneiting and Raftery 2007).

    log_p: (..., n, K), labels in their order; y: (..., n) int -> (..., n). Unlike cross-entropy it
    counts how far away the probability lies.
    """
    k = log_p.shape[-1]
    steps = torch.arange(k - 1, device=log_p.device)
    reached = (y.unsqueeze(-1) <= steps).to(log_p.dtype)
    return (log_p.exp().cumsum(-1)[..., :-1] - reached).square().sum(-1) / max(1, k - 1)


def concept_losses(log_p: Tensor, y: Tensor, sets: Tensor) -> Tensor:
    """Return the loss of labels under broader concepts: - sum over the concepts g that hold y of
    log p(g), p(g) the sum over the labels under it.

    The cross-entropy of each level of a tree (Bertinetto et al. 2020, Making Better Mistakes).
    log_p: (..., n, K), y: (..., n), sets: (G, K) bool -> (..., n).
    """
    return (-log_mass(log_p, sets)).where(sets.T[y], 0).sum(-1)

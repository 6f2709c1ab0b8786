"""Where disciplines should look and talk: confident errors, then samples on which the modalities contradict each other."""

import numpy as np

from fusion.evaluate.answers import Scored
from fusion.evaluate.metrics import Floats
from fusion.result import Mistake

MOST_ERRORS, MOST_CONTRADICTIONS = 40, 20


def mistakes(probabilities: Floats, singles: dict[str, Floats], scored: Scored) -> list[Mistake]:
    """probabilities and singles: (n, K) of the first seed."""
    answer, confidence = probabilities.argmax(1), probabilities.max(1)
    wrong = answer != scored.y
    disagreement = contradiction(singles, scored)
    errors = sorted(np.flatnonzero(wrong), key=lambda i: (-confidence[i], scored.keys[i]))[:MOST_ERRORS]
    others = sorted(np.flatnonzero(~wrong & (disagreement > 0)), key=lambda i: (-disagreement[i], scored.keys[i]))[:MOST_CONTRADICTIONS]
    return [
        Mistake(
            key=scored.keys[i],
            truth=scored.labels[scored.y[i]],
            answer=scored.labels[answer[i]],
            confidence=float(confidence[i]),
            answers={
                name: scored.labels[singles[name][i].argmax()] if scored.mask[i, column] else None
                for column, name in enumerate(scored.modalities)
            },
        )
        for i in [*errors, *others]
    ]


def contradiction(singles: dict[str, Floats], scored: Scored) -> Floats:
    """(n,): the largest product of two modalities' confidences in different answers."""
    found = np.zeros(len(scored))
    for i, first in enumerate(scored.modalities):
        for j, second in enumerate(scored.modalities[:i]):
            both = scored.mask[:, i] & scored.mask[:, j] & (singles[first].argmax(1) != singles[second].argmax(1))
            found = np.maximum(found, np.where(both, singles[first].max(1) * singles[second].max(1), 0))
    return found

"""Labels under broader concepts, as plain data: which labels lie under which concept."""

from collections.abc import Mapping, Sequence


class HierarchyError(ValueError):
    """A hierarchy that goes in a circle or that holds no label."""


def leaf_sets(broader: Mapping[str, str], labels: Sequence[str]) -> dict[str, list[bool]]:
    """Concept -> for each label whether it lies under it (SKOS broader, followed to the top).

    broader: label or concept -> the concept above it. Labels without one lie under nothing. Raises
    HierarchyError for a circle and for a concept without any label.
    """
    above = {label: path(label, broader) for label in labels}
    for name in broader:
        path(name, broader)
    concepts = list(dict.fromkeys(broader.values()))
    sets = {
        concept: [concept in above[label] or concept == label for label in labels]
        for concept in concepts
    }
    if empty := [concept for concept, members in sets.items() if not any(members)]:
        raise HierarchyError(f"{empty[0]} has no label under it")
    return sets


def path(name: str, broader: Mapping[str, str]) -> list[str]:
    """Everything above the name, nearest first."""
    found: list[str] = []
    while (name := broader.get(name, "")) != "":
        if name in found:
            raise HierarchyError(f"{' is under '.join([*found, name])}: a circle")
        found.append(name)
    return found

"""A hierarchy of labels under broader concepts, as plain data."""

from collections.abc import Mapping, Sequence


class HierarchyError(ValueError):
    """A hierarchy has a circle, or a concept without labels."""


def leaf_sets(broader: Mapping[str, str], labels: Sequence[str]) -> dict[str, list[bool]]:
    """Return concept -> for each label whether it lies under it (SKOS broader, up to the top).

    broader: label or concept -> the concept above it. Labels without one lie under nothing. Raises
    HierarchyError for a circle and for a concept without any label.
    """
    above = {label: ancestors(label, broader) for label in labels}
    check_hierarchy(broader)
    concepts = list(dict.fromkeys(broader.values()))
    sets = {
        concept: [concept in above[label] or concept == label for label in labels]
        for concept in concepts
    }
    if empty := [concept for concept, members in sets.items() if not any(members)]:
        raise HierarchyError(f"{empty[0]} has no label under it")
    return sets


def check_hierarchy(broader: Mapping[str, str]) -> None:
    """Raise HierarchyError for a circle."""
    for name in broader:
        ancestors(name, broader)


def ancestors(name: str, broader: Mapping[str, str]) -> list[str]:
    """Return everything above the name, nearest first."""
    path: list[str] = []
    while (name := broader.get(name, "")) != "":
        if name in path:
            raise HierarchyError(f"{' is under '.join([*path, name])}: a circle")
        path.append(name)
    return path

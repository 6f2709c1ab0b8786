"""The alignment that study.yaml asks for: drafted over the new versions and frozen at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.datasets.alignments.services import create_alignment, freeze
from apps.datasets.models import Alignment, Version
from apps.projects.models import Project
from fusion.data.study_spec import StudySpec
from fusion.knowledge import parse, renamed


def spec_of(spec: StudySpec, versions: list[Version]) -> dict[str, Any]:
    """The form of study.yaml as an alignment's: names of data sets become their addresses here."""
    assert spec.alignment is not None
    names = [dataset.name for discipline in spec.disciplines for dataset in discipline.datasets]
    slugs = {name: version.dataset.slug for name, version in zip(names, versions)}

    def here(ref: str) -> str:
        dataset, column = ref.split(".", 1)
        return f"{slugs.get(dataset, dataset)}.{column}"

    alignment = spec.alignment
    split = alignment.split.short()
    if split.get("column"):
        split["column"] = here(split["column"])
    modalities = {
        name: [here(ref) for ref in ([refs] if isinstance(refs, str) else refs)]
        for name, refs in alignment.modalities.items()
    }
    description: dict[str, Any] = {
        "modalities": modalities,
        "label": {
            "source": here(alignment.label),
            "task": alignment.task,
            "order": alignment.order,
        },
        "groups": [here(ref) for ref in alignment.groups],
        "split": split,
    }
    description |= knowledge_here(spec, here)
    return description | ({"cluster": here(alignment.cluster)} if alignment.cluster else {})


def knowledge_here(spec: StudySpec, here: Callable[[str], str]) -> dict[str, Any]:
    """Return knowledge and protocols with the columns by their addresses here."""
    known = spec.knowledge
    if "rules" in known:
        rules = [rule | {"when": condition_here(rule["when"], here)} for rule in known["rules"]]
        known = known | {"rules": rules}
    protocols = [
        protocol
        | {"criteria": [criterion_here(criterion, here) for criterion in protocol["criteria"]]}
        for protocol in spec.protocols
    ]
    return {"knowledge": known, "protocols": protocols}


def criterion_here(criterion: dict[str, Any], here: Callable[[str], str]) -> dict[str, Any]:
    return (
        criterion | {"where": condition_here(criterion["where"], here)}
        if criterion.get("where")
        else criterion
    )


def condition_here(text: str, here: Callable[[str], str]) -> str:
    """The condition of a rule or a slice with the addresses of data sets; a bare column
    stays bare.
    """
    condition = renamed(
        parse(text),
        lambda column: replace(column, name=here(column.name)) if "." in column.name else column,
    )
    return str(condition)


def draft_alignment(
    spec: StudySpec, project: Project, actor: User, versions: list[Version]
) -> Alignment | str:
    """Make and freeze the alignment inside the transaction of the versions; return words where it
    cannot be made: the data are no worse for it.
    """
    try:
        with transaction.atomic():
            alignment = create_alignment(
                actor, project, spec.title or spec.name, spec_of(spec, versions), versions
            )
            freeze(actor, alignment)
            return alignment
    except ValidationError as error:
        return _("The alignment of study.yaml could not be made: %(problems)s") % {
            "problems": " ".join(error.messages)
        }

"""The whole of a run as data: what is joined, how it is read, how it is trained, how it is judged.

Light on purpose: the web process validates recipes with this module, so it imports no numpy and no
torch.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar, Literal

import yaml
from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from fusion.knowledge.recipe_section import Knowledge
from fusion.schema.base import StrictModel
from fusion.schema.methods import QUICK, Member, Method
from fusion.schema.protocol import Protocol, protocols_of

Pooling = Literal["mean", "first", "last", "segments", "grid"]
Tune = Literal["frozen", "lora", "last", "full"]


class RecipeError(ValueError):
    """A recipe that cannot be used; `problems` names each field and what to do, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RecipePart(StrictModel):
    """Refuses unknown settings. `removed` maps settings of earlier versions to why they went: one
    that is switched off is ignored; one that is switched on is refused, but ignored in a recipe
    that was stored (`Recipe.stored`).
    """

    removed: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def leave_out_removed_settings(cls, data: Any, info: ValidationInfo) -> Any:
        if not cls.removed or not isinstance(data, dict):
            return data
        stored = bool(info.context and info.context.get("stored"))
        for name, reason in cls.removed.items():
            if data.get(name) and not stored:
                raise ValueError(f"`{name}` was removed: {reason}; leave it out")
        return {name: value for name, value in data.items() if name not in cls.removed}


class Tuning(RecipePart):
    """How an encoder that is not frozen is trained. blocks: how many of the last, for lora and
    last; rank: of lora.

    learning_rate: None for the usual one of its kind. accumulate: parts that a batch is computed
    in, one after the other, and checkpointing: compute twice rather than keep; both save memory and
    change nothing that is learnt.
    """

    rank: int = Field(default=8, ge=1, le=256)
    blocks: int = Field(default=2, ge=1, le=1000)
    epochs: int = Field(default=3, ge=1, le=1000)
    batch_size: int = Field(default=16, ge=1, le=4096)
    learning_rate: float | None = Field(default=None, gt=0, le=1)
    accumulate: int = Field(default=1, ge=1, le=4096)
    checkpointing: bool = False


class EncoderChoice(RecipePart):
    """One encoder of a modality; None keeps the encoder's own default. Several encoders are joined
    side by side.

    tune: frozen as it is, or trained along (fusion.training.finetune): adapters beside its weights,
    its last blocks, or all of it.
    """

    removed: ClassVar[dict[str, str]] = {
        "mix": "layers added up by learned weights were no better than side by side",
        "attend": "places added up by attention were no better than side by side",
    }

    name: str = Field(min_length=1, max_length=200)
    layers: list[int] | None = Field(default=None, max_length=64)
    pooling: Pooling | None = None
    grid: list[int] | None = Field(default=None, max_length=64)
    resolution: int | None = Field(default=None, ge=8, le=1024)
    tune: Tune = "frozen"
    tuning: Tuning | None = None

    @property
    def tuning_options(self) -> Tuning:
        return self.tuning or Tuning()


class Training(RecipePart):
    """How each network is fitted. `inner_folds`: rounds by group inside the training folds that
    choose epochs and temperature.
    """

    seeds: list[int] = Field(default=[0, 1, 2], min_length=1, max_length=20)
    epochs: int = Field(default=12, ge=1, le=1000)
    patience: int = Field(default=5, ge=1, le=1000)
    batch_size: int = Field(default=64, ge=2, le=4096)
    learning_rate: float = Field(default=4e-3, gt=0, le=1)
    weight_decay: float = Field(default=0.05, ge=0, le=10)
    label_smoothing: float = Field(default=0.05, ge=0, lt=1)
    dropout: float = Field(default=0.4, ge=0, lt=1)
    input_dropout: float = Field(default=0.4, ge=0, lt=1)
    hidden_dim: int = Field(default=64, ge=2, le=4096)
    pca_dim: int = Field(default=160, ge=0, le=4096, description="0 keeps the features as they are")
    modality_dropout: float = Field(default=0.3, ge=0, lt=1)
    floor: bool = Field(
        default=False,
        description="with only one modality present, its own calibrated model answers",
    )
    inner_folds: int = Field(default=3, ge=1, le=10)
    threads: int = Field(default=1, ge=1, le=256)

    @field_validator("seeds")
    @classmethod
    def seeds_differ(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("names the same seed twice")
        if any(not 0 <= seed < 2**31 for seed in seeds):
            raise ValueError("must lie between 0 and 2147483647")
        return seeds


class Evaluation(RecipePart):
    """noise: each input made worse step by step (fusion.schema.noise_levels); every level is read by its encoders
    once more.
    """

    draws: int = Field(default=1000, ge=50, le=20_000)
    degradation: bool = True
    noise: bool = False


class Ensemble(RecipePart):
    """What the method `ensemble` joins (fusion.methods.ensemble). of: methods, None for late and
    every other one that the recipe trains, or the quick ones where it trains no other.

    seeds: the models of all seeds answer together as well, in every method; the bundle then holds
    them all.
    """

    removed: ClassVar[dict[str, str]] = {
        "seeds": "joining the networks of all seeds was no better than one seed"
    }

    of: list[Member] | None = Field(default=None, min_length=1)


class Search(RecipePart):
    """A run that tries: how each modality is read (fusion.training.search.probe), then `method` and those of
    `compare`, the cheap ones first, as long as there is time. What does best inside the training
    samples answers (fusion.training.search.conclusion).

    budget_seconds: of computing, for training; None for no end. What there was no time for is
    listed as not tried. encoders: those that the probe may try, None for all that are installed.
    """

    budget_seconds: float | None = Field(default=210, gt=0, le=1_000_000)
    probe: bool = True
    encoders: list[str] | None = Field(default=None, max_length=64)


class Recipe(RecipePart):
    """All settings of a run. Single-modality models are always trained and reported beside
    `method`.

    `modalities`: names of the alignment's modalities, None for all. `encoders`: by modality; a
    modality that is not named gets the default of its kind. `compare`: further fusion methods
    trained and reported beside `method`. `protocols`: what the disciplines ask of the run; those of
    the study are added for every discipline that is not named here. `precision`: in which frozen
    encoders compute, None for float32 on a processor and mixed float16 on a GPU; bf16 takes about
    half the time where the processor has it.
    """

    schema_version: Literal[1] = 1
    title: str = Field(default="Standard", max_length=200)
    description: str = Field(default="", max_length=2000)
    modalities: list[str] | None = Field(default=None, min_length=1, max_length=32)
    encoders: dict[str, list[EncoderChoice]] = Field(default={}, max_length=32)
    precision: Literal["fp32", "bf16"] | None = None
    method: Method = "late"
    compare: list[Method] = []
    ensemble: Ensemble = Ensemble()
    search: Search | None = None
    knowledge: Knowledge = Knowledge()
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    protocols: list[Protocol] = Field(default=[], max_length=100)

    @field_validator("protocols", mode="before")
    @classmethod
    def protocols_can_be_read(cls, value: Any) -> Any:
        """ProtocolError names each criterion by its number and the place in its condition."""
        return protocols_of(value)

    @field_serializer("protocols")
    def short(self, protocols: list[Protocol]) -> list[dict[str, Any]]:
        return [protocol.model_dump(exclude_defaults=True) for protocol in protocols]

    @field_validator("modalities")
    @classmethod
    def modalities_differ(cls, names: list[str] | None) -> list[str] | None:
        if names is not None and len(set(names)) < len(names):
            raise ValueError("names the same modality twice")
        return names

    @model_validator(mode="after")
    def encoders_belong_to_modalities(self) -> "Recipe":
        unknown = set(self.encoders) - set(self.modalities or self.encoders)
        if unknown:
            raise ValueError(
                f"encoders: {', '.join(sorted(unknown))} is not among the recipe's modalities"
            )
        return self

    @model_validator(mode="after")
    def noise_needs_frozen_encoders(self) -> "Recipe":
        if self.evaluation.noise and self.tunes:
            raise ValueError(
                "evaluation.noise: inputs with noise are read by frozen encoders only; freeze the encoders or leave noise off"
            )
        return self

    @model_validator(mode="after")
    def tuning_is_exact(self) -> "Recipe":
        if self.precision == "bf16" and self.tunes:
            raise ValueError(
                "precision: bf16 is for frozen encoders; freeze the encoders or leave precision out"
            )
        return self

    @property
    def methods(self) -> list[str]:
        """Every fusion method to train, the chosen one first."""
        return list(dict.fromkeys([self.method, *self.compare, *self.members]))

    @property
    def members(self) -> list[str]:
        """The methods that the ensemble joins; none where the recipe has no ensemble."""
        asked = [self.method, *self.compare]
        if "ensemble" not in asked:
            return []
        trained = [name for name in asked if name != "ensemble"]
        return sorted(set(self.ensemble.of or (["late", *trained] if trained else QUICK)))

    @property
    def tunes(self) -> bool:
        return any(
            choice.tune != "frozen" for choices in self.encoders.values() for choice in choices
        )

    @property
    def stages(self) -> list[str]:
        """Of a run, in order, as short codes."""
        probe = ["probe"] if self.search and self.search.probe else []
        return [
            "read",
            "embed",
            *probe,
            *(["tune"] if self.tunes else []),
            "train",
            "evaluate",
            "bundle",
        ]

    @property
    def digest(self) -> str:
        """SHA-256 of what the run computes: title, description and threads change nothing."""
        facts = self.model_dump(
            mode="json", exclude={"title": True, "description": True, "training": {"threads"}}
        )
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @classmethod
    def default(cls) -> "Recipe":
        return presets()["standard"]

    @classmethod
    def stored(cls, data: Any) -> "Recipe":
        """Return the recipe of a finished run, without settings that were removed since."""
        return cls.parse(data, stored=True)

    @classmethod
    def parse(cls, data: Any, stored: bool = False) -> "Recipe":
        """A recipe from plain data. Raises RecipeError in words that name the field."""
        if not isinstance(data, dict):
            raise RecipeError(
                ["A recipe is a list of named settings, for instance `method: late`."]
            )
        try:
            return cls.model_validate(data, context={"stored": stored})
        except ValidationError as error:
            raise RecipeError([in_words(problem) for problem in error.errors()]) from error

    @classmethod
    def from_text(cls, text: str) -> "Recipe":
        """A recipe from YAML or JSON (which is YAML too); an empty text is the default recipe."""
        try:
            data = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" in line {mark.line + 1}" if mark else ""
            raise RecipeError(
                [
                    f"This is neither YAML nor JSON{where}: {getattr(error, 'problem', None) or error}."
                ]
            ) from error
        return cls.parse({} if data is None else data)

    @classmethod
    def load(cls, path: str | Path) -> "Recipe":
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise RecipeError([f"{path} is not a text file in UTF-8."]) from error
        except OSError as error:
            raise RecipeError([f"{path} cannot be read: {error.strerror}."]) from error
        return cls.from_text(text)

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    def to_json(self) -> str:
        return self.model_dump_json(indent=2)


def presets() -> dict[str, Recipe]:
    """The recipes offered by name."""
    return {
        "quick": Recipe(
            title="Quick look",
            description="One seed, few epochs and 300 draws: a first answer in seconds, with wider uncertainty than the standard recipe.",
            training=Training(seeds=[0], epochs=10, patience=10, inner_folds=1),
            evaluation=Evaluation(draws=300),
        ),
        "standard": Recipe(
            title="Standard",
            description="Three seeds, calibrated single-modality models multiplied, and two joint methods trained beside them.",
            compare=["concat", "gated"],
        ),
        "search": Recipe(
            title="Thorough search",
            description=(
                "Tries encoders, layers and pooling for each modality, then every way to join them, and an ensemble of these; "
                "chooses inside the training samples and reports all that was tried."
            ),
            method="ensemble",
            compare=["late", "concat", "gated", "lowrank", "bottleneck", "crossattention"],
            search=Search(),
        ),
    }


WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a setting of a recipe; remove it or check its spelling",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a text",
    "list_type": "must be a list",
    "dict_type": "must be a list of named settings",
    "model_type": "must be a list of named settings",
    "finite_number": "must be a finite number",
}
BOUNDS = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be greater than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "literal_error": "must be {expected}",
    "too_short": "needs at least {min_length} entry",
    "too_long": "may have at most {max_length} entries",
    "string_too_short": "must not be empty",
    "string_too_long": "may have at most {max_length} characters",
}


def in_words(problem: Any) -> str:
    """One pydantic problem as a sentence: field, what is wrong, what was given."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "value_error":
        sentence = str(context["error"])
    elif kind in BOUNDS:
        sentence = BOUNDS[kind].format(**context)
    else:
        sentence = WORDS.get(kind, problem["msg"])
    field = ".".join(str(step) for step in problem["loc"])
    given = problem["input"]
    shown = (
        f" (given: {given!r})"
        if isinstance(given, str | int | float | bool) and kind != "extra_forbidden"
        else ""
    )
    return f"{field}: {sentence}{shown}." if field else f"{sentence}."

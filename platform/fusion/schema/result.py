"""The one form of an evaluation: what `python -m fusion train` writes, what the platform stores,
what its pages draw.

Scores lie on a scale of 0 to 1. Intervals are 95 % percentile intervals of a bootstrap over the
cluster column. A part that cannot be known is None or empty, never guessed: a model trained
elsewhere that hands in labels has no calibration. Light on purpose: the web process reads results
with this module, so it imports no numpy and no torch.
"""

from typing import Any, Literal

from pydantic import Field, computed_field, model_validator

from fusion.schema.discipline_scores import ConceptsScore, ProtocolScore, RuleScore
from fusion.schema.intervals import Clusters, Gain, Interval, ResultPart
from fusion.schema.notes import Note, OptionalNote
from fusion.schema.task_names import TaskName

SCHEMA_VERSION = 4
"""When it is raised and how older results stay readable:
docs/decisions/results-of-every-version-can-be-read.md.
"""


class Headline(ResultPart):
    """`metric`: of EvaluationResult.metrics, the one that every `score` of the result is in; more
    of it is better.

    The gain is None where no single modality is known, the ECE where no probabilities are.
    """

    metric: str = "macro_f1"
    score: Interval
    gain_over_best_single: Gain | None
    ece: Interval | None


class Fold(ResultPart):
    """One round of the split; `name` is the held-out group or the number of the fold; `n_train`
    None where the model came from elsewhere.
    """

    name: str
    n_train: int | None
    n_test: int
    score: float | None = None
    best_epochs: list[int] = []


class Split(ResultPart):
    policy: str
    groups: list[str]
    folds: list[Fold]


class ClassScore(ResultPart):
    label: str
    n: int
    precision: float
    recall: float
    f1: Interval


class Single(ResultPart):
    """One modality alone: on every sample (absent: the training prior answers), and where it is
    present.

    `score` is None where it is absent on some samples and the prior is not known.
    """

    modality: str
    score: Interval | None
    n_present: int
    where_present: Interval
    temperature: float | None
    ece_before: float | None
    ece_after: float | None


class Baseline(ResultPart):
    """Another way to solve the same task on the same folds and features, for instance logistic
    regression.
    """

    name: str
    score: Interval


class Seed(ResultPart):
    seed: int
    score: float


class Missing(ResultPart):
    """The whole model with these modalities taken away from every test sample."""

    without: list[str]
    score: Interval
    change: Interval


class Shortfall(ResultPart):
    """A fusion method given one modality only, against that modality's own model; below 0 it falls
    short of it.
    """

    method: str
    modality: str
    score: Interval
    alone: Interval
    difference: Gain


class Level(Interval):
    """`share` of one modality removed at random, 0 to 1."""

    share: float


class Degradation(ResultPart):
    modality: str
    levels: list[Level]


class NoisyLevel(Interval):
    """level: its name among fusion.schema.noise_levels.LEVELS; change: the paired difference to the inputs as
    they are.
    """

    level: str
    change: Interval


class Noise(ResultPart):
    """The whole model with one modality made worse, mildest first. kind: of the modality, which
    says what is done to it.
    """

    modality: str
    kind: str
    levels: list[NoisyLevel]


class Share(Interval):
    modality: str


RULES = "rules at prediction"
"""No modality can have a name with spaces."""


class ClassShares(ResultPart):
    """Contributions to the mean probability of the true class; `shares` follow the order of
    `EvaluationResult.modalities`, then the rules.
    """

    label: str
    n: int
    shares: list[float]


class Contributions(ResultPart):
    """Exact Shapley values of the headline metric above the prior model; the shares add up to
    `total - prior`.

    Where rules take part at prediction they are one more player, named RULES.
    """

    prior: float
    total: float
    shares: list[Share]
    per_class: list[ClassShares]


class Subgroup(ResultPart):
    """`metrics`: those of `EvaluationResult.metrics`, on these samples alone; empty in results of
    schema 1.
    """

    column: str
    value: str
    n: int
    score: Interval
    note: OptionalNote = None
    metrics: dict[str, Interval] = {}


class WorstSubgroup(ResultPart):
    """The lowest score among the subgroups that have an interval."""

    column: str
    value: str


class Bin(ResultPart):
    """One bin of the reliability diagram: mean confidence against the share that is right, with its
    interval.
    """

    lower: float
    upper: float
    n: int
    confidence: float
    accuracy: Interval


class Reliability(ResultPart):
    ece: Interval
    bins: list[Bin]


class Calibration(ResultPart):
    """Before: the same model with every temperature at 1, None where that is not known. After: as
    it answers.
    """

    before: Reliability | None
    after: Reliability


class Against(ResultPart):
    """Test samples whose true number lies between `lower` and `upper`: the mean of the truth, and
    of what was answered.
    """

    lower: float
    upper: float
    n: int
    truth: float
    answer: Interval


class Confusion(ResultPart):
    """`counts[i][j]`: test samples of true class i that were answered j, for the first seed; order
    of `labels`.
    """

    counts: list[list[int]]


class Retrieval(ResultPart):
    """Given one modality of a sample, whether its own cell of another is among the ten nearest of
    the test samples of its round.

    recall: mean over the `n` samples asked, ties as chance would settle them; chance: the same if
    nothing were known; candidates: how many there are to find it among, on average. same_label: the
    share of the ten nearest others that bear the sample's label, None where samples bear none or
    several.
    """

    query: str
    target: str
    n: int
    candidates: float
    recall: Interval
    chance: float
    same_label: Interval | None = None
    same_label_by_chance: float | None = None


Kind = Literal["label", "modalities"]


SURE = 0.8
"""A modality that gives its answer at least this probability is called sure of it."""


class Said(ResultPart):
    """As text: a label, a number, labels. spread: of a number, which has one in place of a
    confidence (a standard deviation).
    """

    answer: str
    confidence: float | None = None
    spread: float | None = None


class Disagreement(ResultPart):
    """A sample to talk about (fusion.evaluation.disagreements): its modalities contradict the label,
    or two of them each other.

    score: suspicion in nats for kind "label", 0 to 1 for "modalities". answer: that of the
    single-modality models together. said: each alone, None where the sample lacks it. between: the
    modalities that say `answer`, or the two that contradict each other.
    """

    key: str
    kind: Kind
    score: float
    truth: str
    answer: str
    said: dict[str, Said | None]
    between: list[str]

    @model_validator(mode="before")
    @classmethod
    def drop_the_stored_reason(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if name != "reason"}

    @property
    def sure(self) -> bool:
        """Return whether each of `between` is sure of what it says."""
        return bool(self.between) and all(
            (said.confidence or 0.0) >= SURE for name in self.between if (said := self.said[name])
        )

    @computed_field  # type: ignore[prop-decorator]
    @property
    def reason(self) -> Note:
        """The reason that a page and the file tell: who says what."""
        if self.kind == "modalities":
            one, other = self.between
            answers = {name: said.answer for name, said in self.said.items() if said}
            return Note.of(
                "sure_contradiction" if self.sure else "contradiction",
                one=one,
                answer=answers[one],
                other=other,
                other_answer=answers[other],
            )
        if not self.between:
            return Note.of("product_against_label", answer=self.answer, truth=self.truth)
        codes = {1: "one_against_label", 2: "both_against_label"}
        code = codes.get(len(self.between), "all_against_label")
        return Note.of(code, names=self.between, answer=self.answer, truth=self.truth)


class Read(ResultPart):
    """One way to read a modality: encoders side by side, as a recipe names them. loss: inner log
    loss of a linear model, the mean over the `rounds` of the split that tried it; chosen: how many
    of them chose it; kept: for the model of all samples; own: as the recipe says.
    """

    encoders: list[dict[str, Any]]
    loss: float
    rounds: int
    chosen: int
    kept: bool
    own: bool = False


class Tried(ResultPart):
    """One method of a search. score: of its answers in every round; loss: inner log loss, the mean
    over the rounds, by which it is chosen; seconds: of computing, None where it needs no network of
    its own; difference: of the score to the kept method's, None for that one.
    """

    method: str
    score: Interval
    loss: float
    seconds: float | None
    chosen: int
    kept: bool
    difference: Gain | None = None


class Search(ResultPart):
    """What a search tried, all of it. The headline is that of each round's own choice; kept: what
    all samples were trained with.

    not_tried: methods for which the budget (seconds of computing) was spent. probe: {modality: how
    it may be read, the best first}.
    """

    rounds: int
    tried: list[Tried]
    not_tried: list[str]
    budget_seconds: float | None
    probe: dict[str, list[Read]] = {}


class EvaluationResult(ResultPart):
    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    task: TaskName = "classification"
    method: str
    labels: list[str]
    modalities: list[str]
    n_total: int
    n_samples: int
    left_out: dict[str, int]
    """Samples that were not scored: reason, one of fusion.schema.notes.LEFT_OUT -> number."""
    split: Split
    clusters: Clusters
    headline: Headline
    metrics: dict[str, Interval]
    """macro_f1, accuracy, balanced_accuracy, auroc, log_loss, brier, ece."""
    seeds: list[Seed]
    per_class: list[ClassScore]
    singles: list[Single]
    baselines: list[Baseline]
    methods: list[Baseline]
    """Every fusion method that the recipe asked for, the chosen one among them."""
    missing: list[Missing]
    shortfalls: list[Shortfall] = []
    degradation: list[Degradation]
    noise: list[Noise] = []
    """None where the recipe does not ask for it."""
    contributions: Contributions | None
    subgroups: list[Subgroup]
    worst_subgroup: WorstSubgroup | None = None
    confusion: Confusion | None = None
    """None where an answer is not one label."""
    against: list[Against] = []
    """Of numbers: tenths of the test samples, by the truth."""
    calibration: Calibration | None
    disagreements: list[Disagreement] = []
    """Those against the label first, each kind by score."""
    retrieval: list[Retrieval] = []
    """Of every ordered pair of modalities, by the fused representation; none where the model came
    from elsewhere.
    """
    rules: list[RuleScore] = []
    """Every rule of the run; none where the run has none."""
    protocols: list[ProtocolScore] = []
    search: Search | None = None
    """None where the recipe named everything."""
    concepts: ConceptsScore | None = None
    seconds: dict[str, float]
    """Wall-clock seconds of each stage (read, embed, train, evaluate, bundle). As if nothing else
    had run, for estimates: `cpu:STAGE`, `cpu:fit` of fitting networks, `cell:ENCODER` of one cell
    through an encoder.
    """
    environment: dict[str, Any]
    """Versions, seeds, digests of data, recipe and encoders: what a repetition needs."""

    @model_validator(mode="before")
    @classmethod
    def read_earlier_schemas(cls, data: Any) -> Any:
        """Schema 1 lists confident errors in `mistakes`, which `disagreements` replaced; `mixes` and
        `attended` hold learned weights of layers and places, which were removed.
        """
        if not isinstance(data, dict):
            return data
        version = data.get("schema_version", SCHEMA_VERSION)
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise ValueError(
                f"the result has schema {version}; this version reads up to {SCHEMA_VERSION}: update the program to read it"
            )
        gone = {"mistakes", "mixes", "attended"}
        return {name: value for name, value in data.items() if name not in gone}

    @model_validator(mode="after")
    def name_the_worst_subgroup(self) -> "EvaluationResult":
        known = [one for one in self.subgroups if one.score.low is not None]
        if len(known) > 1:
            worst = min(known, key=lambda one: one.score.value)
            self.worst_subgroup = WorstSubgroup(column=worst.column, value=worst.value)
        return self

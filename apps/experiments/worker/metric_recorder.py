"""Points of curves on their way into the database: gathered, then written with the job's progress
about once a second.
"""

import threading
from collections.abc import Iterable

from django.utils.translation import gettext as _

from apps.experiments.models import Metric, Run
from apps.experiments.report.curves import score_of
from apps.experiments.words import stage_sentence
from apps.jobs.work import Work
from apps.ui import figures
from fusion.core.fit_key import FitKey
from fusion.core.progress import Progress

MODEL, FOLD, NAME = 120, 120, 80


class MetricRecorder(Progress):
    """The engine's reports while it trains: stages, steps and log go to the job, curves into rows.

    A resumed attempt tells again what the last one told: its points replace those, so that none is
    there twice.
    """

    def __init__(self, work: Work, run: Run) -> None:
        self.work, self.run = work, run
        self._points: dict[tuple[FitKey, int, str, int], float] = {}
        self._lock = threading.Lock()
        self._fit: tuple[FitKey, int] | None = None
        self._scores: list[float] = []
        self._metric = ""
        work.on_flush = self.write

    def stages(self, names: Iterable[str]) -> None:
        """The stages are fixed when the run is started."""

    def stage(self, name: str) -> None:
        self._tell_fit()
        self.work.stage(name)
        self.work.log(stage_sentence(name))

    def step(self, done: int, total: int, unit: str = "") -> None:
        self.work.step(done, total, unit)

    def log(self, text: str) -> None:
        self.work.log(text)

    def check(self) -> None:
        self.work.check()

    def metric(self, fit: FitKey, seed: int, epoch: int, name: str, value: float) -> None:
        key = FitKey(fit.model[:MODEL], fit.fold[:FOLD], fit.inner)
        with self._lock:
            self._points[key, seed, name[:NAME], epoch] = value
        if self._fit != (fit, seed):
            self._tell_fit()
            self._fit = (fit, seed)
        if metric := score_of(name):
            self._scores.append(value)
            self._metric = figures.metric(metric)
        self.work.flush_if_due()

    def _tell_fit(self) -> None:
        """One line for each network that is done; the engine itself tells of encoders that are
        trained along.
        """
        if self._fit and not self._fit[0].tunes:
            words = {"fit": str(self._fit[0]), "seed": self._fit[1]}
            if self._scores:
                words |= {
                    "n": len(self._scores),
                    "metric": self._metric,
                    "best": figures.score(max(self._scores)),
                }
                self.work.log(
                    _("%(fit)s, seed %(seed)s: %(n)s epochs, best validation %(metric)s %(best)s")
                    % words
                )
            else:
                self.work.log(
                    _("%(fit)s, seed %(seed)s: trained on all its training samples") % words
                )
        self._fit, self._scores = None, []

    def write(self) -> None:
        """Write the points inside the transaction of a flush, after the attempt has been proved; on
        an error they are kept.
        """
        with self._lock:
            points, self._points = self._points, {}
        rows = [
            Metric(
                run=self.run,
                attempt=self.work.job.attempt,
                **fit._asdict(),
                seed=seed,
                name=name,
                epoch=epoch,
                value=value,
            )
            for (fit, seed, name, epoch), value in points.items()
        ]
        Metric.objects.bulk_create(
            rows,
            batch_size=500,
            update_conflicts=True,
            update_fields=["value", "attempt"],
            unique_fields=["run", *FitKey._fields, "seed", "name", "epoch"],
        )

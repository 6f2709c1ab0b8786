"""The fit of a point, `model · fold, inner n` in one column before, gets a column for each part."""

import re

from django.db import migrations, models

OLD = re.compile(r"^(?:(?P<model>.*?) · )?(?P<fold>.*?)(?:, inner (?P<inner>\d+))?$")


def split(apps, editor):
    metrics = apps.get_model("experiments", "Metric").objects.order_by()
    for fit in list(metrics.values_list("fold", flat=True).distinct()):
        parts = OLD.match(fit).groupdict()
        model, inner = parts["model"] or "", int(parts["inner"] or 0)
        metrics.filter(model="", fold=fit).update(model=model, fold=parts["fold"], inner=inner)


def join(apps, editor):
    metrics = apps.get_model("experiments", "Metric").objects.order_by()
    fits = metrics.exclude(model="", inner=0).values_list("model", "fold", "inner").distinct()
    for model, fold, inner in list(fits):
        fit = f"{model} · {fold}" if model else fold
        fit += f", inner {inner}" if inner else ""
        metrics.filter(model=model, fold=fold, inner=inner).update(model="", fold=fit, inner=0)


class Migration(migrations.Migration):
    dependencies = [("experiments", "0004_score")]

    operations = [
        migrations.RemoveConstraint("metric", "metric_point_once"),
        migrations.AddField("metric", "model", models.CharField(default="", max_length=120)),
        migrations.AddField("metric", "inner", models.PositiveSmallIntegerField(default=0)),
        migrations.RunPython(split, join),
        migrations.AddConstraint(
            "metric",
            models.UniqueConstraint(
                fields=("run", "model", "fold", "inner", "seed", "name", "epoch"),
                name="metric_point_once",
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0003_initial")]

    operations = [
        migrations.RenameField("run", "macro_f1", "score"),
        migrations.RenameField("run", "macro_f1_low", "score_low"),
        migrations.RenameField("run", "macro_f1_high", "score_high"),
        migrations.AddField("run", "metric", models.CharField(default="macro_f1", max_length=40)),
    ]

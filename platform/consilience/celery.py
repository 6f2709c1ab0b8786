"""The Celery application. The broker only wakes workers; the truth about a job is its row."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")

app = Celery("consilience")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

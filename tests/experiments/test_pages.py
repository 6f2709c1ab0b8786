from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.experiments.models import Run
from apps.jobs.models import Job
from factory import alignment, finished_run

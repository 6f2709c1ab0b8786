#!/usr/bin/env python
"""Django's command line for this project; an installed package has it as `consilience`."""

import os
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent / "platform"), str(Path(__file__).parent)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)

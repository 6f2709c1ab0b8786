"""The evaluation, the same for every run: it reads answers (probabilities), never a model."""

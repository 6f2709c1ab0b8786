"""Everything that is judged from predictions, never from a model."""

"""One fit and all fits of a run: loop, folds, out-of-fold predictions, fine-tuning, search."""

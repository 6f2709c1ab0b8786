"""Encoders that are trained along: frozen is the default; adapters (LoRA), the last blocks, or all
of it by one word of the recipe.

    encoders:
      text: [{name: minilm-l6-v2, tune: lora}]

An encoder is tuned on the training rows of a fit and on no others: once for each fold of the split,
once for each of its inner rounds, once for the model that is kept
(fusion.training.finetune.rounds). What was learnt goes into the bundle
(fusion.encoders.adaptation.Tuned).
"""

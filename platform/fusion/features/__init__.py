"""The step from embeddings to the features of a fit: whitening, tokens, noise, prototypes; and the
fused representation of a sample.
"""

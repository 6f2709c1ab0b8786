"""Adapters from families of foundation models to the interface of an encoder."""

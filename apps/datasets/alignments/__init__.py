"""Chosen columns of chosen versions, joined on the sample key: described (spec), looked at
(preview), frozen (services, job), read (loading).
"""

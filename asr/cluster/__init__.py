"""Recognising on many machines: `pipeline` (Ray Data)."""

"""Cluster: recognising beyond a machine, by `pipeline` (Ray Data)."""

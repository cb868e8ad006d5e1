"""Shards: equal parts of a batch, each computed by a thread of its own."""

from concurrent.futures import ThreadPoolExecutor

import torch


def shard_threads(n_shards: int) -> ThreadPoolExecutor:
    """Start a thread per shard, whose operations have the threads of `torch.set_num_threads`.

    OpenMP keeps that number for every thread by itself. A new one has a thread per core, and learns
    better only by a look at torch's number, which not every operation takes first.
    """
    return ThreadPoolExecutor(n_shards, "shard", initializer=torch.get_num_threads)

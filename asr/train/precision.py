"""Precision: the numbers that matrix products are computed in while a model trains."""

import logging
from functools import cache

import torch
from torch import nn

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}

_LOG = logging.getLogger(__name__)


def usable_precision(wanted: str, device: torch.device) -> str:
    """Replace bfloat16 by float32, and log it, if the processor cannot compute an LSTM in it.

    Args:
        wanted: One of `PRECISIONS`.
        device: Where the model trains.
    """
    if wanted == "bfloat16" and device.type == "cpu" and not _cpu_has_bfloat16():
        _LOG.warning("this processor has no LSTM in bfloat16: training in float32, which is slower")
        return "float32"
    return wanted


@cache
def _cpu_has_bfloat16() -> bool:
    """Try it: oneDNN refuses an LSTM in bfloat16 on processors without AVX-512."""
    try:
        with torch.random.fork_rng(devices=[]), torch.autocast("cpu", torch.bfloat16):
            nn.LSTM(8, 8)(torch.zeros(1, 1, 8))
    except RuntimeError:
        return False
    return True

"""Precision: the numbers that matrix products are computed in while a model trains."""

import logging
from functools import cache

import torch
from torch import nn

_LOG = logging.getLogger(__name__)


def autocast(device_type: str, precision: str) -> torch.autocast:
    """Make a context whose matrix products are in "bfloat16"; in "float32" it changes nothing."""
    return torch.autocast(device_type, torch.bfloat16, enabled=precision == "bfloat16")


def usable_precision(wanted: str, device: torch.device) -> str:
    """Replace "bfloat16" by "float32", and log it, if the processor has no LSTM in it."""
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

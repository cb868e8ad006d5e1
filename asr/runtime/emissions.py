"""Emissions: a model's output for a dev set, stored so that tuning needs no network."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from asr.corpus.utterance import Utterance
from asr.errors import AudioError, DataError
from asr.files import write_bytes

FORMAT = "asr-emissions-1"

Emission = NDArray[np.float32]  # (T, V), natural log, each frame normalised


def collect_emissions(
    results: Iterable[tuple[Utterance, Emission | AudioError]],
) -> dict[str, Emission]:
    """Collect emissions by utterance id.

    Raises:
        AudioError: A recording cannot be used.
    """
    emissions = {}
    for utterance, result in results:
        if isinstance(result, AudioError):
            raise result
        emissions[utterance.id] = result.copy()  # not a view of its whole batch
    return emissions


def write_emissions(path: Path, emissions: Mapping[str, Emission], origin: str) -> None:
    """Write emissions.

    Args:
        path: The file to write.
        emissions: By utterance id.
        origin: Identifies the model and the head that computed them.
    """
    write_bytes(path, save(dict(emissions), {"format": FORMAT, "origin": origin}))


def read_emissions(path: Path, ids: Sequence[str], origin: str) -> dict[str, Emission]:
    """Read the emissions of some utterances.

    Raises:
        DataError: The file holds no emissions, is of another origin, or lacks an utterance.
    """
    try:
        with safe_open(path, "np") as file:
            found = (file.metadata() or {}).get("origin")
            if found != origin:
                raise DataError(
                    f"{path}: computed by {found}, not {origin}: remove it, or name another"
                )
            missing = sorted(set(ids) - set(file.keys()))
            if missing:
                raise DataError(f"{path}: lacks {missing[0]}: remove it, or name another")
            return {name: file.get_tensor(name) for name in ids}
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path}: expected stored emissions, got {error}") from error

"""Calibration file: the calibrations of a model, a table per kind of search, in its directory.

[beam-lm]
offset = -0.03
confidence = 0.18
doubt = 0.73
letters = 3.7
seconds = -2.2
fitted_on = "dev-clean: 13029 words, 60.1 % correct"
"""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from asr.confidence.calibration import Calibration
from asr.confidence.searches import SEARCHES
from asr.errors import ConfigError
from asr.files import write_text

CALIBRATION_FILE = "confidence.toml"

_NUMBERS = tuple(field.name for field in dataclasses.fields(Calibration))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibration and a description of the data that it was fitted on."""

    calibration: Calibration
    fitted_on: str


Calibrations = Mapping[str, Fitted]  # by kind of search


def read_calibrations(folder: Path) -> dict[str, Fitted]:
    """Read a model's calibrations; empty if it has none.

    Raises:
        ConfigError: The file is not TOML, or a kind of search or a key is unknown, missing, of the
            wrong type or impossible; the message names the file and the key.
    """
    path = folder / CALIBRATION_FILE
    if not path.exists():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML, got {error}") from error
    return {kind: _read(table, f"{path}: {kind}", kind) for kind, table in tables.items()}


def write_calibrations(folder: Path, calibrations: Calibrations) -> None:
    """Write a model's calibrations."""
    tables = {
        kind: {**dataclasses.asdict(fitted.calibration), "fitted_on": fitted.fitted_on}
        for kind, fitted in sorted(calibrations.items(), key=lambda item: SEARCHES.index(item[0]))
    }
    write_text(folder / CALIBRATION_FILE, tomli_w.dumps(tables))


def _read(table: Any, where: str, kind: str) -> Fitted:  # noqa: ANN401 (any type TOML knows)
    if kind not in SEARCHES:
        raise ConfigError(f"{where} is not a kind of search; expected one of {', '.join(SEARCHES)}")
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table, got {table!r}")
    expected = {*_NUMBERS, "fitted_on"}
    if unknown := table.keys() - expected:
        raise ConfigError(f"{where}: unknown key {', '.join(sorted(unknown))}")
    if missing := expected - table.keys():
        raise ConfigError(f"{where}: missing key {', '.join(sorted(missing))}")
    for name in _NUMBERS:
        if type(table[name]) not in {int, float}:
            raise ConfigError(f"{where}: {name} must be a number, got {table[name]!r}")
    if not isinstance(table["fitted_on"], str):
        raise ConfigError(f"{where}: fitted_on must be a text, got {table['fitted_on']!r}")
    try:
        calibration = Calibration(**{name: float(table[name]) for name in _NUMBERS})
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    return Fitted(calibration, table["fitted_on"])

from pathlib import Path

import numpy as np
import pytest

from asr.corpus.utterance import Utterance
from asr.errors import AudioError, DataError
from asr.runtime.emissions import collect_emissions, read_emissions, write_emissions

EMISSIONS = {
    "a": np.log(np.full((3, 2), 0.5, np.float32)),
    "b": np.log(np.array([[0.25, 0.75]], np.float32)),
    "silent": np.empty((0, 2), np.float32),
}


def test_emissions_are_collected_by_id() -> None:
    results = [(Utterance(name, Path("a.wav")), array) for name, array in EMISSIONS.items()]
    found = collect_emissions(results)
    assert list(found) == list(EMISSIONS)
    for name, emission in EMISSIONS.items():
        np.testing.assert_array_equal(found[name], emission, strict=True)


def test_an_unusable_recording_stops_the_collection() -> None:
    with pytest.raises(AudioError, match="gone"):
        collect_emissions(
            [(Utterance("a", Path("gone.wav")), AudioError("gone.wav: no such file"))]
        )


def test_stored_emissions_are_read_to_the_bit(tmp_path: Path) -> None:
    write_emissions(tmp_path / "dev.emissions", EMISSIONS, "0123/text")
    found = read_emissions(tmp_path / "dev.emissions", ["silent", "b", "a"], "0123/text")
    assert list(found) == ["silent", "b", "a"]
    for name, emission in EMISSIONS.items():
        np.testing.assert_array_equal(found[name], emission, strict=True)


def test_the_emissions_of_another_model_are_refused(tmp_path: Path) -> None:
    write_emissions(tmp_path / "dev.emissions", EMISSIONS, "0123/text")
    with pytest.raises(DataError, match="computed by 0123/text, not 4567/text"):
        read_emissions(tmp_path / "dev.emissions", ["a"], "4567/text")


def test_a_missing_utterance_is_named(tmp_path: Path) -> None:
    write_emissions(tmp_path / "dev.emissions", EMISSIONS, "0123/text")
    with pytest.raises(DataError, match="lacks another"):
        read_emissions(tmp_path / "dev.emissions", ["another"], "0123/text")


@pytest.mark.parametrize("content", [None, b"no emissions"])
def test_a_file_that_is_missing_or_holds_no_emissions_is_named(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "notes"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="notes: expected stored emissions"):
        read_emissions(path, [], "0123/text")

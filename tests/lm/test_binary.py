import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from asr.errors import DataError
from asr.lm.binary import read_binary, write_binary
from asr.lm.ngram import NGram
from tests.lm.conftest import build

ARRAYS = ("words", "log_probs", "backoffs", "first_child", "suffixes")


@pytest.fixture(scope="module")
def model() -> NGram:
    return build(["A B A C", "A B", "ÉTAT A B", "C"], 3)


@pytest.fixture
def path(model: NGram, tmp_path: Path) -> Path:
    path = tmp_path / "new" / "m.lm"
    write_binary(path, model)
    return path


def test_a_model_is_read_as_it_was_written(model: NGram, path: Path) -> None:
    twin = read_binary(path)
    assert twin.vocabulary == model.vocabulary
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(twin.nodes, name), getattr(model.nodes, name))
        assert getattr(twin.nodes, name).dtype == getattr(model.nodes, name).dtype


def test_weights_of_contexts_without_longer_ngrams_are_kept(path: Path, childless: NGram) -> None:
    write_binary(path, childless)
    twin = read_binary(path)
    assert twin.order == 2
    np.testing.assert_array_equal(twin.nodes.backoffs, childless.nodes.backoffs)


def test_arrays_are_mapped_read_only_and_not_copied(path: Path) -> None:
    for name in ARRAYS:
        array = getattr(read_binary(path).nodes, name)
        base: Any = array
        while isinstance(base.base, np.ndarray):
            base = base.base
        assert isinstance(base, np.memmap)
        assert array.flags.aligned
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_the_file_is_a_safetensors_file(model: NGram, path: Path) -> None:
    arrays = safetensors.numpy.load_file(path)
    words = arrays["vocabulary"].tobytes().decode().split("\n")
    assert tuple(words) == model.vocabulary.words
    for name in ARRAYS:
        np.testing.assert_array_equal(arrays[name], getattr(model.nodes, name))


def header_of(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def with_header(path: Path, header: object, rest: bytes) -> None:
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + rest)


@pytest.mark.parametrize("n_bytes", [0, 5, 8, 100])
def test_a_file_that_is_no_model_is_refused_by_name(n_bytes: int, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataError, match=r"m\.lm: expected a binary n-gram model"):
        read_binary(path)


def test_text_is_refused(path: Path) -> None:
    path.write_text("\\data\\\nngram 1=5\n" * 100)
    with pytest.raises(DataError, match="expected a binary n-gram model"):
        read_binary(path)


def test_another_safetensors_file_is_refused(path: Path) -> None:
    safetensors.numpy.save_file({"weights": np.zeros(3)}, path)
    with pytest.raises(DataError, match="expected a binary n-gram model"):
        read_binary(path)


def test_a_file_cut_short_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="'vocabulary' is missing, cut short"):
        read_binary(path)


@pytest.mark.parametrize("name", [*ARRAYS, "vocabulary"])
def test_arrays_that_are_missing_or_of_another_type_or_size_are_refused(
    name: str, path: Path
) -> None:
    header, rest = header_of(path)
    start, stop = header[name]["data_offsets"]
    without = {key: value for key, value in header.items() if key != name}
    with_header(path, without, rest)
    with pytest.raises(DataError, match=f"{name!r} is missing"):
        read_binary(path)
    with_header(path, {**header, name: {**header[name], "dtype": "F64"}}, rest)
    with pytest.raises(DataError, match="not of type"):
        read_binary(path)
    with_header(path, {**header, name: {**header[name], "data_offsets": [start, stop - 4]}}, rest)
    with pytest.raises(DataError, match="damaged"):
        read_binary(path)
    with_header(path, {**header, name: {**header[name], "data_offsets": "??"}}, rest)
    with pytest.raises(DataError, match="is missing, cut short"):
        read_binary(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.lm: cannot be read: No such file"):
        read_binary(tmp_path / "gone.lm")


def test_a_failure_leaves_what_was_there(
    model: NGram, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()
    monkeypatch.setattr("asr.lm.array_file._LENGTH", None)
    with pytest.raises(AttributeError):
        write_binary(path, model)
    assert [p.read_bytes() for p in path.parent.iterdir()] == [before]

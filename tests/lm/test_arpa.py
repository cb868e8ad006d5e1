import gzip
from pathlib import Path

import numpy as np
import pytest

from asr.lm.arpa import write_arpa
from asr.lm.arpa_reader import read_arpa
from asr.lm.ngram import NGram
from tests.lm.conftest import build

SEGMENTS = ["A B A C", "A B", "ÉTAT A B", "C"]


@pytest.fixture(scope="module")
def model() -> NGram:
    return build(SEGMENTS, 3)


def test_the_text_is_what_other_tools_read(tmp_path: Path) -> None:
    write_arpa(tmp_path / "a.arpa", build(["A B", "A"], 2))
    lines = (tmp_path / "a.arpa").read_text().splitlines()
    assert lines[:5] == ["\\data\\", "ngram 1=5", "ngram 2=4", "", "\\1-grams:"]
    assert lines[5:8] == ["-0.90309\t<unk>", "0\t<s>\t-0.30103", "-0.4259687\t</s>"]
    assert lines[11].startswith("\\2-grams:")
    assert lines[12] == "-0.20412\t<s> A"
    assert lines[-2:] == ["", "\\end\\"]


@pytest.mark.parametrize("name", ["m.arpa", "m.arpa.gz", "m.arpa.xz", "m.arpa.bz2"])
@pytest.mark.parametrize("threshold", [0.0, 0.01])
def test_a_model_is_read_as_it_was_written(name: str, threshold: float, tmp_path: Path) -> None:
    model = build(SEGMENTS, 3, threshold=threshold)
    write_arpa(tmp_path / "new" / name, model)
    twin = read_arpa(tmp_path / "new" / name)
    assert twin.vocabulary == model.vocabulary
    for array in ("words", "first_child", "suffixes"):
        np.testing.assert_array_equal(getattr(twin.nodes, array), getattr(model.nodes, array))
    for array in ("log_probs", "backoffs"):
        np.testing.assert_allclose(
            getattr(twin.nodes, array), getattr(model.nodes, array), atol=1e-6
        )


def test_lines_are_written_in_portions_as_if_in_one(
    model: NGram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_arpa(tmp_path / "one.arpa", model)
    monkeypatch.setattr("asr.lm.arpa._CHUNK", 2)
    write_arpa(tmp_path / "many.arpa", model)
    assert (tmp_path / "many.arpa").read_bytes() == (tmp_path / "one.arpa").read_bytes()


def test_a_name_that_ends_in_gz_is_compressed(model: NGram, tmp_path: Path) -> None:
    write_arpa(tmp_path / "m.arpa", model)
    write_arpa(tmp_path / "m.arpa.gz", model)
    packed = (tmp_path / "m.arpa.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "m.arpa").read_bytes()


def test_a_failure_leaves_what_was_there(
    model: NGram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.arpa"
    path.write_text("before")
    monkeypatch.setattr("asr.lm.arpa._write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_arpa(path, model)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("m.arpa", "before")]

from pathlib import Path

import pytest

from asr.lm.files import read_ngram, write_ngram
from tests.lm.conftest import build


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("m.arpa", b"\\data\\"),
        ("m.arpa.gz", b"\x1f\x8b"),
        ("m.gz", b"\x1f\x8b"),
        ("m.lm", b'"__metadata__"'),
        ("m", b'"__metadata__"'),
    ],
)
def test_the_name_of_a_file_to_write_tells_its_form(
    name: str, start: bytes, tmp_path: Path
) -> None:
    model = build(["A B", "A"], 2)
    write_ngram(tmp_path / name, model)
    assert start in (tmp_path / name).read_bytes()[:32]
    assert read_ngram(tmp_path / name).vocabulary == model.vocabulary


@pytest.mark.parametrize("written", ["m.arpa", "m.arpa.gz", "m.xz", "m.lm"])
@pytest.mark.parametrize("name", ["model", "m.txt", "m.lm", "m.arpa", "m.gz"])
def test_content_tells_what_a_file_is_not_its_name(written: str, name: str, tmp_path: Path) -> None:
    model = build(["A B", "A"], 2)
    write_ngram(tmp_path / written, model)
    (tmp_path / written).rename(tmp_path / name)
    assert read_ngram(tmp_path / name).vocabulary == model.vocabulary

"""A fusion that was kept is the one that its files make, and nothing else is found for them."""

import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from asr.lm.binary import write_binary
from asr.lm.files import read_ngram
from asr.search import kept_fusion
from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.fusion import Fusion, fuse
from asr.search.kept_fusion import N_KEPT, load_fusion
from asr.search.language import make_graph
from asr.search.lexicon import Lexicon
from asr.text.normalise import normaliser
from tests.search.conftest import ARPA, CHARACTERS, PHONES, random_log_probs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a compact language model, lexica, and what is kept."""
    (tmp_path / "lm.arpa").write_text(ARPA)
    write_binary(tmp_path / "words.lm", read_ngram(tmp_path / "lm.arpa"), is_compact=True)
    (tmp_path / "words.txt").write_text("AB\nBA\nCAB\n")
    (tmp_path / "phones.txt").write_text("AB A B\nBA B A\nBA A B\nCAB C A B\n")
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr(kept_fusion, "kept_folder", lambda _: tmp_path / "kept")
    monkeypatch.setattr(kept_fusion, "LEAST", 0)
    return tmp_path


@pytest.fixture
def n_made(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Counts how often files were read for a fusion."""
    calls: list[object] = []

    def counting(*arguments: object, **options: object) -> Fusion:
        calls.append(arguments)
        return fuse(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(kept_fusion, "fuse", counting)
    return lambda: len(calls)


def load(
    folder: Path,
    lexicon: str | None = "phones.txt",
    *,
    lm: str = "words.lm",
    tokens: Sequence[str] = CHARACTERS,
    phones: Sequence[str] = PHONES,
    normaliser_name: str = "librispeech-1",
) -> Fusion:
    words = folder / lexicon if lexicon else None
    return load_fusion(tokens, normaliser_name, phones, folder / lm, words)


@pytest.mark.parametrize("hotwords", [{}, {"BA": 0.5, "CAB BA": 1.0}])
@pytest.mark.parametrize("lexicon", ["phones.txt", "words.txt", None])
def test_it_is_the_one_that_the_files_make(
    lexicon: str | None, hotwords: dict[str, float], folder: Path, n_made: Callable[[], int]
) -> None:
    load(folder, lexicon)
    found = load(folder, lexicon).with_hotwords(hotwords, normaliser("librispeech-1"))
    made = fuse(
        CHARACTERS,
        "librispeech-1",
        phones=PHONES,
        lm=folder / "words.lm",
        lexicon=folder / lexicon if lexicon else None,
        hotwords=hotwords,
    )

    assert n_made() == 1
    assert (found.words, found.are_pronounced) == (made.words, made.are_pronounced)
    of_one, of_other = made.language, found.language
    assert of_one.is_open == of_other.is_open == (lexicon is None)
    for one, other in zip(of_one.ngram, of_other.ngram, strict=True):
        np.testing.assert_array_equal(one, other)
    for name in [field.name for field in fields(Lexicon)]:
        one, other = (getattr(language.lexicon, name) for language in (of_one, of_other))
        np.testing.assert_array_equal(one, other)
    beam = BeamConfig(beam_size=20, beam_threshold=20.0, n_best=3, lm_weight=1.0)
    n_tokens = len(PHONES) if made.are_pronounced else len(CHARACTERS)
    log_probs = random_log_probs(1, 2, 6, n_tokens)
    results = [BeamSearch(beam, each)(log_probs, np.array([6, 4])) for each in (of_one, of_other)]
    assert results[0] == results[1]
    graphs = [make_graph(each, beam) for each in (of_one, of_other)]
    assert not any(graph.lm_ids.flags.writeable for graph in graphs)  # one kind of code for both


def test_files_tokens_and_normalisers_that_differ_find_nothing(
    folder: Path, n_made: Callable[[], int]
) -> None:
    load(folder)
    (folder / "phones.txt").write_text("AB A B\n")
    assert load(folder).words == ("AB",)
    (folder / "lm.arpa").write_text(ARPA.replace("-0.8", "-0.9"))
    write_binary(folder / "words.lm", read_ngram(folder / "lm.arpa"), is_compact=True)
    load(folder)
    load(folder, normaliser_name="librispeech-2")
    load(folder, phones=(*PHONES, "D"))
    load(folder, tokens=(*CHARACTERS, "D"))
    assert n_made() == 6


def cut(content: bytes) -> bytes:
    return content[:-40]


def other_numbers(content: bytes) -> bytes:
    header = 8 + int.from_bytes(content[:8], "little")
    return content[:header] + bytes(len(content) - header)


def numbers_of(name: str) -> Callable[[bytes], bytes]:
    """Damage one array alone."""

    def damaged(content: bytes) -> bytes:
        header = 8 + int.from_bytes(content[:8], "little")
        start, stop = map(int, json.loads(content[8:header])[name]["data_offsets"])
        return content[: header + start] + b"\x7f" * (stop - start) + content[header + stop :]

    return damaged


def nothing(_: bytes) -> bytes:
    return b""


ARRAYS = ("ngram.suffixes", "lexicon.arc_target", "lexicon.depth", "lm_ids", "words")


@pytest.mark.parametrize("damage", [cut, other_numbers, nothing, *map(numbers_of, ARRAYS)])
def test_a_damaged_file_is_replaced(
    damage: Callable[[bytes], bytes],
    folder: Path,
    n_made: Callable[[], int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = load(folder)
    (kept,) = (folder / "kept").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    with caplog.at_level(logging.WARNING):
        assert load(folder).words == made.words
    assert "reading the model's files again" in caplog.text
    assert n_made() == 2
    assert kept.read_bytes() == whole


def test_a_file_of_somebody_else_is_not_used(
    folder: Path, n_made: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(folder)
    monkeypatch.setattr(kept_fusion, "is_trusted", lambda _: False)
    load(folder)
    assert n_made() == 2


def test_what_is_mapped_itself_or_small_is_not_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_binary(folder / "mapped.lm", read_ngram(folder / "lm.arpa"))
    load(folder, lm="mapped.lm")
    load(folder, lm="lm.arpa")
    monkeypatch.setattr(kept_fusion, "LEAST", 100_000)
    load(folder)
    assert not list((folder / "kept").iterdir())


def test_what_others_are_writing_stays(folder: Path) -> None:
    for i in range(N_KEPT + 1):
        (folder / "kept" / f".{i}.part").write_text("")
    load(folder)
    assert len(list((folder / "kept").iterdir())) == N_KEPT + 2


def test_those_used_last_stay(folder: Path, n_made: Callable[[], int]) -> None:
    for i in range(N_KEPT):
        (folder / f"{i}.txt").write_text(f"AB A B\n{'A' * (i + 2)} A A\n")
        load(folder, f"{i}.txt")
        newest = max((folder / "kept").iterdir(), key=lambda file: file.stat().st_mtime)
        os.utime(newest, (i, i))  # used long ago, one after the other
    load(folder, "0.txt")  # used now
    load(folder)
    assert len(list((folder / "kept").iterdir())) == N_KEPT
    load(folder, "0.txt")
    assert n_made() == N_KEPT + 1
    load(folder, "1.txt")
    assert n_made() == N_KEPT + 2


def test_a_full_disk_keeps_nothing_and_stops_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept_fusion, "write_arrays", no_room)
    with caplog.at_level(logging.WARNING):
        assert load(folder).words
    assert "nothing can be kept (No space left on device)" in caplog.text


def test_without_a_folder_nothing_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_fusion, "kept_folder", lambda _: None)
    assert load(folder).words
    assert not list((folder / "kept").iterdir())

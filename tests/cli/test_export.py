from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from asr.checkpoint.golden import swelling_noise
from asr.checkpoint.network import build, load_checkpoint, save_checkpoint
from asr.cli import main
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from tests.conftest import make_config


def export(model: Path, *words: object) -> int:
    return main(["export", str(model), *map(str, words)])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_int8_costs_is_measured_before_the_graph_is_in_place(
    own_model: Path,
    manifest: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("asr.cli.export.MAX_WER_CHANGE", 10.0)
    assert export(own_model, "--dev", manifest) == 0
    assert " % in int8\n" in (told := capsys.readouterr().out)
    assert told.endswith("MB, weights in int8\n")

    monkeypatch.setattr("asr.cli.export.MAX_WER_CHANGE", -10.0)  # any difference is too much
    assert export(own_model, "--dev", manifest) == 0
    assert capsys.readouterr().out.endswith("MB, weights in float16\n")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("asr.cli.export.recognise", stop)
    before = contents(own_model)
    assert export(own_model, "--dev", manifest) == 130
    assert contents(own_model) == before


def test_a_dev_set_that_cannot_be_used_is_refused_and_the_model_stays_as_it_was(
    own_model: Path,
    tiny_corpus: Sequence[Utterance],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, dev = contents(own_model), tmp_path / "dev.jsonl"
    assert export(own_model, "--dev", tmp_path / "nowhere.jsonl") == 1
    for utterances, reason in (
        ([], "expected references to score against, got none"),
        ([replace(tiny_corpus[0], text=None)], f"{dev}: expected texts"),
    ):
        write_manifest(dev, utterances)
        assert export(own_model, "--dev", dev) == 1
        assert f"asr: error: {reason}" in capsys.readouterr().err
    assert contents(own_model) == before


def test_a_network_that_int8_is_not_for_is_not_compared_and_its_graph_called_what_it_is(
    model: Path,
    manifest: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = tmp_path / "gru"
    made = build(make_config(model__cell="gru"), load_checkpoint(model).directory.tokenizers)
    save_checkpoint(folder, made, card="# Knows nothing\n", example=swelling_noise(16000)[:4000])

    assert export(folder, "--dev", manifest) == 0

    told = capsys.readouterr().out
    assert "greedy WER" not in told
    assert told.endswith("MB, weights in float16\n")
    assert caplog.messages == ["ONNX Runtime has no 8-bit gru: all weights are in float16"]

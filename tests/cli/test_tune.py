import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from asr.checkpoint.decoding import read_default_search
from asr.checkpoint.seal import check_seal
from asr.cli import main
from asr.corpus.manifest import read_manifest, write_manifest
from asr.wer.score_file import read_score_file

Tune = Callable[..., int]


@pytest.fixture
def lm(tmp_path: Path) -> Path:
    (tmp_path / "text").write_text("ONE TWO\nTWO ONE\nAN ART AT ONE\n")
    path = tmp_path / "own.lm"
    text = str(tmp_path / "text")
    assert main(["lm", "build", text, "--order", "2", "--output", str(path)]) == 0
    return path


@pytest.fixture
def tune(model: Path, manifest: Path, lm: Path) -> Tune:
    """Run the verb with a small grid and further options."""
    grid = ["--lm-weights", "0", "1.5", "--word-scores", "-4", "2", "--beam-size", "8"]

    def run(*words: object) -> int:
        command = ["tune", str(model), str(manifest), "--lm", str(lm), *grid]
        return main([*command, *map(str, words)])

    return run


def test_a_point_has_the_wer_that_decoding_and_scoring_give(
    tune: Tune,
    model: Path,
    manifest: Path,
    lm: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    assert tune("--threads", 2) == 0
    *_, table_end, best = capsys.readouterr().out.splitlines()
    assert table_end.split()[:2] == ["2", "0"]
    found = re.fullmatch(r"best: (.*) \(WER (.*) %\)", best)
    assert found is not None
    weights, wer = found.groups()

    hypotheses, score = tmp_path / "h.jsonl", tmp_path / "h.score.json"
    search = ["--search", "beam", "--lm", str(lm), "--beam-size", "8"]
    recogniser = [str(model), str(manifest), *search, *weights.split()]
    decode = ["decode", *recogniser, "--output", str(hypotheses)]
    assert main(decode) == 0
    assert main(["score", str(manifest), str(hypotheses), "--output", str(score)]) == 0
    assert f"{100 * read_score_file(score).score.total.wer:.2f}" == wer


def test_stored_emissions_give_the_same_grid(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    emissions, picture = tmp_path / "new" / "dev.emissions", tmp_path / "new" / "dev.svg"
    assert tune("--emissions", emissions) == 0
    computed = capsys.readouterr().out
    stored = emissions.read_bytes()
    assert tune("--emissions", emissions, "--picture", picture) == 0
    assert capsys.readouterr().out == computed
    assert emissions.read_bytes() == stored
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")


def test_emissions_of_another_model_are_refused(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tune("--emissions", tmp_path / "dev.emissions") == 0
    monkeypatch.setattr("asr.cli.tune.weights_hash", lambda _: "another")
    assert tune("--emissions", tmp_path / "dev.emissions") == 1
    assert "not another/text of " in capsys.readouterr().err


def test_emissions_of_other_recordings_with_the_same_ids_are_refused(
    tune: Tune, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune("--emissions", tmp_path / "dev.emissions") == 0
    one, two, *others = read_manifest(manifest)
    swapped = [replace(one, id=two.id), replace(two, id=one.id)]
    write_manifest(manifest, [*swapped, *others])
    assert tune("--emissions", tmp_path / "dev.emissions") == 1
    assert "remove it, or name another" in capsys.readouterr().err


def test_what_the_normaliser_takes_out_of_references_is_named(
    tune: Tune, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it was heard, it counts as inserted."""
    first, *others = read_manifest(manifest)
    write_manifest(manifest, [replace(first, text=f"{first.text} 3"), *others])
    capsys.readouterr()
    assert tune() == 0
    assert f"as in 3 ({first.id})" in capsys.readouterr().err


def test_the_best_weights_become_those_of_the_model(
    model: Path, manifest: Path, lm: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "packed"
    search = ["--search", "beam", "--lm", str(lm), "--lm-weight", "7"]
    assert main(["pack", str(model), *search, "--output", str(packed)]) == 0
    before = read_default_search(packed)

    command = ["tune", str(packed), str(manifest), "--lm-weights", "0.5", "--word-scores", "1.5"]
    assert main([*command, "--write"]) == 0

    assert before.beam is not None
    beam = replace(before.beam, lm_weight=0.5, word_score=1.5)
    assert read_default_search(packed) == replace(before, beam=beam)
    check_seal(packed)


def test_weights_of_another_search_are_not_those_of_the_model(
    tune: Tune, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune("--write") == 1
    assert "pack the model with --lm" in capsys.readouterr().err


def test_a_model_without_a_language_model_asks_for_one(
    model: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tune", str(model), str(manifest)]) == 1
    assert "give one (--lm)" in capsys.readouterr().err


def test_a_best_weight_at_the_edge_of_those_tried_is_told(
    tune: Tune, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert tune() == 0
    out, err = capsys.readouterr()
    found = re.search(r"best: --lm-weight (\S+) --word-score (\S+) ", out)
    assert found is not None
    lm_weight, word_score = map(float, found.groups())
    assert ("1.5 is the greatest lm_weight that was tried" in err) == (lm_weight == 1.5)
    assert "the least lm_weight" not in err  # a weight of 0 cannot be less
    assert ("2 is the greatest word_score" in err) == (word_score == 2.0)
    assert ("-4 is the least word_score" in err) == (word_score == -4.0)
    assert "word_score that was tried" in err
    assert "prior_weight" not in err


def test_a_weight_that_cannot_be_is_refused_before_the_work(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emissions = tmp_path / "dev.emissions"
    assert tune("--lm-weights", "0.5", "25", "--emissions", emissions) == 1
    assert "lm_weight must be in 0..20, got 25" in capsys.readouterr().err
    assert not emissions.exists()


def test_an_utterance_without_a_text_is_refused_before_the_work(
    tune: Tune, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = read_manifest(manifest)
    write_manifest(manifest, [*others, replace(first, text=None)])
    emissions = tmp_path / "dev.emissions"
    assert tune("--emissions", emissions) == 1
    told = f"{manifest}: expected texts, and there is none of {first.id}"
    assert told in capsys.readouterr().err
    assert not emissions.exists()


def test_some_of_the_utterances_are_enough(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emissions = tmp_path / "dev.emissions"
    assert tune("--emissions", emissions, "--utterances", 2) == 0
    assert tune("--emissions", emissions, "--utterances", 2) == 0
    assert tune("--emissions", emissions) == 1
    assert "remove it, or name another" in capsys.readouterr().err


def test_prior_weights_reach_the_search(tune: Tune, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune("--prior-weights", 0, 0.3) == 1
    assert "prior_weight is 0.3, but the model does not know" in capsys.readouterr().err

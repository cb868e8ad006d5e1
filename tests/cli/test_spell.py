"""`asr spell`: text and a model with phones in, a model that spells out."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

import asr
from asr.cli import main
from asr.config import Config, to_toml
from asr.corpus.utterance import Utterance

SPELLER = Path(__file__).parent.parent.parent / "conf" / "speller.toml"
SMALLER = {
    "text.units": "char",
    "text.n_tokens": "0",
    "model.size": "8",
    "pronouncing.n_hearings": "1",
    "pronouncing.n_utterances": "6",
    "pronouncing.min_words": "1",
    "optimiser.hold_epochs": "0.0",
    "train.n_epochs": "2",
    "train.validate_every": "1",
}


@pytest.fixture
def material(
    tmp_path: Path, small_config: Config, manifest: Path, tiny_corpus: Sequence[Utterance]
) -> list[str]:
    """Words of the command line behind the model, which is trained, too."""
    words = sorted({word for u in tiny_corpus for word in (u.text or "").split()})
    (tmp_path / "lexicon").write_text("".join(f"{w} {' '.join(w.lower())}\n" for w in words))
    (tmp_path / "text").write_text("\n".join([*words, "UNHEARD", *words]))
    (tmp_path / "small.toml").write_text(to_toml(small_config))
    train = ["--train", manifest, "--dev", manifest, "--lexicon", tmp_path / "lexicon"]
    made = ["--output", tmp_path / "model", "--set", "train.phone_weight=0.5"]
    assert main([*map(str, ["train", tmp_path / "small.toml", *train, *made])]) == 0
    smaller = [word for key, value in SMALLER.items() for word in ("--set", f"{key}={value}")]
    return [*map(str, [SPELLER, "--text", tmp_path / "text", *train, *smaller])]


def test_a_model_that_spells_decodes_and_is_packed_and_says_so(
    material: list[str], tmp_path: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spelling = tmp_path / "spelling"
    assert main(["spell", str(tmp_path / "model"), *material, "--output", str(spelling)]) == 0
    assert "best WER on three.jsonl" in capsys.readouterr().out

    packed, hypotheses = tmp_path / "packed", tmp_path / "h.jsonl"
    assert main([*map(str, ["pack", spelling, "--output", packed, "--half"])]) == 0
    size = sum(path.stat().st_size for path in packed.rglob("*.*")) / 1e6
    assert f"{size:.1f} MB" in capsys.readouterr().out
    assert main([*map(str, ["decode", packed, manifest, "--output", hypotheses])]) == 0
    assert main([*map(str, ["calibrate", packed, manifest, hypotheses])]) == 1
    assert "all words are of one utterance" in capsys.readouterr().err  # not: another model

    record = json.loads((tmp_path / "h.run.json").read_text())
    assert record["search"] == "greedy, with a speller"
    assert record["config_hash"].count("+") == 1  # the speller's, too
    said = [json.loads(line) for line in hypotheses.read_text().splitlines()]
    by_phones = ["--search", "beam", "--lexicon", tmp_path / "lexicon"]
    assert main([*map(str, ["decode", packed, manifest, *by_phones, "--output", hypotheses])]) == 0
    record = json.loads((tmp_path / "h.run.json").read_text())
    assert record["search"].endswith("words of lexicon")  # the speller has no part in it
    assert "+" not in record["config_hash"]

    texts = {transcript["id"]: transcript["text"] for transcript in said}
    utterance = json.loads(manifest.read_text().splitlines()[0])
    audio = tmp_path / utterance["audio_filepath"]
    assert asr.load_model(packed).transcribe(audio).text == texts[utterance["id"]]

    on = ["--start", str(packed), "--output", str(tmp_path / "on")]
    assert main(["spell", str(tmp_path / "model"), *material, *on]) == 0
    assert "best WER on three.jsonl" in capsys.readouterr().out


def test_a_speller_for_a_model_without_phones_is_refused(
    material: list[str], model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["spell", str(model), *material, "--output", str(tmp_path / "m")]) == 1
    assert "no output of phones to spell by" in capsys.readouterr().err

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from asr.checkpoint.network import build
from asr.config import Config
from asr.corpus.utterance import Utterance
from asr.errors import AudioError, ConfigError, DataError
from asr.recognizer import Recognizer
from asr.report.grid_search import compute_emissions, read_emissions, tune, write_emissions
from asr.search.beam import BeamConfig
from asr.search.fusion import fuse
from asr.search.ngram import make_ngram
from asr.text.tokens import TokenTable

VOCABULARY = ("<unk>", "<s>", "</s>", "A", "CAB")


@pytest.fixture
def recognizer(small_config: Config, monkeypatch: pytest.MonkeyPatch) -> Recognizer:
    n = len(VOCABULARY)
    model = make_ngram(
        np.arange(-1, n, dtype=np.int32),
        np.full(n + 1, -1.6, np.float32),
        np.zeros(1, np.float32),
        np.array([1, n + 1], np.uint32),
        np.zeros(n + 1, np.int32),
    )
    monkeypatch.setattr("asr.search.fusion._read_lm", lambda _: (VOCABULARY, model))
    torch.manual_seed(1)
    checkpoint = build(small_config, TokenTable.from_text(["ABC D"]))
    fusion = fuse(checkpoint.tokenizer.tokens, "librispeech-1", lm=Path("some.lm"))
    return Recognizer(checkpoint, beam=BeamConfig(8, 10.0, 1), fusion=fusion)


def test_an_emission_is_that_of_the_utterance_alone(
    recognizer: Recognizer, tiny_corpus: Sequence[Utterance]
) -> None:
    together = compute_emissions(recognizer, tiny_corpus)
    alone = compute_emissions(recognizer, tiny_corpus[1:2])
    assert torch.allclose(together[tiny_corpus[1].id], alone[tiny_corpus[1].id], atol=1e-5)


def test_stored_emissions_come_back_for_their_own_model_only(
    recognizer: Recognizer, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    path, ids = tmp_path / "dev.emissions", [utterance.id for utterance in tiny_corpus]
    emissions = compute_emissions(recognizer, tiny_corpus)
    write_emissions(path, emissions, "0123")
    found = read_emissions(path, ids, "0123")
    assert list(found) == ids
    assert all(torch.equal(found[name], emissions[name]) for name in ids)
    with pytest.raises(DataError, match="made by model 0123"):
        read_emissions(path, ids, "4567")
    with pytest.raises(DataError, match="lacks another"):
        read_emissions(path, ["another"], "0123")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("no emissions")
    with pytest.raises(DataError, match="expected stored emissions"):
        read_emissions(path, [], "0123")


def test_every_pair_of_weights_has_its_wer(
    recognizer: Recognizer, tiny_corpus: Sequence[Utterance]
) -> None:
    emissions = compute_emissions(recognizer, tiny_corpus)
    surface = dict(tune(recognizer, emissions, tiny_corpus, [0.0, 1.0], [-5.0, 0.0, 5.0]))
    assert list(surface) == [(w, s) for w in (0.0, 1.0) for s in (-5.0, 0.0, 5.0)]
    assert all(wer >= 0.0 for wer in surface.values())
    assert len(set(surface.values())) > 1


def test_tuning_searches_with_the_prior_of_the_recognizer(
    recognizer: Recognizer, tiny_corpus: Sequence[Utterance]
) -> None:
    assert recognizer.beam is not None
    prior = torch.full((len(recognizer.checkpoint.tokenizer),), 0.1)
    with_prior = Recognizer(
        replace(recognizer.checkpoint, priors={"text": prior}),
        beam=replace(recognizer.beam, prior_weight=1.0),
        fusion=recognizer.fusion,
    )
    emissions = compute_emissions(recognizer, tiny_corpus)
    assert len(dict(tune(with_prior, emissions, tiny_corpus, [0.5], [0.0]))) == 1

    with_prior.prior = None
    with pytest.raises(ConfigError, match="does not know its tokens' prior"):
        next(tune(with_prior, emissions, tiny_corpus, [0.5], [0.0]))


def test_there_is_nothing_to_tune_without_a_language_model(recognizer: Recognizer) -> None:
    plain = Recognizer(recognizer.checkpoint, beam=recognizer.beam)
    with pytest.raises(ConfigError, match="without a language model"):
        next(tune(plain, {}, [], [1.0], [0.0]))


def test_a_recording_that_is_missing_stops_tuning(
    recognizer: Recognizer, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    gone = replace(tiny_corpus[0], audio_filepath=tmp_path / "gone.wav")
    with pytest.raises(AudioError, match="gone"):
        compute_emissions(recognizer, [gone])

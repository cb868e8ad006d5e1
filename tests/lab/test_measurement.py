"""Measurements of whole models, on synthetic speech."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest
import torch

from asr.audio.write import write_waveform
from asr.checkpoint.network import Checkpoint, build, save_checkpoint, untrained
from asr.config import Config
from asr.corpus.utterance import Utterance
from asr.errors import AudioError, ConfigError, DataError
from asr.lab.cut import CUT_FRAMES
from asr.lab.measurement import SCALES, Memory, measure_knob, measure_memory, n_steps
from asr.recognizer import Recognizer, load_model
from asr.search.beam import BeamConfig
from asr.text.tokens import TokenTable
from asr.text.transcript import Transcript
from asr.wer.score import score

TEXTS = ["ACDEIMNORSTUW"]


def checkpoint(config: Config, seed: int = 5) -> Checkpoint:
    """A model that is sure of its letters, which mean nothing."""
    torch.manual_seed(seed)
    made = build(config, TokenTable.from_text(TEXTS))
    made.model.eval().requires_grad_(False)
    made.model.projection.weight.mul_(30.0)
    return made


def measure(model: Checkpoint, utterances: Sequence[Utterance]) -> Memory:
    return measure_memory("m", Recognizer(model), utterances, max_seconds=0.3, advance=lambda: None)


def test_with_all_the_context_the_errors_are_those_of_plain_decoding(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    model, utterances = checkpoint(small_config), tiny_corpus[:2]
    recognised = Recognizer(model).transcribe_all(utterances)
    texts = {u.id: t.text for u, t in recognised if isinstance(t, Transcript)}

    cuts = measure(model, utterances).cuts

    assert any(texts.values())
    assert cuts[-1].seconds is None
    assert cuts[-1].total == score(utterances, texts, small_config.text.normaliser).total


def test_gradient_and_errors_are_those_of_the_output_that_is_searched(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    torch.manual_seed(5)
    phones = TokenTable(("<blank>", "K", "AE", "T"))
    made = build(small_config, TokenTable.from_text(TEXTS), phones)
    save_checkpoint(tmp_path / "m", made, card="# Card\n", example=torch.randn(16000) / 10)
    (tmp_path / "words").write_text("RAIN K AE T\nMUSIC T AE\n", encoding="utf-8")
    by_letters = load_model(tmp_path / "m")
    by_phones = load_model(tmp_path / "m", beam=BeamConfig(20, 20.0, 1), lexicon=tmp_path / "words")
    utterances = tiny_corpus[:2]
    texts = {
        u.id: t.text for u, t in by_phones.transcribe_all(utterances) if isinstance(t, Transcript)
    }

    letters, searched = (
        measure_memory("m", each, utterances, max_seconds=0.3, advance=lambda: None)
        for each in (by_letters, by_phones)
    )

    assert set(" ".join(texts.values()).split()) <= {"RAIN", "MUSIC"}
    assert any(texts.values())
    assert searched.cuts[-1].total == score(utterances, texts, "librispeech-1").total
    assert searched.trained != letters.trained


def test_contexts_grow_in_seconds_of_encoder_frames(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    cuts = measure(checkpoint(small_config), tiny_corpus[:2]).cuts

    seconds = [cut.seconds for cut in cuts[:-1] if cut.seconds is not None]
    assert seconds == pytest.approx([0.03 * n for n in CUT_FRAMES])
    # it hears less, and reads otherwise
    assert cuts[0].total.characters != cuts[-1].total.characters
    assert {cut.total.words.n_reference for cut in cuts} == {cuts[0].total.words.n_reference}


def test_without_texts_no_errors_are_counted(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    bare = [dataclasses.replace(tiny_corpus[0], text=None), tiny_corpus[1]]

    assert measure(checkpoint(small_config), bare).cuts == ()


def test_before_training_is_the_model_that_the_seed_gives(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    start = untrained(checkpoint(small_config))

    memory = measure(checkpoint(small_config), tiny_corpus[:2])

    assert memory.untrained != memory.trained
    assert measure(start, tiny_corpus[:2]).trained == memory.untrained


def test_a_model_that_reads_in_one_direction_has_hardly_a_future(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    network = dataclasses.replace(small_config.model, bidirectional=False)

    memory = measure(checkpoint(dataclasses.replace(small_config, model=network)), tiny_corpus[:2])

    assert all(norm > 0 for norm in memory.trained.past)
    assert set(memory.trained.future[2:]) == {0.0}


@pytest.mark.parametrize("cmvn", ["utterance", "speaker", "none"])
def test_features_are_those_that_the_model_decodes_from(
    cmvn: Literal["utterance", "speaker", "none"],
    small_config: Config,
    tiny_corpus: Sequence[Utterance],
) -> None:
    features = dataclasses.replace(small_config.features, cmvn=cmvn)
    model = checkpoint(dataclasses.replace(small_config, features=features))
    recognised = Recognizer(model).transcribe_all(tiny_corpus[:3])
    texts = {u.id: t.text for u, t in recognised if isinstance(t, Transcript)}

    total = measure(model, tiny_corpus[:3]).cuts[-1].total

    assert total == score(tiny_corpus[:3], texts, small_config.text.normaliser).total


def test_progress_is_told_as_often_as_it_was_announced(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    told: list[None] = []
    model, utterances = Recognizer(checkpoint(small_config)), tiny_corpus[:2]

    measure_memory("m", model, utterances, max_seconds=0.3, advance=lambda: told.append(None))
    knob = measure_knob(model, utterances, max_seconds=0.3, advance=lambda: told.append(None))

    assert len(told) == n_steps(1, utterances)
    assert tuple(knob) == SCALES


def test_speech_that_cannot_be_read_or_has_no_frame_is_refused(
    small_config: Config, tmp_path: Path
) -> None:
    click = tmp_path / "click.wav"
    write_waveform(click, torch.zeros(100), 16000)

    with pytest.raises(AudioError, match="gone"):
        measure(checkpoint(small_config), [Utterance("a", tmp_path / "gone.wav")])
    with pytest.raises(DataError, match="none of at least one frame"):
        measure(checkpoint(small_config), [Utterance("a", click)])


def test_a_model_with_more_output_frames_than_encoder_frames_is_refused(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    twofold = dataclasses.replace(small_config.model, upsampling_factor=2)
    model = checkpoint(dataclasses.replace(small_config, model=twofold))

    with pytest.raises(ConfigError, match=r"model\.upsampling_factor is 1, got 2"):
        measure(model, tiny_corpus[:1])

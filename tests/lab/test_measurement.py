"""Measurements of whole models, on synthetic speech."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from asr.audio.write import write_waveform
from asr.checkpoint.decoding import SearchPlan
from asr.checkpoint.network import Checkpoint, build, untrained
from asr.config import Config
from asr.corpus.utterance import Utterance
from asr.errors import AudioError, DataError
from asr.lab.context import CONTEXTS
from asr.lab.measurement import SCALES, Memory, Subject, measure_memory, measure_scales, n_steps
from asr.recognizer import Recognizer
from asr.search.beam import BeamConfig
from asr.text.tokens import TokenTable
from asr.text.transcript import Transcript
from asr.wer.score import score
from tests.conftest import make_config, with_phones

TEXTS = ["ACDEIMNORSTUW"]
GREEDY = SearchPlan()


def checkpoint(config: Config, seed: int = 5) -> Checkpoint:
    """A model that is sure of its letters, which mean nothing."""
    torch.manual_seed(seed)
    made = build(config, {"text": TokenTable.from_text(TEXTS)})
    made.model.eval().requires_grad_(False)
    made.model.heads["text"].get_parameter("weight").mul_(30.0)
    return made


def subject(model: Checkpoint, plan: SearchPlan = GREEDY) -> Subject:
    return Subject("m", model, Recognizer(model.directory, model.engine, plan))


def measure(
    model: Checkpoint, utterances: Sequence[Utterance], plan: SearchPlan = GREEDY
) -> Memory:
    return measure_memory(subject(model, plan), utterances, max_seconds=0.3, advance=lambda: None)


def texts_of(
    model: Checkpoint, utterances: Sequence[Utterance], plan: SearchPlan = GREEDY
) -> dict[str, str]:
    """What plain decoding recognises."""
    recognised = subject(model, plan).recognizer.transcribe_all(utterances)
    return {u.id: t.text for u, t in recognised if isinstance(t, Transcript)}


def test_with_all_the_context_the_errors_are_those_of_plain_decoding(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    model, utterances = checkpoint(small_config), tiny_corpus[:2]
    texts = texts_of(model, utterances)

    errors = measure(model, utterances).errors

    assert any(texts.values())
    assert errors[-1].seconds == math.inf
    assert errors[-1].total == score(utterances, texts, small_config.text.normaliser).total


def test_gradient_and_errors_are_those_of_the_head_that_is_searched(
    tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    torch.manual_seed(5)
    model = build(
        with_phones(make_config()),
        {"text": TokenTable.from_text(TEXTS), "phones": TokenTable(("<blank>", "K", "AE", "T"))},
    )
    (tmp_path / "words").write_text("RAIN K AE T\nMUSIC T AE\n", encoding="utf-8")
    by_phones = SearchPlan(
        BeamConfig(beam_size=20, beam_threshold=20.0, n_best=1, word_score=-1.0),
        lexicon=tmp_path / "words",
    )
    utterances = tiny_corpus[:2]
    texts = texts_of(model, utterances, by_phones)

    letters, phones = (measure(model, utterances, plan) for plan in (GREEDY, by_phones))

    assert set(" ".join(texts.values()).split()) <= {"RAIN", "MUSIC"}
    assert any(texts.values())
    assert phones.errors[-1].total == score(utterances, texts, "librispeech-1").total
    assert phones.trained != letters.trained


def test_contexts_grow_in_seconds_of_output_frames(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    errors = measure(checkpoint(small_config), tiny_corpus[:2]).errors

    seconds = [own.seconds for own in errors[:-1]]
    assert seconds == pytest.approx([0.03 * n for n in CONTEXTS])
    assert errors[0].total.characters != errors[-1].total.characters
    assert {own.total.words.n_reference for own in errors} == {errors[0].total.words.n_reference}


def test_without_texts_no_errors_are_counted(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    bare = [dataclasses.replace(tiny_corpus[0], text=None), tiny_corpus[1]]

    assert measure(checkpoint(small_config), bare).errors == ()


def test_before_training_is_the_model_that_the_seed_gives(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    start = untrained(checkpoint(small_config))

    memory = measure(checkpoint(small_config), tiny_corpus[:2])

    assert memory.untrained != memory.trained
    assert measure(start, tiny_corpus[:2]).trained == memory.untrained


def test_a_model_that_reads_in_one_direction_has_hardly_a_future(
    tiny_corpus: Sequence[Utterance],
) -> None:
    memory = measure(checkpoint(make_config(model__bidirectional=False)), tiny_corpus[:2])

    assert all(norm > 0 for norm in memory.trained.past)
    assert set(memory.trained.future[2:]) == {0.0}


@pytest.mark.parametrize("cmvn", ["utterance", "none"])
def test_features_are_those_that_the_model_decodes_from(
    cmvn: str, tiny_corpus: Sequence[Utterance]
) -> None:
    model = checkpoint(make_config(features__cmvn=cmvn))
    texts = texts_of(model, tiny_corpus[:3])

    total = measure(model, tiny_corpus[:3]).errors[-1].total

    assert total == score(tiny_corpus[:3], texts, "librispeech-1").total


def test_progress_is_reported_as_often_as_announced(
    small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    calls: list[None] = []
    model, utterances = subject(checkpoint(small_config)), tiny_corpus[:2]

    measure_memory(model, utterances, max_seconds=0.3, advance=lambda: calls.append(None))
    scales = measure_scales(model, utterances, max_seconds=0.3, advance=lambda: calls.append(None))

    assert len(calls) == n_steps(1, utterances)
    assert tuple(scales) == SCALES


def test_speech_that_cannot_be_read_or_has_no_frame_is_refused(
    small_config: Config, tmp_path: Path
) -> None:
    click = tmp_path / "click.wav"
    write_waveform(click, np.zeros(100, np.float32), 16000)

    with pytest.raises(AudioError, match="gone"):
        measure(checkpoint(small_config), [Utterance("a", tmp_path / "gone.wav")])
    with pytest.raises(DataError, match="none of at least one frame"):
        measure(checkpoint(small_config), [Utterance("a", click)])

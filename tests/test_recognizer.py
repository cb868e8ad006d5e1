import dataclasses
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from asr.audio.write import write_waveform
from asr.checkpoint.decoding import Kind, SearchPlan
from asr.checkpoint.directory import read_directory
from asr.checkpoint.golden import swelling_noise
from asr.checkpoint.names import model_folder
from asr.checkpoint.network import Checkpoint, build, save_checkpoint
from asr.config import Config
from asr.corpus.loader import read_utterance
from asr.corpus.utterance import Utterance
from asr.errors import AudioError, ConfigError, ModelError, warn_once
from asr.lm.binary import write_binary
from asr.recognizer import Recognizer, load_model
from asr.search import kept_fusion
from asr.search.beam import BeamConfig
from asr.text.tokens import TokenTable
from asr.text.transcript import Transcript
from tests.conftest import with_phones
from tests.lm.conftest import build as build_ngram

EXAMPLE = swelling_noise(16000)
PHONES = TokenTable(("<blank>", "K", "AE", "T"))


@pytest.fixture(scope="module")
def checkpoint(small_config: Config) -> Checkpoint:
    """An untrained model: it babbles, which is all that these promises need."""
    torch.manual_seed(1)
    checkpoint = build(small_config, {"text": TokenTable.from_text(["ABCDEFGH IJ"])})
    checkpoint.model.eval()
    with torch.no_grad():
        checkpoint.model.heads["text"].get_parameter("weight").mul_(20.0)
    return checkpoint


@pytest.fixture(scope="module")
def recognizer(checkpoint: Checkpoint) -> Recognizer:
    return Recognizer(checkpoint.directory, checkpoint.engine, SearchPlan())


def model_with_phones(config: Config, texts: Sequence[str]) -> Checkpoint:
    return build(with_phones(config), {"text": TokenTable.from_text(texts), "phones": PHONES})


def transcribe(
    recognizer: Recognizer, utterances: Sequence[Utterance], seconds: float
) -> dict[str, Transcript]:
    results = recognizer.transcribe_all(utterances, batch_duration=seconds)
    transcripts = {u.id: result for u, result in results if isinstance(result, Transcript)}
    assert len(transcripts) == len(utterances)
    return transcripts


def test_a_transcript_is_the_same_alone_and_in_any_batch(
    recognizer: Recognizer, tiny_corpus: Sequence[Utterance]
) -> None:
    alone = transcribe(recognizer, tiny_corpus, seconds=0.1)
    together = transcribe(recognizer, tiny_corpus, seconds=1000.0)
    backwards = transcribe(recognizer, tiny_corpus[::-1], seconds=5.0)

    texts = {name: transcript.text for name, transcript in alone.items()}
    assert any(texts.values())
    assert texts == {name: transcript.text for name, transcript in together.items()}
    assert texts == {name: transcript.text for name, transcript in backwards.items()}


def test_every_figure_of_a_transcript_is_the_same_alone_and_in_any_batch(
    tiny_corpus: Sequence[Utterance],
) -> None:
    shipped = load_model(n_threads=2)
    alone = [shipped.transcribe(utterance.audio_filepath) for utterance in tiny_corpus]
    together = transcribe(shipped, tiny_corpus[::-1], seconds=1000.0)
    for utterance, transcript in zip(tiny_corpus, alone, strict=True):
        assert dataclasses.replace(transcript, id=utterance.id) == together[utterance.id]
        assert transcript.duration == pytest.approx(utterance.duration, abs=1e-3)


def test_a_lexicon_of_pronunciations_is_searched_by_the_head_of_phones(
    tmp_path: Path, small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    checkpoint = model_with_phones(small_config, ["CAT"])
    with torch.no_grad():
        checkpoint.model.heads["text"].get_parameter("bias")[1:] = -50.0
        checkpoint.model.heads["phones"].get_parameter("bias")[2] = 50.0
    save_checkpoint(tmp_path / "m", checkpoint, card="# Card\n", example=EXAMPLE)
    (tmp_path / "lexicon.txt").write_text("CAT K AE T\nA AE\n", encoding="utf-8")
    recording = tiny_corpus[0].audio_filepath

    by_phones = load_model(
        tmp_path / "m",
        search="beam",
        settings={"word_score": -1.0},
        lexicon=tmp_path / "lexicon.txt",
    )

    assert load_model(tmp_path / "m").transcribe(recording).text == ""
    assert by_phones.transcribe(recording).text == "A"


def test_words_without_pronunciations_are_searched_by_characters_which_is_said(
    tmp_path: Path, small_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint = model_with_phones(small_config, ["CAT"])
    save_checkpoint(tmp_path / "m", checkpoint, card="", example=EXAMPLE)
    (tmp_path / "words.txt").write_text("CAT\n", encoding="utf-8")

    recognizer = load_model(tmp_path / "m", search="beam", lexicon=tmp_path / "words.txt")

    assert recognizer.searcher.head == "text"
    assert "words.txt has no pronunciations: the search reads characters" in caplog.text


@pytest.mark.parametrize("kind", ["greedy", "beam"])
def test_an_emission_is_searched_apart_from_its_recording(
    kind: Kind, tiny_corpus: Sequence[Utterance]
) -> None:
    shipped = load_model(search=kind)
    waveform = read_utterance(tiny_corpus[0], shipped.sample_rate)

    log_probs, _ = shipped.engine.log_probs(
        waveform[None], np.array([len(waveform)]), shipped.searcher.head
    )

    assert shipped.searcher.head == ("text" if kind == "greedy" else "phones")
    text = shipped.text_of(log_probs[0])
    assert text == shipped.transcribe(tiny_corpus[0].audio_filepath).text != ""
    assert shipped.text_of(log_probs[0, :0]) == ""


def test_a_text_is_aligned_by_its_characters_whatever_the_search(
    tmp_path: Path, small_config: Config, tiny_corpus: Sequence[Utterance]
) -> None:
    torch.manual_seed(0)
    texts = [utterance.text or "" for utterance in tiny_corpus]
    checkpoint = model_with_phones(small_config, texts)
    save_checkpoint(tmp_path / "m", checkpoint, card="# Card\n", example=EXAMPLE)
    (tmp_path / "lexicon.txt").write_text("CAT K AE T\n", encoding="utf-8")
    greedy = load_model(tmp_path / "m")
    by_phones = load_model(
        tmp_path / "m",
        search="beam",
        settings={"word_score": -1.0},
        lexicon=tmp_path / "lexicon.txt",
    )

    def aligned(recognizer: Recognizer) -> list[tuple[str, ...]]:
        results = [result for _, result in recognizer.align_all(tiny_corpus[:2])]
        return [(r.text, *map(str, r.words)) for r in results if isinstance(r, Transcript)]

    assert by_phones.searcher.head == "phones"
    assert aligned(by_phones) == aligned(greedy)
    assert [text for text, *_ in aligned(greedy)] == texts[:2]


@pytest.mark.parametrize("n_samples", [48000 - 80, 48000 + 80, 90 * 16000 + 80])
@pytest.mark.parametrize("extra", [None, 0.4])
def test_an_aligned_text_ends_within_what_was_heard_whatever_the_manifest_says(
    recognizer: Recognizer, tmp_path: Path, n_samples: int, extra: float | None
) -> None:
    write_waveform(tmp_path / "a.wav", np.tile(EXAMPLE, 91)[:n_samples], 16000)
    heard = n_samples / 16000
    told = None if extra is None else heard + extra
    utterance = Utterance("a", tmp_path / "a.wav", duration=told, text="ABBA JAG")

    ((_, aligned),) = recognizer.align_all([utterance])

    assert isinstance(aligned, Transcript)
    assert aligned.duration == heard >= aligned.words[-1].end


def test_network_and_graph_give_the_same_text(
    tmp_path: Path, recognizer: Recognizer, checkpoint: Checkpoint, tiny_corpus: Sequence[Utterance]
) -> None:
    save_checkpoint(tmp_path / "m", checkpoint, card="", example=EXAMPLE, onnx="float32")

    by_graph = load_model(tmp_path / "m", n_threads=2)

    assert by_graph.model == read_directory(tmp_path / "m")
    texts, others = (transcribe(made, tiny_corpus, 60.0) for made in (recognizer, by_graph))
    assert {k: v.text for k, v in texts.items()} == {k: v.text for k, v in others.items()}


def test_a_model_without_a_graph_needs_torch_and_says_so(
    tmp_path: Path, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path / "m", checkpoint, card="", example=EXAMPLE)
    monkeypatch.setitem(sys.modules, "asr.checkpoint.network", None)

    with pytest.raises(ModelError, match=r"has no model\.onnx.*asr export"):
        load_model(tmp_path / "m")


def test_words_have_times_within_the_recording_and_in_order(
    recognizer: Recognizer, tiny_corpus: Sequence[Utterance]
) -> None:
    for transcript in transcribe(recognizer, tiny_corpus, seconds=10.0).values():
        assert " ".join(word.text for word in transcript.words) == transcript.text
        times = [time for word in transcript.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert transcript.duration is not None
        assert all(0.0 <= time <= transcript.duration for time in times)
        assert all(0.0 <= (word.confidence or 0.0) <= 1.0 for word in transcript.words)


def test_a_bad_recording_is_reported_in_its_place_and_the_others_are_transcribed(
    recognizer: Recognizer, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    (tmp_path / "empty.wav").touch()
    bad = Utterance("bad", tmp_path / "empty.wav")

    results = list(recognizer.transcribe_all([tiny_corpus[0], bad, tiny_corpus[1]]))

    assert [utterance.id for utterance, _ in results] == [
        tiny_corpus[0].id,
        "bad",
        tiny_corpus[1].id,
    ]
    assert isinstance(results[1][1], AudioError)
    assert isinstance(results[2][1], Transcript)


def test_many_recordings_are_given_by_their_paths(
    recognizer: Recognizer, tiny_corpus: Sequence[Utterance]
) -> None:
    paths = [Path(utterance.audio_filepath) for utterance in tiny_corpus[:2]]

    results = list(recognizer.transcribe_all([paths[0], str(paths[1])]))

    assert [utterance.audio_filepath for utterance, _ in results] == [paths[0], str(paths[1])]
    for path, (_, transcript) in zip(paths, results, strict=True):
        assert isinstance(transcript, Transcript)
        assert transcript.text == recognizer.transcribe(path).text


def test_a_bad_recording_alone_is_an_error(recognizer: Recognizer, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"missing\.wav"):
        recognizer.transcribe(tmp_path / "missing.wav")


@pytest.mark.parametrize(
    ("waveform", "reason"),
    [
        (np.zeros((16000, 2), np.float32), r"expected the samples of one channel, \(N,\), got \("),
        (np.float32(0.5) + np.zeros((), np.float32), "expected the samples of one channel"),
        (np.full(16000, np.nan, np.float32), "its sample at 0.000 s is nan"),
        (np.full(16000, np.inf, np.float32), "its sample at 0.000 s is inf"),
        (np.full(16000, 1e300), "its sample at 0.000 s is inf"),
        (np.ones(16000, bool), r"expected an array of numbers in \[-1, 1\], got an array of bool"),
        (
            np.zeros(16000, np.complex64),
            "expected an array of numbers .* got an array of complex64",
        ),
        (np.array(["a"]), "expected an array of numbers"),
        (np.zeros(16000, object), "expected an array of numbers"),
    ],
)
def test_a_waveform_that_is_none_is_refused(
    recognizer: Recognizer, waveform: NDArray[np.float32], reason: str
) -> None:
    with pytest.raises(AudioError, match=f"^waveform: {reason}"):
        recognizer.transcribe(np.asarray(waveform), sample_rate=8000)
    with pytest.raises(AudioError, match=f"^waveform: {reason}"):
        list(recognizer.stream([np.asarray(waveform)]))


def test_a_stream_of_what_is_no_array_is_refused(recognizer: Recognizer) -> None:
    with pytest.raises(AudioError, match=r"^waveform: expected an array .* got bytes$"):
        list(recognizer.stream([b"1234"]))  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["stride", "context", "patience"])
@pytest.mark.parametrize("seconds", [-0.5, float("nan"), float("inf")])
def test_a_stream_of_impossible_times_is_refused(
    recognizer: Recognizer, name: str, seconds: float
) -> None:
    with pytest.raises(ConfigError, match=f"^expected a {name} of 0 seconds or more, got "):
        list(recognizer.stream([EXAMPLE], **{"patience": 1.0, name: seconds}))


@pytest.mark.parametrize("kind", ["f2", "f8", ">f4", "i1", "i2", ">i2", "i4"])
@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_waveform_may_be_of_any_kind_of_numbers(
    recognizer: Recognizer, kind: str, rate: int
) -> None:
    loud = 100 * np.sin(np.arange(rate) * np.arange(rate) / rate)
    transcript = recognizer.transcribe(loud.astype(kind), sample_rate=rate)
    assert transcript.duration == 1.0


@pytest.mark.parametrize("rate", [0, -1, 999, 1_000_001, float("nan"), "16000"])
def test_a_rate_that_nobody_records_at_is_refused(recognizer: Recognizer, rate: int) -> None:
    with pytest.raises(AudioError, match=f"^waveform: its sample rate is {rate!r}, expected 1000"):
        recognizer.transcribe(np.zeros(16000, np.float32), sample_rate=rate)


def test_an_argument_that_would_be_ignored_is_refused(
    recognizer: Recognizer, tiny_corpus: Sequence[Utterance]
) -> None:
    path = tiny_corpus[0].audio_filepath
    with pytest.raises(ConfigError, match=r"flac: a file says its own rate; got sample_rate=8000"):
        recognizer.transcribe(path, sample_rate=8000)
    with pytest.raises(ConfigError, match=r"^a waveform has one channel; got channel=1 as well$"):
        recognizer.transcribe(np.zeros(16000, np.float32), channel=1)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"RIFF", "bytes"),
        ([0.0, 0.1], "list"),
        (None, "NoneType"),
        (np.float32(1), "float32"),
        (io.StringIO("RIFF"), "a file opened as text"),
    ],
)
def test_what_is_no_source_is_refused(recognizer: Recognizer, source: object, told: str) -> None:
    with pytest.raises(AudioError, match=f"^the recording: expected a path, .* got {told}$"):
        recognizer.transcribe(source)  # type: ignore[arg-type]


def test_beam_search_gives_the_n_best_the_best_first(
    recognizer: Recognizer, tiny_corpus: Sequence[Utterance]
) -> None:
    beam = BeamConfig(beam_size=8, beam_threshold=20.0, n_best=3)

    searched = Recognizer(recognizer.model, recognizer.engine, SearchPlan(beam))
    transcript = searched.transcribe(tiny_corpus[0].audio_filepath)

    scores = [alternative.score for alternative in transcript.n_best]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3
    assert (transcript.n_best[0].text, transcript.n_best[0].words) == (transcript.text, ())
    for alternative in transcript.n_best[1:]:
        assert " ".join(word.text for word in alternative.words) == alternative.text


def test_what_is_searched_piece_by_piece_has_no_alternatives_and_that_is_logged_once(
    recognizer: Recognizer, caplog: pytest.LogCaptureFixture
) -> None:
    warn_once.cache_clear()
    beam = BeamConfig(beam_size=2, beam_threshold=5.0, n_best=2)
    searched = Recognizer(recognizer.model, recognizer.engine, SearchPlan(beam))

    for _ in range(2):
        transcript = searched.transcribe(np.zeros(85 * 16000, np.float32))
        assert transcript.n_best == ()

    told = [r.getMessage() for r in caplog.records if r.name != "asr.compiled"]  # the first time
    assert told == [
        "n_best is for recordings of up to 84 s, which are searched at once: longer and live ones "
        "have no alternatives"
    ]


def test_a_models_own_words_are_kept_for_the_next_start_and_no_others(
    recognizer: Recognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_fusion, "kept_folder", lambda _: tmp_path / "kept")
    monkeypatch.setattr(kept_fusion, "LEAST", 0)
    write_binary(tmp_path / "words.lm", build_ngram(["AB AB CAB", "CAB"], 2), is_compact=True)
    (tmp_path / "words.txt").write_text("AB\n")
    beam = BeamConfig(beam_size=2, beam_threshold=5.0, n_best=1)
    own = SearchPlan(beam, tmp_path / "words.lm")
    model = dataclasses.replace(recognizer.model, search=own)

    for plan in (
        dataclasses.replace(own, lexicon=tmp_path / "words.txt"),
        dataclasses.replace(own, lm=None, lexicon=tmp_path / "words.txt"),
    ):
        Recognizer(model, recognizer.engine, plan)
        assert not (tmp_path / "kept").exists()
    for plan in (own, dataclasses.replace(own, hotwords={"CAB": 1.0})):
        Recognizer(model, recognizer.engine, plan)
        assert len(list((tmp_path / "kept").iterdir())) == 1


def test_the_name_of_no_model_lists_the_shipped_ones() -> None:
    with pytest.raises(ModelError, match="no-such-model: neither a model directory nor"):
        load_model("no-such-model")


def test_a_shipped_model_goes_before_a_folder_of_its_name_that_a_path_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asr.checkpoint.names.MODELS", tmp_path / "shipped")
    (tmp_path / "shipped" / "small").mkdir(parents=True)
    (tmp_path / "small").mkdir()
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)

    assert model_folder("small") == tmp_path / "shipped" / "small"
    assert model_folder("./small") == Path("small")
    assert model_folder("mine") == Path("mine")

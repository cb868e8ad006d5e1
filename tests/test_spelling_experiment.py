"""A speller on a model that learned phones from synthetic speech."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from asr.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, verify_golden
from asr.config import Config, SpellingConfig
from asr.corpus.feature_memory import FeatureMemory
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError, StoppedError, TrainingError
from asr.experiment import Material, Resources, train_model
from asr.lengths import pad
from asr.model.acoustic import ModelConfig
from asr.model_names import weights_hash
from asr.provenance import provenance
from asr.recognizer import load_model
from asr.spelling.pronounced_text import PronouncingConfig
from asr.spelling_experiment import SpellingMaterial, SpellingResources, train_speller
from asr.text.pronunciations import Pronunciation
from asr.text.tokenizer import TextConfig
from asr.text.tokens import TokenTable
from asr.train.data import as_recorded
from asr.train.progress import Unwatched


def learn(
    config: Config,
    corpus: Sequence[Utterance],
    folder: Path,
    lexicon: Sequence[Pronunciation] | None = None,
) -> None:
    train_model(
        config,
        Material(corpus, corpus[:3], lexicon),
        folder,
        Unwatched(),
        provenance(["asr", "train"]),
        Resources(max_feature_bytes=10**9),
    )


@pytest.fixture(scope="module")
def lexicon(tiny_corpus: Sequence[Utterance]) -> list[Pronunciation]:
    words = sorted({word for u in tiny_corpus for word in (u.text or "").split()})
    return [(word, tuple(word.lower())) for word in words]


@pytest.fixture(scope="module")
def listener(
    tmp_path_factory: pytest.TempPathFactory,
    small_config: Config,
    tiny_corpus: Sequence[Utterance],
    lexicon: list[Pronunciation],
) -> Path:
    """A model with an output of phones, hardly trained."""
    folder: Path = tmp_path_factory.mktemp("listener") / "model"
    config = dataclasses.replace(
        small_config, train=dataclasses.replace(small_config.train, phone_weight=0.5)
    )
    learn(config, tiny_corpus, folder, lexicon)
    return folder


@pytest.fixture(scope="module")
def material(
    listener: Path, tiny_corpus: Sequence[Utterance], lexicon: list[Pronunciation]
) -> SpellingMaterial:
    said = [utterance.text or "" for utterance in tiny_corpus]
    return SpellingMaterial(listener, said, lexicon, tiny_corpus, tiny_corpus[:3])


@pytest.fixture(scope="module")
def config(small_config: Config) -> SpellingConfig:
    return SpellingConfig(
        text=TextConfig("librispeech-1", "char", 0),
        model=ModelConfig(2, 0, 1, "lstm", 8, 2, bidirectional=True, dropout=0.1),
        pronouncing=PronouncingConfig(2, 12, 1, 4, 20.0, 1),
        optimiser=small_config.optimiser,
        train=small_config.train,
    )


@pytest.fixture(scope="module")
def spelling(
    tmp_path_factory: pytest.TempPathFactory, config: SpellingConfig, material: SpellingMaterial
) -> Path:
    output: Path = tmp_path_factory.mktemp("spelling") / "model"
    spell(config, material, output)
    return output


def spell(
    config: SpellingConfig,
    material: SpellingMaterial,
    output: Path,
    must_stop: Callable[[], bool] = lambda: False,
) -> None:
    train_speller(
        config,
        material,
        output,
        Unwatched(),
        provenance(["asr", "spell"]),
        SpellingResources(10**9, must_stop),
    )


def text_emission(checkpoint: Checkpoint, n_frames: int) -> torch.Tensor:
    features = torch.randn(1, n_frames, 20, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return checkpoint.emit(features, torch.tensor([n_frames]), "text")[0][0]


def test_the_speller_takes_over_the_output_of_text_and_leaves_that_of_phones(
    spelling: Path, listener: Path
) -> None:
    before, after = load_checkpoint(listener), load_checkpoint(spelling)
    features, lengths = torch.randn(1, 50, 20), torch.tensor([50])

    assert after.speller is not None
    with torch.inference_mode():
        heard = after.model(features, lengths, "phones")
        for mine, theirs in zip(
            after.emit(features, lengths, "text"), after.speller(*heard), strict=True
        ):
            assert torch.equal(mine, theirs)
        for mine, theirs in zip(after.emit(features, lengths, "phones"), heard, strict=True):
            assert torch.equal(mine, theirs)
        assert torch.equal(heard[0], before.model(features, lengths, "phones")[0])
    assert len(text_emission(after, 60)) == 10  # a third, and of these a half
    assert after.shift_of("text") == 2 * after.shift_of("phones") == 2 * before.shift_of("text")
    assert len(after.priors["text"]) == len(after.text_tokenizer)
    assert torch.equal(after.priors["phones"], before.priors["phones"])


def test_a_spelled_utterance_alone_equals_itself_in_a_batch(spelling: Path) -> None:
    checkpoint = load_checkpoint(spelling)
    generator = torch.Generator().manual_seed(0)
    utterances = [torch.randn(n, 20, generator=generator) for n in (50, 1, 33)]
    with torch.inference_mode():
        together, lengths = checkpoint.emit(*pad(utterances), "text")
        for row, utterance in enumerate(utterances):
            alone, _ = checkpoint.emit(*pad([utterance]), "text")
            torch.testing.assert_close(together[row, : lengths[row]], alone[0], rtol=0.0, atol=1e-5)


def test_a_model_that_spells_is_read_as_it_was_written(
    spelling: Path, listener: Path, tmp_path: Path
) -> None:
    checkpoint = load_checkpoint(spelling)
    verify_golden(spelling, checkpoint)

    save_checkpoint(
        tmp_path / "copy", checkpoint, card="# A copy", example=torch.zeros(4000), is_half=True
    )

    again = load_checkpoint(tmp_path / "copy")
    verify_golden(tmp_path / "copy", again)
    torch.testing.assert_close(
        text_emission(again, 60), text_emission(checkpoint, 60), rtol=0.0, atol=0.05
    )
    assert len({weights_hash(m) for m in (tmp_path / "copy", spelling, listener)}) == 3
    assert "## Speller" in (spelling / "README.md").read_text()


def test_words_have_their_times_in_seconds_and_alignment_keeps_those_of_the_listener(
    spelling: Path, listener: Path, tiny_corpus: Sequence[Utterance]
) -> None:
    both = [load_model(folder) for folder in (spelling, listener)]
    (_, mine), (_, theirs) = (next(m.align_all(tiny_corpus[:1])) for m in both)
    assert mine == theirs

    ((_, transcript),) = both[0].transcribe_all(tiny_corpus[:1])
    for word in transcript.words:  # type: ignore[union-attr]
        assert 0.0 <= word.start < word.end <= (tiny_corpus[0].duration or 0.0) + 0.01


@pytest.mark.parametrize("stop_after", [1, 17, 19])  # the first while listening
def test_a_run_that_was_stopped_ends_with_the_bits_of_one_that_was_not(
    spelling: Path,
    config: SpellingConfig,
    material: SpellingMaterial,
    tmp_path: Path,
    stop_after: int,
) -> None:
    asked = iter(range(100))
    with pytest.raises(StoppedError):
        spell(config, material, tmp_path / "twice", lambda: next(asked) == stop_after)

    spell(config, material, tmp_path / "twice")

    assert weights_hash(tmp_path / "twice") == weights_hash(spelling)


def test_the_training_speech_is_heard_with_all_noise_from_the_first_time_on(
    config: SpellingConfig, material: SpellingMaterial, tmp_path: Path
) -> None:
    """Also where the model's own training began without (`ramp_epochs`)."""
    trained = load_checkpoint(material.model)
    ramp = dataclasses.replace(
        trained.config.batching, speeds=(1.0,), codec_share=0.0, ramp_epochs=9
    )
    checkpoint = dataclasses.replace(
        trained, config=dataclasses.replace(trained.config, batching=ramp)
    )
    save_checkpoint(tmp_path / "ramp", checkpoint, card="", example=torch.zeros(4000))
    spell(config, dataclasses.replace(material, model=tmp_path / "ramp"), tmp_path / "model")
    stored = load_file(tmp_path / "model.run" / "heard.safetensors")
    n_first = int(stored["pieces"][stored["pieces"][:, 0] == 0][:, 6].sum())

    memory = FeatureMemory(checkpoint.front_end, 10**9)
    plain = as_recorded(material.train, memory, ramp).batches(0)
    quiet = torch.cat([checkpoint.model(b.features, b.lengths, "phones")[0][0] for b in plain])

    first_time = stored["log_probs"][:n_first].float()
    distances = torch.cdist(first_time, quiet).min(dim=1).values
    assert float((distances > 0.01).float().mean()) > 0.5


def test_a_speller_that_is_there_already_gives_way(
    spelling: Path, config: SpellingConfig, material: SpellingMaterial, tmp_path: Path
) -> None:
    spell(config, dataclasses.replace(material, model=spelling), tmp_path / "again")

    card = (tmp_path / "again" / "README.md").read_text()
    assert card.count("## Speller") == 1
    assert weights_hash(tmp_path / "again") == weights_hash(spelling)


def test_a_start_gives_its_weights_and_its_tokens(
    spelling: Path, config: SpellingConfig, material: SpellingMaterial, tmp_path: Path
) -> None:
    slow = dataclasses.replace(config.optimiser, learning_rate=1e-9, weight_decay=0.0)
    slowly = dataclasses.replace(config, optimiser=slow)
    start = load_checkpoint(spelling)
    few = list(material.text)[:1]  # it has not all of the letters
    spell(slowly, dataclasses.replace(material, text=few, start=start), tmp_path / "on")

    before, after = start.speller, load_checkpoint(tmp_path / "on").speller
    assert before is not None
    assert after is not None
    assert after.tokenizer.tokens == before.tokenizer.tokens
    for name, weight in before.model.state_dict().items():
        torch.testing.assert_close(after.model.state_dict()[name], weight, rtol=0.0, atol=1e-6)


def test_a_run_with_a_start_goes_on_with_that_start_only(
    spelling: Path, config: SpellingConfig, material: SpellingMaterial, tmp_path: Path
) -> None:
    asked = iter(range(100))
    begun = dataclasses.replace(material, start=load_checkpoint(spelling))
    with pytest.raises(StoppedError):
        spell(config, begun, tmp_path / "m", lambda: next(asked) == 17)

    with pytest.raises(TrainingError, match="another"):
        spell(config, material, tmp_path / "m")


def test_a_start_that_does_not_fit_is_refused(
    spelling: Path, config: SpellingConfig, material: SpellingMaterial, tmp_path: Path
) -> None:
    deaf, able = (
        dataclasses.replace(material, start=load_checkpoint(folder))
        for folder in (material.model, spelling)
    )
    with pytest.raises(ConfigError, match="must have a speller that reads the same phones"):
        spell(config, deaf, tmp_path / "m")
    phones = load_checkpoint(spelling).phones
    assert phones is not None
    others = TokenTable((*phones.tokens[:-2], *phones.tokens[:-3:-1]))
    confused = dataclasses.replace(load_checkpoint(spelling), phones=others)
    with pytest.raises(ConfigError, match="must have a speller that reads the same phones"):
        spell(config, dataclasses.replace(material, start=confused), tmp_path / "m")
    wider = dataclasses.replace(config, model=dataclasses.replace(config.model, size=9))
    with pytest.raises(ConfigError, match=r"start with has model\.size = 8, the configuration 9"):
        spell(wider, able, tmp_path / "m")


def test_what_cannot_be_learned_from_is_refused(
    config: SpellingConfig, material: SpellingMaterial, tmp_path: Path
) -> None:
    output, lexicon = tmp_path / "m", material.lexicon[1:]
    with pytest.raises(DataError, match="pronounces no segment"):
        spell(config, dataclasses.replace(material, text=["UNHEARD OF"]), output)
    with pytest.raises(DataError, match="lacks the word"):
        spell(config, dataclasses.replace(material, lexicon=lexicon), output)
    verbatim = dataclasses.replace(config, text=TextConfig("verbatim-1", "char", 0))
    with pytest.raises(ConfigError, match=r"text\.normaliser must be the model's, 'librispeech-1'"):
        spell(verbatim, material, output)


def test_a_model_without_phones_is_refused(
    config: SpellingConfig, material: SpellingMaterial, small_config: Config, tmp_path: Path
) -> None:
    learn(small_config, material.train, tmp_path / "deaf")
    with pytest.raises(ConfigError, match="no output of phones"):
        spell(config, dataclasses.replace(material, model=tmp_path / "deaf"), tmp_path / "m")

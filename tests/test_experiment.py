import dataclasses
import errno
import math
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from asr.checkpoint.directory import read_card
from asr.checkpoint.golden import verify_golden
from asr.checkpoint.network import load_checkpoint, untrained
from asr.config import Config
from asr.corpus.utterance import Utterance
from asr.errors import AudioError, ConfigError, DataError, ModelError, StoppedError, TrainingError
from asr.experiment import Material, Resources, train_model
from asr.lexicon.read import Pronunciation
from asr.provenance import provenance
from asr.train.config import CtcCrfConfig
from asr.train.progress import EpochReport, StepReport
from asr.train.state import RunState
from tests.conftest import EVERY_AUGMENTATION, make_config, with_phones


class Watcher:
    """Notes what it hears, and interrupts the run after a step if told to."""

    def __init__(self, stop_at_step: int | None = None) -> None:
        self.stop_at_step = stop_at_step
        self.losses: list[float] = []
        self.epochs: list[EpochReport] = []

    def on_step(self, report: StepReport) -> None:
        self.losses.append(report.loss)
        if report.step == self.stop_at_step:
            raise KeyboardInterrupt

    def on_validation(self, n_words: int) -> None:
        pass

    def on_epoch(self, report: EpochReport) -> None:
        self.epochs.append(report)


def train(
    config: Config,
    corpus: Sequence[Utterance],
    output: Path,
    watcher: Watcher | None = None,
    must_stop: Callable[[], bool] = lambda: False,
    start: Path | None = None,
    **more: Any,  # noqa: ANN401 (of the material)
) -> RunState:
    first = load_checkpoint(start) if start else None
    return train_model(
        config,
        Material(corpus, **{"dev": corpus[:3], "start": first, **more}),
        output,
        watcher or Watcher(),
        provenance(["asr", "train"]),
        Resources(max_feature_bytes=10**9, must_stop=must_stop),
    )


def losses(config: Config, corpus: Sequence[Utterance], output: Path) -> list[float]:
    """Train, and return the loss of each step."""
    watcher = Watcher()
    train(config, corpus, output, watcher)
    return watcher.losses


def state_tensors(output: Path) -> dict[str, torch.Tensor]:
    return load_file(output.with_name(output.name + ".run") / "state.safetensors")


def assert_equal_states(output: Path, other: Path) -> None:
    tensors, others = state_tensors(output), state_tensors(other)
    assert tensors.keys() == others.keys()
    for name, tensor in tensors.items():
        assert torch.equal(tensor, others[name]), name


@pytest.mark.parametrize(
    ("changes", "stop_at_step"),
    [({}, 1), ({}, 4), ({}, 7), (EVERY_AUGMENTATION, 6), ({"train__average_decay": 0.9}, 4)],
)
def test_a_run_that_was_interrupted_ends_with_the_bits_of_one_that_was_not(
    tiny_corpus: Sequence[Utterance], tmp_path: Path, changes: dict[str, Any], stop_at_step: int
) -> None:
    config = make_config(**changes)
    train(config, tiny_corpus, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(config, tiny_corpus, tmp_path / "twice", Watcher(stop_at_step))

    train(config, tiny_corpus, tmp_path / "twice")

    assert_equal_states(tmp_path / "whole", tmp_path / "twice")


def test_validation_comes_every_few_epochs_and_after_the_last(
    tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    watcher, seldom = Watcher(), make_config(train__n_epochs=5, train__validate_every=2)

    train(seldom, tiny_corpus, tmp_path / "m", watcher)

    assert [report.wer is not None for report in watcher.epochs] == [False, True, False, True, True]


def spelled_out(corpus: Sequence[Utterance]) -> list[Pronunciation]:
    """Say every word letter by letter, in lower case."""
    words = sorted({word for utterance in corpus for word in (utterance.text or "").split()})
    return [(word, tuple(word.lower())) for word in words]


def test_a_model_learns_phones_beside_its_text(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    lexicon = spelled_out(tiny_corpus)

    train(with_phones(small_config), tiny_corpus, tmp_path / "both", lexicon=lexicon)

    trained = load_checkpoint(tmp_path / "both")
    letters = {letter for _, units in lexicon for letter in units}
    tokenizers, priors = trained.directory.tokenizers, trained.directory.priors
    assert set(tokenizers["phones"].tokens) == {"<blank>", *letters}
    assert {head: len(prior) for head, prior in priors.items()} == {
        head: len(tokenizer) for head, tokenizer in tokenizers.items()
    }
    for prior in priors.values():
        assert float(prior.sum()) == pytest.approx(1.0, abs=1e-3)
        assert len(set(prior.tolist())) > 1
    start, end = untrained(trained).model.state_dict(), trained.model.state_dict()
    assert not torch.equal(start["heads.phones.weight"], end["heads.phones.weight"])


def test_training_begins_with_the_weights_and_tokens_of_another_model(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    lexicon = spelled_out(tiny_corpus)
    train(with_phones(small_config), tiny_corpus, tmp_path / "first", lexicon=lexicon)
    first = load_checkpoint(tmp_path / "first")
    config = make_config(optimiser__learning_rate=1e-12, optimiser__weight_decay=0.0)
    part = tiny_corpus[:3]  # it has not all of the letters

    train(with_phones(config), part, tmp_path / "both", lexicon=lexicon, start=tmp_path / "first")
    train(config, part, tmp_path / "text", start=tmp_path / "first")

    both, text = (load_checkpoint(tmp_path / name) for name in ("both", "text"))
    assert both.directory.tokenizers == first.directory.tokenizers
    assert text.directory.tokenizers == {"text": first.directory.tokenizers["text"]}
    before = first.model.state_dict()
    for made in (both, text):
        for name, tensor in made.model.state_dict().items():
            torch.testing.assert_close(tensor, before[name], atol=1e-6, rtol=0.0)


def test_a_model_tells_all_the_speech_that_it_was_trained_on(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    train(small_config, tiny_corpus, tmp_path / "first", source="many")
    part = tiny_corpus[:3]
    with pytest.raises(KeyboardInterrupt):
        train(
            small_config, part, tmp_path / "m", Watcher(2), start=tmp_path / "first", source="few"
        )

    train(small_config, part, tmp_path / "m", start=tmp_path / "first", source="few")

    first, second = load_checkpoint(tmp_path / "m").directory.trained_on.speech
    assert (first.source, first.n_utterances) == ("many", len(tiny_corpus))
    assert (second.source, second.n_utterances) == ("few", 3)
    assert second.hours == pytest.approx(sum(u.duration or 0.0 for u in part) / 3600, abs=1e-4)
    assert f"| trained on | {first}; then {second} |" in read_card(tmp_path / "m")
    train(small_config, tiny_corpus, tmp_path / "again", start=tmp_path / "first", source="many")
    assert load_checkpoint(tmp_path / "again").directory.trained_on.speech == (first,)


def test_a_start_goes_on_with_its_own_run_only(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    train(small_config, tiny_corpus, tmp_path / "first")
    with pytest.raises(KeyboardInterrupt):
        train(small_config, tiny_corpus, tmp_path / "m", Watcher(4), start=tmp_path / "first")

    with pytest.raises(TrainingError, match="another"):
        train(small_config, tiny_corpus, tmp_path / "m")


def test_a_start_of_another_shape_names_what_differs(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    train(small_config, tiny_corpus, tmp_path / "first")

    with pytest.raises(ConfigError, match=r"has model\.size = 8, the configuration 10"):
        train(make_config(model__size=10), tiny_corpus, tmp_path / "m", start=tmp_path / "first")
    deep = make_config(model__n_layers=2)
    train(deep, tiny_corpus, tmp_path / "deep")
    with pytest.raises(ConfigError, match=r"model\.n_layers = 2, .* 1: layers can only be added"):
        train(small_config, tiny_corpus, tmp_path / "m", start=tmp_path / "deep")
    with pytest.raises(ConfigError, match="has no head 'phones'"):
        train(
            with_phones(small_config),
            tiny_corpus,
            tmp_path / "m",
            lexicon=spelled_out(tiny_corpus),
            start=tmp_path / "first",
        )


def test_phones_can_compete_as_sequences_from_what_ctc_has_learned(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    lexicon, config = spelled_out(tiny_corpus), with_phones(small_config)
    train(config, tiny_corpus, tmp_path / "first", lexicon=lexicon)
    competing = with_phones(
        small_config, CtcCrfConfig(loss="ctc-crf", weight=0.5, denominator_weight=0.9)
    )

    for name, of in (("ctc", config), ("crf", competing)):
        train(of, tiny_corpus, tmp_path / name, lexicon=lexicon, start=tmp_path / "first")

    ctc, crf = (load_checkpoint(tmp_path / name).model.state_dict() for name in ("ctc", "crf"))
    name = "heads.phones.weight"
    assert torch.isfinite(crf[name]).all()
    assert not torch.equal(crf[name], ctc[name])


def test_phones_without_a_lexicon_or_a_lexicon_without_phones_is_refused(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="there is no lexicon"):
        train(with_phones(small_config), tiny_corpus, tmp_path / "model")
    with pytest.raises(ConfigError, match="there is a lexicon"):
        train(small_config, tiny_corpus, tmp_path / "model", lexicon=spelled_out(tiny_corpus))


def test_a_word_without_a_pronunciation_is_refused_with_its_utterance(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    lexicon = spelled_out(tiny_corpus)[4:]

    with pytest.raises(DataError, match=r"utterance .*lacks the word.*; so it is with [1-7] more"):
        train(with_phones(small_config), tiny_corpus, tmp_path / "model", lexicon=lexicon)


def test_averaged_weights_are_validated_and_kept(
    tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    run = train(make_config(train__average_decay=0.9), tiny_corpus, tmp_path / "m")

    state, kept = state_tensors(tmp_path / "m"), load_checkpoint(tmp_path / "m").model
    assert int(state["average.n_averaged"]) == run.step
    if run.best_epoch == run.epoch:
        weights = kept.state_dict()
        assert all(torch.equal(weights[n], state[f"average.module.{n}"]) for n in weights)


def test_an_average_changes_nothing_of_the_training_itself(
    tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    plain, averaged = (
        losses(make_config(train__average_decay=decay), tiny_corpus, tmp_path / str(decay))
        for decay in (0.0, 0.9)
    )

    assert plain == averaged


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    first = losses(small_config, tiny_corpus, tmp_path / "a")

    assert losses(small_config, tiny_corpus, tmp_path / "b") == first
    assert losses(make_config(batching__seed=4), tiny_corpus, tmp_path / "c") != first


def test_the_model_directory_holds_the_best_epoch_and_its_golden_example_comes_out(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    watcher = Watcher()

    run = train(small_config, tiny_corpus, tmp_path / "model", watcher)

    checkpoint = load_checkpoint(tmp_path / "model")
    verify_golden(tmp_path / "model", checkpoint.directory, checkpoint.engine)
    assert checkpoint.config == small_config
    assert run.best_wer == min(report.wer for report in watcher.epochs if report.wer is not None)
    assert [r.epoch for r in watcher.epochs if r.is_best][-1] == run.best_epoch
    assert f"epoch {run.best_epoch})" in (tmp_path / "model" / "README.md").read_text()


def test_of_epochs_with_equal_wers_the_one_with_the_lowest_dev_loss_is_kept(
    tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    watcher, config = Watcher(), make_config(train__n_epochs=3, train__validate_every=1)

    run = train(config, tiny_corpus, tmp_path / "model", watcher)

    assert {report.wer for report in watcher.epochs} == {1.0}  # nothing but blanks, as yet
    dev_losses = [report.dev_loss for report in watcher.epochs if report.dev_loss is not None]
    assert dev_losses.index(min(dev_losses)) + 1 == run.best_epoch > 1


def test_a_run_that_is_asked_to_stop_saves_its_state_and_goes_on_to_the_same_bits(
    tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    config = make_config(train__checkpoint_minutes=60.0)
    train(config, tiny_corpus, tmp_path / "whole")
    for moment in (2, 4, 3):  # steps and batches of the dev set
        asked = iter([False] * (moment - 1) + [True])
        with pytest.raises(StoppedError, match="the state is saved"):
            train(config, tiny_corpus, tmp_path / "often", Watcher(), partial(next, asked))

    train(config, tiny_corpus, tmp_path / "often")

    assert_equal_states(tmp_path / "whole", tmp_path / "often")


def test_a_command_that_is_refused_leaves_the_run_in_the_folder_as_it_is(
    small_config: Config,
    tiny_corpus: Sequence[Utterance],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that has not saved its state yet is known by its origin alone."""
    monkeypatch.setattr("asr.train.run.lock", lambda _: None)
    with pytest.raises(TrainingError, match="another process trains here"):
        train(small_config, tiny_corpus, tmp_path / "model")
    assert not list((tmp_path / "model.run").iterdir())


def test_what_was_made_of_a_finished_model_stays_when_its_command_is_repeated(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    train(small_config, tiny_corpus, tmp_path / "model")
    (tmp_path / "model" / "model.onnx").write_text("exported")

    train(small_config, tiny_corpus, tmp_path / "model")

    assert (tmp_path / "model" / "model.onnx").read_text() == "exported"


@pytest.mark.parametrize("moment", [2, 4])
def test_an_epoch_that_was_interrupted_is_counted_whole(
    moment: int, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    config = make_config(train__checkpoint_minutes=60.0, train__n_epochs=1)
    endless = dataclasses.replace(tiny_corpus[0], id="endless", text="TO AND FRO " * 50)
    corpus = [endless, *tiny_corpus]
    asked = iter([False] * (moment - 1) + [True])
    with pytest.raises(StoppedError):
        train(config, corpus, tmp_path / "model", Watcher(), partial(next, asked), dev=None)
    watcher = Watcher()

    train(config, corpus, tmp_path / "model", watcher, dev=None)

    (report,) = watcher.epochs
    assert report.n_skipped == 1
    assert 0 < report.hours_per_hour < math.inf


@pytest.mark.parametrize(("file", "n_fitting"), [("state.safetensors", 1), ("best", 0)])
def test_a_full_disk_leaves_what_was_saved_before_and_a_run_that_can_go_on(
    small_config: Config,
    tiny_corpus: Sequence[Utterance],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    n_fitting: int,
) -> None:
    train(small_config, tiny_corpus, tmp_path / "whole")
    replace, n_written = Path.replace, Counter[str]()

    def replace_until_full(path: Path, target: Path) -> Path:
        n_written[target.name] += 1
        if target.name == file and n_written[file] == n_fitting + 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(path, target)

    with monkeypatch.context() as full:
        full.setattr(Path, "replace", replace_until_full)
        with pytest.raises((TrainingError, OSError), match="No space left on device"):
            train(small_config, tiny_corpus, tmp_path / "full")
    assert not list((tmp_path / "full.run").glob(".*.part"))

    train(small_config, tiny_corpus, tmp_path / "full")

    assert_equal_states(tmp_path / "whole", tmp_path / "full")
    load_checkpoint(tmp_path / "full")


def test_a_recording_that_vanishes_ends_the_run_by_its_name_and_back_again_it_goes_on(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    train(small_config, tiny_corpus, tmp_path / "whole")
    path = Path(shutil.copy(tiny_corpus[0].audio_filepath, tmp_path))
    corpus = [dataclasses.replace(tiny_corpus[0], audio_filepath=path), *tiny_corpus[1:]]
    with pytest.raises(StoppedError):
        train(small_config, corpus, tmp_path / "twice", Watcher(), lambda: True)
    path.rename(path.with_suffix(".away"))
    with pytest.raises(AudioError, match=path.name):
        train(small_config, corpus, tmp_path / "twice")
    path.with_suffix(".away").rename(path)

    train(small_config, corpus, tmp_path / "twice")

    assert_equal_states(tmp_path / "whole", tmp_path / "twice")


def damaged(corpus: Sequence[Utterance], folder: Path, *numbers: int) -> list[Utterance]:
    """The corpus with FLAC files of which the second half is missing."""
    some = list(corpus)
    for number in numbers:
        path = folder / f"{some[number].id}.flac"
        whole = Path(some[number].audio_filepath).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        some[number] = dataclasses.replace(some[number], audio_filepath=path)
    return some


@pytest.mark.parametrize("cmvn", ["global", "utterance", "window", "none"])
def test_a_few_damaged_recordings_take_no_part_and_are_named_once(
    tiny_corpus: Sequence[Utterance],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    cmvn: str,
) -> None:
    config = make_config(
        features__cmvn=cmvn,
        features__cmvn_window=4.0 if cmvn == "window" else 0.0,
        batching__batch_duration=0.5,  # each alone in its batch
    )
    watcher = Watcher()
    corpus = damaged(tiny_corpus, tmp_path, 1, 5)

    train(config, corpus, tmp_path / "model", watcher, max_damaged=2)

    assert [report.n_skipped for report in watcher.epochs] == [2, 2, 2]
    told = [message for message in caplog.messages if "takes no part" in message]
    assert sorted(message.split()[0] for message in told) == [corpus[1].id, corpus[5].id]
    assert load_checkpoint(tmp_path / "model").directory.priors


def test_more_damaged_recordings_than_allowed_end_the_run_which_goes_on_without_them(
    small_config: Config,
    tiny_corpus: Sequence[Utterance],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    many = list(tiny_corpus) * 3
    corpus = [dataclasses.replace(u, id=f"{n}") for n, u in enumerate(many)]
    with pytest.raises(StoppedError):
        train(small_config, corpus, tmp_path / "model", Watcher(), lambda: True)
    broken = damaged(corpus, tmp_path, 12, 20)
    (tmp_path / "model.run" / "state.safetensors").unlink()
    with pytest.raises(AudioError, match=r"2 recordings could not be read; at most 1 may be"):
        train(small_config, broken, tmp_path / "model", max_damaged=1)
    with pytest.raises(StoppedError):
        train(small_config, corpus, tmp_path / "model", Watcher(), lambda: True)

    mended = [utterance for n, utterance in enumerate(broken) if n not in (12, 20)]
    run = train(small_config, mended, tmp_path / "model")

    assert run.epoch == 3
    assert "goes on without 2 utterances that went away: 12, 20" in caplog.text
    (speech,) = load_checkpoint(tmp_path / "model").directory.trained_on.speech
    assert speech.n_utterances == len(mended)


def test_what_changed_is_named_when_a_run_may_not_go_on(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(small_config, tiny_corpus, tmp_path / "model", Watcher(stop_at_step=2))
    slower = make_config(optimiser__learning_rate=0.5)
    new = dataclasses.replace(tiny_corpus[0], id="new")
    changes: tuple[dict[str, Any], ...] = (
        *({"text": "OTHER"}, {"duration": 0.3}, {"channel": 0}, {"speaker": "another"}),
    )
    others = [dataclasses.replace(tiny_corpus[-1], **change) for change in changes]

    for config, corpus, told in (
        (slower, tiny_corpus, r"optimiser\.learning_rate was 0\.01, is 0\.5\. Train"),
        (small_config, [*tiny_corpus, new], "the training set has 1 new utterance: new"),
        *(
            (small_config, [*tiny_corpus[:-1], other], f"1 with other audio, .* {other.id}")
            for other in others
        ),
        (small_config, tiny_corpus[:4], "lacks 4 of its 8 utterances, of which at most 10 %"),
        (small_config, [*tiny_corpus[:3], *tiny_corpus[:2:-1]], "is in another order"),
    ):
        with pytest.raises(TrainingError, match=told):
            train(config, corpus, tmp_path / "model")


def test_letters_and_cmvn_stay_when_utterances_went_away(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    corpus = [
        dataclasses.replace(u, id=f"{n}", text="ZOO" if n == 9 else u.text)
        for n, u in enumerate([*tiny_corpus, *tiny_corpus])
    ]
    with pytest.raises(KeyboardInterrupt):
        train(small_config, corpus, tmp_path / "model", Watcher(stop_at_step=3))
    before = load_checkpoint(tmp_path / "model.run" / "start")

    train(small_config, [*corpus[:9], *corpus[10:]], tmp_path / "model")

    after = load_checkpoint(tmp_path / "model")
    assert "Z" in after.directory.tokenizers["text"].tokens
    assert torch.equal(after.front_end.mean, before.front_end.mean)


def test_two_utterances_with_one_id_are_refused(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    twins = [*tiny_corpus, dataclasses.replace(tiny_corpus[0], text="MOON")]

    with pytest.raises(DataError, match=f"the same id: {tiny_corpus[0].id}"):
        train(small_config, twins, tmp_path / "model")


def test_train_and_dev_may_have_the_same_ids_for_other_utterances(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    """An id is unique in its manifest only: neither audio nor texts of the other set are used."""
    apart = [dataclasses.replace(u, id=f"dev-{n}") for n, u in enumerate(tiny_corpus[4:])]
    alike = [dataclasses.replace(u, id=tiny_corpus[n].id) for n, u in enumerate(tiny_corpus[4:])]
    reports = []
    for name, dev in (("apart", apart), ("alike", alike)):
        watcher = Watcher()
        train(small_config, tiny_corpus[:4], tmp_path / name, watcher, dev=dev)
        reports.append([(r.loss, r.dev_loss, r.wer) for r in watcher.epochs])

    assert reports[0] == reports[1]


def test_a_finished_run_is_not_trained_again_but_its_model_is_put_back(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    train(small_config, tiny_corpus, tmp_path / "model")
    (tmp_path / "model").rename(tmp_path / "elsewhere")
    watcher = Watcher()

    train(small_config, tiny_corpus, tmp_path / "model", watcher)

    assert not watcher.losses
    load_checkpoint(tmp_path / "model")


def test_a_run_is_resumed_where_the_audio_was_moved(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(small_config, tiny_corpus, tmp_path / "model", Watcher(stop_at_step=4))
    moved = []
    for utterance in tiny_corpus:
        path = shutil.copy(utterance.audio_filepath, tmp_path)
        moved.append(dataclasses.replace(utterance, audio_filepath=Path(path)))
    watcher = Watcher()

    train(small_config, moved, tmp_path / "model", watcher)

    assert watcher.epochs[-1].step == 3 + len(watcher.losses)  # the fourth was not saved


def test_a_run_stops_after_an_epoch_in_which_no_utterance_could_be_aligned(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    endless = [dataclasses.replace(u, text="TO AND FRO " * 50) for u in tiny_corpus]

    with pytest.raises(TrainingError, match="epoch 1: every utterance has fewer frames"):
        train(small_config, endless, tmp_path / "model")

    assert not (tmp_path / "model").exists()


def test_a_run_goes_on_after_an_epoch_in_which_no_speech_replaced_all_utterances(
    tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    replaced = make_config(augment__no_speech_share=1.0, augment__ramp_epochs=0)
    watcher = Watcher()

    train(replaced, tiny_corpus[:1], tmp_path / "model", watcher, dev=None)

    assert [report.epoch for report in watcher.epochs] == [*range(1, replaced.train.n_epochs + 1)]


def test_utterances_without_a_text_are_refused_by_their_id(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    untold = dataclasses.replace(tiny_corpus[0], text=None)

    with pytest.raises(DataError, match=untold.id):
        train(small_config, [untold, *tiny_corpus[1:]], tmp_path / "model")


def test_a_dev_set_without_words_is_refused_before_training(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    silent = [dataclasses.replace(utterance, text="") for utterance in tiny_corpus[:2]]

    with pytest.raises(DataError, match="dev set has no words"):
        train(small_config, tiny_corpus, tmp_path / "model", dev=silent)


def test_an_output_that_is_no_model_is_refused_before_training(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis").touch()

    with pytest.raises(ModelError, match="name a new folder"):
        train(small_config, tiny_corpus, tmp_path / "model")

    assert not (tmp_path / "model.run").exists()


def test_the_untrained_model_is_the_one_that_training_begins_with(
    tmp_path: Path, tiny_corpus: Sequence[Utterance]
) -> None:
    config = make_config(optimiser__learning_rate=1e-30, train__n_epochs=1)

    train(config, tiny_corpus[:2], tmp_path / "model")

    trained = load_checkpoint(tmp_path / "model")
    start = untrained(trained).model.state_dict()
    for name, weight in trained.model.state_dict().items():
        torch.testing.assert_close(weight, start[name], rtol=0.0, atol=1e-20)


def test_without_a_dev_set_the_last_epoch_is_kept(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    watcher = Watcher()

    run = train(small_config, tiny_corpus, tmp_path / "model", watcher, dev=None)

    assert (run.epoch, run.best_epoch) == (3, 0)
    assert [report.wer for report in watcher.epochs] == [None] * 3
    last = state_tensors(tmp_path / "model")
    for name, weight in load_checkpoint(tmp_path / "model").model.state_dict().items():
        assert torch.equal(weight, last[f"model.{name}"]), name
    card = (tmp_path / "model" / "README.md").read_text()
    assert "| dev WER | not measured: the last of 3 epochs |" in card

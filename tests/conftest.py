"""What the tests share: one thread, no deadline, the recorded speech, a run of a second."""

import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings
from torch import Tensor

from asr.augment.config import AugmentConfig
from asr.char_lm.config import (
    CharacterModelConfig,
    LanguageConfig,
    LanguageTrainConfig,
    StreamConfig,
)
from asr.config import Config
from asr.corpus.batching import BatchingConfig
from asr.corpus.librispeech import read_librispeech
from asr.corpus.tiny import write_tiny_corpus
from asr.corpus.utterance import Utterance
from asr.features.config import FeatureConfig
from asr.features.padding import pad
from asr.model.config import ModelConfig
from asr.text.tokenizer import HeadConfig, TextConfig
from asr.train.config import CtcConfig, OptimiserConfig, TermConfig, TrainConfig

REPOSITORY = Path(__file__).resolve().parent.parent

# there may be much to compute or to compile, and the machine may be busy
settings.register_profile("without a deadline", deadline=None)
settings.load_profile("without a deadline")


@pytest.fixture(scope="session", autouse=True)
def unconfigured() -> Iterator[None]:
    """Take away what the caller's environment says to `asr`, to its clients, and to argparse."""
    ours = {"ASR_API_KEY", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"}
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in ours or name.lower().endswith("_proxy"):
                patch.delenv(name)
        patch.setenv("COLUMNS", "80")
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Keep torch to one thread: tests run beside one another, and sums keep their order."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Heed Ctrl-C, which a shell makes its background jobs ignore, and their children with them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of recorded speech and text; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("ASR_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs recorded speech, which is not at {folder} (set ASR_DATA)")
    return folder


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Utterance, ...]:
    """Eight utterances of synthetic speech."""
    folder: Path = tmp_path_factory.mktemp("corpus") / "tiny"
    write_tiny_corpus(folder, n_utterances=8, n_speakers=2, seed=0)
    return tuple(read_librispeech(folder).utterances)


EVERY_AUGMENTATION: dict[str, Any] = {  # of those that play speech otherwise, changes of a config
    "augment__tempos": (0.87, 1.0, 1.15),
    "augment__reverb_share": 0.3,
    "augment__silence_share": 0.3,
    "augment__noise_share": 0.3,
    "augment__babble_share": 0.3,
    "augment__level_share": 0.3,
    "augment__telephone_share": 0.3,
    "augment__codec_share": 0.3,
    "augment__no_speech_share": 0.3,
}


def make_config(**changes: Any) -> Config:  # noqa: ANN401 (a value of any part)
    """Make a configuration of usual small values, some of them changed.

    Everything that could be random is on: dropout, masks, speeds.

    Args:
        changes: Values by `part__name` (`model__cell="gru"`), or whole parts by their name.
    """
    config = Config(
        text=TextConfig(normaliser="librispeech-1"),
        heads={"text": HeadConfig(units="char", n_tokens=0)},
        features=FeatureConfig(
            sample_rate=16000,
            frame_length=0.025,
            frame_shift=0.01,
            n_mels=20,
            low_frequency=20.0,
            high_frequency=7600.0,
            min_log_energy=-15.0,
            n_ceps=0,
            delta_order=0,
            cmvn="global",
            cmvn_window=0.0,
        ),
        augment=AugmentConfig(
            speeds=(0.9, 1.0, 1.1),
            tempos=(1.0,),
            reverb_share=0.0,
            silence_share=0.0,
            noise_share=0.0,
            babble_share=0.0,
            level_share=0.0,
            telephone_share=0.0,
            codec_share=0.5,
            join_share=0.0,
            no_speech_share=0.0,
            n_frequency_masks=1,
            max_frequency_bins=4,
            time_masks_per_second=1.0,
            max_time_seconds=0.1,
            max_time_fraction=0.2,
            ramp_epochs=2,
        ),
        model=ModelConfig(
            subsampling_factor=3,
            n_channels=4,
            cell="lstm",
            size=8,
            n_layers=1,
            bidirectional=True,
            dropout=0.2,
        ),
        batching=BatchingConfig(batch_duration=4.0, sorted_first=True, seed=3),
        optimiser=OptimiserConfig(
            learning_rate=0.01,
            warmup_epochs=0.5,
            hold_epochs=0.0,
            final_fraction=0.1,
            weight_decay=0.01,
            max_gradient_norm=1.0,
        ),
        train=TrainConfig(
            n_epochs=3,
            validate_every=1,
            precision="float32",
            n_shards=2,
            average_decay=0.0,
            checkpoint_minutes=0.0,
        ),
        objective={"text": CtcConfig(loss="ctc", weight=1.0)},
    )
    parts: dict[str, Any] = {key: value for key, value in changes.items() if "__" not in key}
    values: dict[str, dict[str, Any]] = {}
    for part, name, value in ((*key.split("__"), changes[key]) for key in changes.keys() - parts):
        values.setdefault(part, {})[name] = value
    parts |= {part: replace(getattr(config, part), **own) for part, own in values.items()}
    return replace(config, **parts)


def with_phones(
    config: Config,
    loss: TermConfig = CtcConfig(loss="ctc", weight=0.5),  # noqa: B008 (frozen)
) -> Config:
    """Add a head of phones."""
    heads = {**config.heads, "phones": HeadConfig(units="phones", n_tokens=0)}
    objective = {"text": CtcConfig(loss="ctc", weight=0.5), "phones": loss}
    return replace(config, heads=heads, objective=objective)


def pad_with_nan(sequences: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Stack sequences of unequal length, with NaN after the shorter ones; return the lengths."""
    padded, lengths = pad(sequences)
    for row, length in zip(padded, lengths.tolist(), strict=True):
        row[length:] = torch.nan
    return padded, lengths


@pytest.fixture(scope="session")
def small_config() -> Config:
    """The usual small configuration; see `make_config`."""
    return make_config()


@pytest.fixture(scope="session")
def small_language_config() -> LanguageConfig:
    """Two passes over a short text, with dropout."""
    return LanguageConfig(
        normaliser="librispeech-1",
        model=CharacterModelConfig(cell="lstm", size=8, n_layers=2, dropout=0.2),
        streams=StreamConfig(n_streams=4, chunk_length=10),
        optimiser=make_config(optimiser__warmup_epochs=0.1).optimiser,
        train=LanguageTrainConfig(
            n_epochs=2.0,
            n_validations=3,
            precision="float32",
            n_shards=2,
            checkpoint_minutes=0.0,
            seed=3,
        ),
    )

"""What the tests share: one thread, the recorded speech, and a run that takes a second."""

import os
from pathlib import Path

import pytest
import torch

from asr.augment.spec_augment import SpecAugmentConfig
from asr.char_lm.loop import LanguageTrainConfig
from asr.char_lm.network import CharacterModelConfig
from asr.char_lm.streams import StreamConfig
from asr.config import Config, LanguageConfig
from asr.corpus.batching import BatchingConfig
from asr.corpus.librispeech import read_librispeech
from asr.corpus.tiny import write_tiny_corpus
from asr.corpus.utterance import Utterance
from asr.features.config import FeatureConfig
from asr.model.config import ModelConfig
from asr.text.tokenizer import TextConfig
from asr.train.config import OptimiserConfig, TrainConfig

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Keep torch to one thread: tests run beside one another, and sums keep their order."""
    torch.set_num_threads(1)


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


@pytest.fixture(scope="session")
def small_config() -> Config:
    """Everything that could be random is on: dropout, masks, speeds."""
    return Config(
        text=TextConfig("librispeech-1", "char", 0),
        features=FeatureConfig(16000, 0.025, 0.01, 20, 20.0, 7600.0, -15.0, 0, 0, "global"),
        spec_augment=SpecAugmentConfig(0.1, 1, 4, 1.0, 0.1, 0.2),
        model=ModelConfig(3, 4, 1, "lstm", 8, 1, bidirectional=True, dropout=0.2),
        batching=BatchingConfig(
            batch_duration=4.0,
            speeds=(0.9, 1.0, 1.1),
            sorted_first=True,
            codec_share=0.5,
            noise_share=0.0,
            reverb_share=0.0,
            ramp_epochs=2,
            seed=3,
        ),
        optimiser=OptimiserConfig("cosine", 0.01, 0.5, 0.0, 0.1, 0.01, 1.0),
        train=TrainConfig(
            average_decay=0.0,
            phone_weight=0.0,
            crf_weight=0.0,
            middle_weight=0.0,
            label_smoothing=0.0,
            grow_epochs=0,
            n_epochs=3,
            validate_every=1,
            patience=0,
            precision="float32",
            n_shards=2,
            checkpoint_minutes=0.0,
        ),
    )


@pytest.fixture(scope="session")
def small_language_config() -> LanguageConfig:
    """Two passes over a short text, with dropout."""
    return LanguageConfig(
        normaliser="librispeech-1",
        model=CharacterModelConfig("lstm", 8, 2, dropout=0.2),
        streams=StreamConfig(n_streams=4, chunk_length=10),
        optimiser=OptimiserConfig("cosine", 0.01, 0.1, 0.0, 0.1, 0.01, 1.0),
        train=LanguageTrainConfig(
            n_epochs=2.0,
            n_validations=3,
            precision="float32",
            n_shards=2,
            checkpoint_minutes=0.0,
            seed=3,
        ),
    )

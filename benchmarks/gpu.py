"""A training step on one GPU, by the size of its batch, and how fast batches are read beside it.

What to expect of 960 hours follows from these: docs/training-at-scale.md. The step is that of
`conf/librispeech.toml` on random utterances as long as those of LibriSpeech are on average; the
bare network is its LSTM layers and projection. Reading is that of train-clean-5, nothing kept.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

from asr.config import Config, read_tree
from asr.errors import ConfigError
from asr.model.acoustic import AcousticModel
from asr.train.data import LOADERS
from asr.train.objective import Ctc, Targets
from asr.train.optimiser import adamw
from asr.train.ranks import Ranks, join_ranks
from asr.train.step import TrainingBatch, Workers, training_step
from benchmarks.options import option_parser
from benchmarks.paired import alternate, ratio, write_results
from benchmarks.training import REPOSITORY, BareNetwork, encoder_shape, training_data

SECONDS, TOKENS = 12.3, 45  # of an utterance: LibriSpeech's mean, and the BPE tokens that makes
BATCHES = (400, 800, 1600, 3200)  # seconds of speech
N_ROUNDS = 5
N_STEPS = 5  # in a round


def main() -> None:
    """Time steps in both precisions, and one epoch of reading."""
    option_parser(__doc__).parse_args()
    if not torch.cuda.is_available():
        raise ConfigError("this benchmark measures a GPU, and torch sees none by CUDA")
    config = read_tree(Config, REPOSITORY / "conf" / "librispeech.toml")
    torch.set_num_threads(1)  # as asr train does beside a GPU
    with join_ranks("cuda") as ranks, ThreadPoolExecutor(1) as pool:
        rows = [
            _row(config, seconds, precision, Workers(ranks, pool, 1))
            for precision in ("float32", "bfloat16")
            for seconds in BATCHES
        ]
    n_threads = LOADERS["cuda"]
    write_results(
        "gpu",
        "A training step on a GPU",
        ["precision", "seconds a batch", "ms a step", "hours per hour", "of bare", "peak memory"],
        rows,
        f"One {torch.cuda.get_device_name()}; `conf/librispeech.toml` (4 × 512, 500 tokens), "
        f"random utterances of {SECONDS} s, {N_ROUNDS} alternating rounds of {N_STEPS} steps; "
        "median and range. *Of bare* compares with forward and gradient of the LSTM layers and "
        f"the projection on the same frames. {n_threads} threads, of {os.cpu_count()} cores, read "
        "train-clean-5, change its speed and compute features at "
        f"{_reading_rate(config):.0f} hours an hour.",
    )


def _row(config: Config, seconds: int, precision: str, workers: Workers) -> list[str]:
    """Measure one size of batch."""
    device = workers.ranks.device
    batch = _random_batch(round(seconds / SECONDS), config.features.n_mels).to(device)
    torch.manual_seed(0)
    model = AcousticModel(config.model, n_features=config.features.n_mels, heads={"text": 500}).to(
        device
    )
    bare = BareNetwork(config, 500).to(device)
    optimiser = adamw(model, config.optimiser)
    frames = torch.randn(encoder_shape(batch, config), device=device, requires_grad=True)

    def whole() -> None:
        training_step(
            model,
            optimiser,
            batch,
            workers,
            terms=[Ctc("text", 1.0)],
            precision=precision,
            max_gradient_norm=config.optimiser.max_gradient_norm,
        )

    torch.cuda.reset_peak_memory_stats()
    timings = alternate(
        {
            "whole": lambda: _finished(whole),
            "bare": lambda: _finished(lambda: bare.step(frames, precision)),
        },
        n_rounds=N_ROUNDS,
    )
    step = timings["whole"].median / N_STEPS
    return [
        precision,
        f"{batch.duration:.0f}",
        f"{1000 * step:.0f}",
        f"{batch.duration / step:.0f}",
        ratio(timings["bare"], timings["whole"]),
        f"{torch.cuda.max_memory_allocated() / 1e9:.1f} GB",
    ]


def _finished(step: Callable[[], None]) -> None:
    """Make some steps, and wait until the GPU has made them."""
    for _ in range(N_STEPS):
        step()
    torch.cuda.synchronize()


def _random_batch(n_utterances: int, n_mels: int) -> TrainingBatch:
    generator = torch.Generator().manual_seed(0)
    n_frames = round(100 * SECONDS)
    return TrainingBatch(
        ids=tuple(map(str, range(n_utterances))),
        rows=slice(n_utterances),
        features=torch.randn(n_utterances, n_frames, n_mels, generator=generator),
        lengths=torch.full((n_utterances,), n_frames),
        targets={
            "text": Targets(
                torch.randint(1, 500, (n_utterances, TOKENS), generator=generator),
                torch.full((n_utterances,), TOKENS),
            )
        },
        duration=n_utterances * SECONDS,
        seed=1,
        strength=1.0,
    )


def _reading_rate(config: Config) -> float:
    """Hours of speech an hour, read by as many threads as a GPU has, and nothing kept."""
    data, _ = training_data(config, Ranks(0, 1, torch.device("cuda:0")), max_feature_bytes=0)
    began = time.perf_counter()
    seconds = sum(batch.duration for batch in data.batches(2))
    return seconds / (time.perf_counter() - began)


if __name__ == "__main__":
    main()

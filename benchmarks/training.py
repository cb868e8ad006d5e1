"""A whole training step, data and all, against the bare recurrent layers and projection.

The bare rate is what the network itself allows: forward and gradient of its LSTM layers and its
projection, on random frames of the shapes that the real batches have, in the same precision, with
as many threads. What the whole step reaches of it is what reading, resampling, features,
augmentation, convolutions, CTC, clipping and AdamW leave over.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn

from asr.checkpoint.network import build
from asr.config import Config, read_tree
from asr.corpus.feature_cache import FeatureCache
from asr.corpus.librispeech import read_librispeech
from asr.lengths import subsampled_lengths
from asr.lexicon.g2p.pronouncer import pronounce
from asr.lexicon.phone_spelling import PhoneSpeller
from asr.lexicon.read import read_dictionary
from asr.model.acoustic import AcousticModel
from asr.text.normalise import normaliser
from asr.text.tokenizer import Tokenizer, make_tokenizer
from asr.train.allocator import keep_freed_memory
from asr.train.data import TrainingData, normalised_texts
from asr.train.objective import LossTerm, make_terms
from asr.train.optimiser import adamw
from asr.train.precision import autocast, usable_precision
from asr.train.ranks import ALONE, Ranks
from asr.train.step import TrainingBatch, Workers, training_step
from benchmarks.options import DATA, option_parser
from benchmarks.paired import alternate, ratio, write_results

REPOSITORY = Path(__file__).resolve().parent.parent
N_BATCHES = 18
N_ROUNDS = 5
MAX_FEATURE_BYTES = 2_000_000_000


class BareNetwork(nn.Module):
    """The recurrent layers and the projection of a configuration, and nothing else."""

    def __init__(self, config: Config, n_tokens: int) -> None:
        super().__init__()
        size = config.model.size
        self.layers = nn.ModuleList(
            nn.ModuleList(nn.LSTM(size, size, batch_first=True) for _ in range(2))
            for _ in range(config.model.n_layers)
        )
        self.projection = nn.Linear(size, n_tokens)

    def forward(self, frames: Tensor) -> Tensor:
        """Run both directions over (B, T, D), added, and project to (B, T, V)."""
        for directions in self.layers:
            assert isinstance(directions, nn.ModuleList)
            ahead, back = directions
            frames = ahead(frames)[0] + back(frames)[0]
        logits: Tensor = self.projection(frames)
        return logits

    def step(self, frames: Tensor, precision: str) -> None:
        """Run forward, and compute the gradient of weights and frames."""
        with autocast(frames.device.type, precision):
            logits = self(frames)
        torch.autograd.grad(logits.float().square().mean(), [*self.parameters(), frames])


def main() -> None:
    """Measure with one thread an operation, and with all cores inside each operation."""
    option_parser(__doc__).parse_args()
    keep_freed_memory()
    config = _config_of_this_processor()
    stacked = dataclasses.replace(config.model, n_channels=0)
    without_convolutions = dataclasses.replace(config, model=stacked)
    data, n_tokens = training_data(config)
    terms = make_terms(config.objective, {}, n_tokens)
    shapes = [encoder_shape(batch, config) for batch in islice(data.batches(1), N_BATCHES)]
    seconds = sum(batch.duration for batch in islice(data.batches(1), N_BATCHES))
    bare = BareNetwork(config, n_tokens["text"])
    n_threads, n_shards = os.cpu_count() or 1, config.train.n_shards
    shards = [
        [(len(range(i, n_utterances, n_shards)), *rest) for i in range(n_shards)]
        for n_utterances, *rest in shapes
    ]

    def bare_step(shape: tuple[int, ...]) -> None:
        bare.step(torch.randn(shape, requires_grad=True), config.train.precision)

    with ThreadPoolExecutor(n_shards) as pool:
        candidates = {
            "whole": lambda: _whole_steps(config, data, terms, n_tokens, pool),
            "whole, no convolutions": lambda: _whole_steps(
                without_convolutions, data, terms, n_tokens, pool
            ),
            "bare": lambda: [list(pool.map(bare_step, parts)) for parts in shards],
            "bare, threads inside": lambda: _with_threads(
                n_threads, lambda: list(map(bare_step, shapes))
            ),
        }
        torch.set_num_threads(max(1, n_threads // n_shards))
        timings = alternate(candidates, n_rounds=N_ROUNDS)
    rows = [
        [name, f"{seconds / timing.median:.0f}", ratio(timings["bare"], timing)]
        for name, timing in timings.items()
    ]
    write_results(
        "training",
        "A training step against its bare LSTM and projection",
        ["what", "hours per hour", "rate relative to bare"],
        rows,
        f"{N_BATCHES} batches ({seconds / 60:.1f} minutes of speech) of train-clean-5, "
        f"`conf/mini_librispeech.toml` in {config.train.precision}, {N_ROUNDS} alternating "
        "rounds; median and range. *Whole* "
        "is everything from the audio files to the updated weights; *no convolutions* has "
        "model.n_channels = 0, which stacks frames instead. *Bare* is forward and gradient "
        "of the LSTM layers and the projection on the same shapes, cut into the same shards; "
        "*threads inside* is the same uncut, all cores inside each operation.",
    )


def _config_of_this_processor() -> Config:
    """Take the recipe's configuration, in the precision that training falls back to here."""
    config = read_tree(Config, REPOSITORY / "conf" / "mini_librispeech.toml")
    if usable_precision(config.train.precision, torch.device("cpu")) == config.train.precision:
        return config
    train = dataclasses.replace(config.train, precision="float32")
    return dataclasses.replace(config, train=train)


def training_data(
    config: Config, ranks: Ranks = ALONE, max_feature_bytes: int = MAX_FEATURE_BYTES
) -> tuple[TrainingData, dict[str, int]]:
    """Read train-clean-5; count the tokens of each head, too."""
    utterances = read_librispeech(DATA / "LibriSpeech" / "train-clean-5").utterances
    normalise = normaliser(config.text.normaliser)
    texts = normalised_texts(utterances, normalise)
    tokenizers: dict[str, Tokenizer] = {
        "text": make_tokenizer(list(texts.values()), config.heads["text"])
    }
    tokens = {"text": {name: tokenizers["text"].encode(text) for name, text in texts.items()}}
    if config.phone_heads:
        dictionary = read_dictionary(DATA / "lexicon" / "cmudict-en-us.dict", normalise)
        words = (word for text in texts.values() for word in text.split())
        ways = pronounce(words, dictionary)
        speller = PhoneSpeller((word, units[0]) for word, units in ways.items())
        phones = tokenizers["phones"] = speller.table()
        tokens["phones"] = {
            name: phones.ids_of(speller.spell(text)) for name, text in texts.items()
        }
    cache = FeatureCache(build(config, tokenizers).front_end, max_bytes=max_feature_bytes)
    joints = {head: tokenizer.joint for head, tokenizer in tokenizers.items()}
    data = TrainingData(utterances, tokens, joints, cache, config.batching, config.augment, ranks)
    return data, {head: len(tokenizer) for head, tokenizer in tokenizers.items()}


def encoder_shape(batch: TrainingBatch, config: Config) -> tuple[int, int, int]:
    """Tell the shape of a batch in the recurrent layers, (B, T, D)."""
    n_frames = subsampled_lengths(batch.features.shape[1], config.model.subsampling_factor)
    return len(batch.ids), n_frames, config.model.size


def _whole_steps(
    config: Config,
    data: TrainingData,
    terms: Sequence[LossTerm],
    n_tokens: Mapping[str, int],
    pool: ThreadPoolExecutor,
) -> None:
    torch.manual_seed(0)
    model = AcousticModel(config.model, n_features=data.front_end.n_features, heads=n_tokens)
    optimiser = adamw(model, config.optimiser)
    for batch in islice(data.batches(1), N_BATCHES):
        training_step(
            model,
            optimiser,
            batch,
            Workers(ALONE, pool, config.train.n_shards),
            terms=terms,
            precision=config.train.precision,
            max_gradient_norm=config.optimiser.max_gradient_norm,
        )


def _with_threads(n_threads: int, run: Callable[[], object]) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    run()
    torch.set_num_threads(before)


if __name__ == "__main__":
    main()

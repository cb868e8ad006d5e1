"""Tuning: the WER of stored emissions, searched with many weights."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from asr.corpus.utterance import Utterance
from asr.errors import AudioError, ConfigError, DataError
from asr.recognizer import Recognizer
from asr.search.emission import split_batch
from asr.wer.score import score

FORMAT = "asr-emissions-1"


def compute_emissions(recognizer: Recognizer, utterances: Iterable[Utterance]) -> dict[str, Tensor]:
    """Compute the emission, (T, V), of every utterance by id.

    Raises:
        AudioError: A recording cannot be used.
    """
    emissions = {}
    for utterance, emission in recognizer.emit_all(utterances):
        if isinstance(emission, AudioError):
            raise emission
        emissions[utterance.id] = emission.contiguous()
    return emissions


def write_emissions(path: Path, emissions: Mapping[str, Tensor], model: str) -> None:
    """Write emissions, complete or not at all, with what tells the model that made them."""
    beside = path.with_name(f"{path.name}.part")
    save_file(dict(emissions), beside, {"format": FORMAT, "model": model})
    beside.replace(path)


def read_emissions(path: Path, ids: Sequence[str], model: str) -> dict[str, Tensor]:
    """Read the emissions of some utterances.

    Raises:
        DataError: The file is not of emissions, not of this model, or lacks an utterance.
    """
    try:
        with safe_open(path, "pt") as file:
            made_by = (file.metadata() or {}).get("model")
            if made_by != model:
                raise DataError(
                    f"{path}: made by model {made_by}, not by {model}: remove it, or name another"
                )
            missing = sorted(set(ids) - set(file.keys()))
            if missing:
                raise DataError(f"{path}: lacks {missing[0]}: remove it, or name another")
            return {name: file.get_tensor(name) for name in ids}
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path}: expected stored emissions, got {error}") from error


def tune(
    recognizer: Recognizer,
    emissions: Mapping[str, Tensor],
    references: Sequence[Utterance],
    lm_weights: Sequence[float],
    word_scores: Sequence[float],
) -> Iterator[tuple[tuple[float, float], float]]:
    """Search all emissions with every pair of weights, as many at a time as torch has threads.

    Args:
        recognizer: With a beam and a language model; its weights do not matter.
        emissions: (T, V) by id.
        references: What was said.
        lm_weights: To try.
        word_scores: To try with each of them.

    Yields:
        A pair of weights, and its WER, a fraction.

    Raises:
        ConfigError: The recognizer has no language model.
        DataError: An emission is not normalised.
    """
    from asr.search.beam_search import BeamSearch  # here, as all that compiles

    beam, fusion = recognizer.beam, recognizer.fusion
    if beam is None or fusion is None or not len(fusion.language.ngram.words):
        raise ConfigError("there is nothing to tune without a language model: give one")
    checked = []
    for reference in references:
        emission = emissions[reference.id][None]  # (1, T, V)
        checked += split_batch(emission, torch.tensor([emission.shape[1]]), blank=0)
    normaliser = recognizer.checkpoint.config.text.normaliser
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        for lm_weight, word_score in product(lm_weights, word_scores):
            config = replace(beam, lm_weight=lm_weight, word_score=word_score)
            search = BeamSearch(config, fusion.language, prior=recognizer.prior)
            texts = [
                recognizer.reading.text(n_best[0]) for n_best in threads.map(search.search, checked)
            ]
            by_id = {r.id: text for r, text in zip(references, texts, strict=True)}
            yield (lm_weight, word_score), score(references, by_id, normaliser).total.wer

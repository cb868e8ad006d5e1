"""Adaptation: a model learns from what it recognised itself, and gets used to the voices in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from asr.checkpoint import load_checkpoint, read_example, save_checkpoint
from asr.config import Config, config_hash
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.experiment import Material
from asr.model_files import CARD_FILE
from asr.provenance import Provenance
from asr.text.transcript import Transcript, Word

# What is otherwise than in the training that the model comes from; docs/experiments.md has the
# other values that were tried.
SETTINGS = {
    "optimiser.schedule": '"cosine"',
    "optimiser.learning_rate": "0.001",
    "optimiser.warmup_epochs": "0.5",
    "optimiser.hold_epochs": "0.0",
    "batching.batch_duration": "120.0",
    "batching.codec_share": "0.0",
    "batching.sorted_first": "false",
    "batching.ramp_epochs": "0",
    "train.n_epochs": "12",
    "train.patience": "0",
    "train.grow_epochs": "0",
    "train.average_decay": "0.99",
}

SECTION = "## Adaptation"  # of the model card
LONGEST = 30.0  # seconds; what is longer is cut
MARGIN = 0.5  # seconds of silence that a cut leaves around words


def stretches(
    utterances: Sequence[Utterance], transcripts: Mapping[str, Transcript]
) -> list[Utterance]:
    """Take what was recognised for what was said.

    Recordings of more than `LONGEST` seconds are cut at their longest pauses.

    Args:
        utterances: What was recognised, in order.
        transcripts: By utterance id, with times of words where a recording is long.

    Returns:
        Utterances with texts; without those of which nothing was recognised.

    Raises:
        DataError: Nothing was recognised in any.
    """
    heard = [
        stretch
        for utterance in utterances
        if utterance.id in transcripts and transcripts[utterance.id].text
        for stretch in _stretches(utterance, transcripts[utterance.id])
    ]
    if not heard:
        raise DataError(f"nothing was recognised in {len(utterances)} utterances: nothing to learn")
    return heard


def folds(utterances: Sequence[Utterance], n_folds: int) -> list[list[Utterance]]:
    """Deal utterances out like cards, so that every fold has some of each speaker's.

    References:
        Shinozaki, Kubota and Furui, "Unsupervised cross-validation adaptation algorithms for
        improved adaptation performance", ICASSP 2009.
    """
    return [list(utterances[number::n_folds]) for number in range(n_folds)]


def save_adapted(
    model: Path, acoustic: Path, output: Path, material: Material, provenance: Provenance
) -> None:
    """Put an adapted model in place, with the search and the speller that it came with.

    Its calibrations do not come along: a model is surer of what it has learned from itself.

    Args:
        model: The directory of the model as it was.
        acoustic: That of its acoustic model, adapted.
        output: The model directory to make.
        material: What it was adapted to, and what with.
        provenance: For the model card.

    Raises:
        ModelError: `output` holds something that is no model.
    """
    before, adapted = load_checkpoint(model), load_checkpoint(acoustic)
    priors = {**adapted.priors}
    if before.speller:
        priors["text"] = before.priors["text"]
    whole = replace(adapted, priors=priors, search=before.search, speller=before.speller)
    card = _card(model, adapted.config, material, provenance)
    save_checkpoint(output, whole, card=card, example=read_example(model))


def _stretches(utterance: Utterance, transcript: Transcript) -> Iterator[Utterance]:
    if (transcript.duration or 0.0) <= LONGEST:
        yield replace(utterance, text=transcript.text, duration=transcript.duration)
        return
    for number, words in enumerate(_cut(transcript.words)):
        start = max(0.0, words[0].start - MARGIN)
        end = min(words[-1].end + MARGIN, transcript.duration or 0.0)
        yield replace(
            utterance,
            id=f"{utterance.id}#{number}",
            offset=utterance.offset + start,
            duration=end - start,
            text=" ".join(word.text for word in words),
        )


def _cut(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Cut at the longest pause, and what is still too long once more."""
    waiting = [words]
    while waiting:
        some = waiting.pop()
        if len(some) < 2 or some[-1].end - some[0].start <= LONGEST:
            yield some
            continue
        pauses = [after.start - before.end for before, after in pairwise(some)]
        middle = 1 + max(range(len(pauses)), key=pauses.__getitem__)
        waiting += [some[middle:], some[:middle]]


def _card(model: Path, config: Config, material: Material, provenance: Provenance) -> str:
    """Write about the adaptation below what the card says of the model."""
    hours = sum(utterance.duration or 0.0 for utterance in material.train) / 3600
    card = (model / CARD_FILE).read_text(encoding="utf-8").partition(SECTION)[0]
    return f"""\
{card.rstrip()}

{SECTION}

What stands above is about the model as it was before.

| | |
|---|---|
| adapted to | {len(material.train)} stretches of speech, {hours:.2f} hours, by what was \
recognised in them |
| configuration | {config_hash(config)} |
| command | `{provenance.command}` |
| commit | {provenance.commit or "unknown"} |
| hardware | {provenance.hardware} |
| versions | {provenance.versions} |
| begun | {provenance.time} |
"""

r"""Remaining errors: by speaker, by how frequent a word is in text, and by its sound.

    python -m benchmarks.errors exp/mini_librispeech/dev-clean.jsonl \
      exp/mini_librispeech/dev-clean.large.jsonl --text books-20M.txt.xz \
      --lexicon exp/mini_librispeech/lexicon.txt

Where an alignment pairs two words, their distance is that of their nearest pronunciations.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

from asr.corpus.manifest import read_manifest
from asr.lexicon.read import read_lexicon
from asr.lm.segments import read_segments
from asr.text.normalise import normaliser
from asr.text.transcript import read_transcripts
from asr.wer.alignment import Edit, EditKind, align_words, count_errors
from benchmarks.options import option_parser

FREQUENCIES = (10_000, 1_000, 100, 0)  # at least so often in the text
SHORT = 3  # letters


def main() -> None:
    """Count, and print a list in Markdown."""
    parser = option_parser(__doc__)
    parser.add_argument("manifest", type=Path, help="what was said")
    parser.add_argument("hypotheses", type=Path, help="what was recognised")
    parser.add_argument("--text", type=Path, required=True, help="how frequent words are")
    parser.add_argument("--lexicon", type=Path, required=True, help="how they sound")
    parser.add_argument("--normaliser", default="librispeech-1", help="default: %(default)s")
    options = parser.parse_args()
    normalise = normaliser(options.normaliser)
    recognised = read_transcripts(options.hypotheses)
    edits: dict[str, list[list[Edit]]] = defaultdict(list)
    for utterance in read_manifest(options.manifest):
        said, heard = normalise(utterance.text or ""), normalise(recognised[utterance.id].text)
        edits[utterance.speaker or "?"].append(align_words(said, heard))
    pronunciations: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for word, phones in read_lexicon(options.lexicon, normalise):
        pronunciations[word].append(phones)
    frequency: Counter[str] = Counter()
    for segment in read_segments([options.text]):
        frequency.update(normalise(segment).split())
    whole = [edit for own in edits.values() for utterance in own for edit in utterance]
    print(f"- {_errors(whole):,} errors in {_n_words(whole):,} words, {_rate(whole):.2f} %.")
    print(_by_speaker(edits))
    print(_by_frequency(whole, frequency, pronunciations))
    print(_by_sound(whole, pronunciations))
    print(_by_length(whole))


def _by_speaker(edits: Mapping[str, list[list[Edit]]]) -> str:
    rates = sorted(_rate([*chain(*own)]) for own in edits.values())
    utterances = [utterance for own in edits.values() for utterance in own]
    whole = sum(not _errors(utterance) for utterance in utterances)
    half = sum(2 * _errors(utterance) > _n_words(utterance) for utterance in utterances)
    return (
        f"- From {rates[0]:.1f} to {rates[-1]:.1f} % by speaker, {len(rates)} of them. "
        f"{100 * whole / len(utterances):.0f} % of the utterances are without an error, "
        f"{100 * half / len(utterances):.0f} % have more errors than half of their words."
    )


def _by_frequency(
    edits: Sequence[Edit],
    frequency: Counter[str],
    pronunciations: Mapping[str, list[tuple[str, ...]]],
) -> str:
    groups: dict[int, list[Edit]] = {least: [] for least in FREQUENCIES}
    for edit in edits:
        if edit.reference:
            groups[next(n for n in FREQUENCIES if frequency[edit.reference] >= n)].append(edit)
    shares = ", ".join(f"{least:,} times: {_rate(own):.1f} %" for least, own in groups.items())
    unknown = sum(bool(e.reference) and e.reference not in pronunciations for e in edits)
    return (
        f"- Wrong of the words that the text has at least {shares}. "
        f"{unknown} are not in the lexicon."
    )


def _by_sound(edits: Sequence[Edit], pronunciations: Mapping[str, list[tuple[str, ...]]]) -> str:
    distances = Counter(
        min(
            count_errors(" ".join(said), " ".join(heard)).errors
            for said in pronunciations[edit.reference]
            for heard in others
        )
        for edit in edits
        if edit.kind is EditKind.SUBSTITUTION
        and edit.reference in pronunciations
        and (others := pronunciations.get(edit.hypothesis))
    )
    shares = [100 * distances[n] / distances.total() for n in range(3)]
    return (
        f"- Of {distances.total():,} words taken for another one {shares[0]:.0f} % sound like it, "
        f"{shares[1]:.0f} % are one phone away, {shares[2]:.0f} % two, "
        f"{100 - sum(shares):.0f} % more."
    )


def _by_length(edits: Sequence[Edit]) -> str:
    short = [edit for edit in edits if 0 < len(edit.reference) <= SHORT]
    return f"- Of words of up to {SHORT} letters {_rate(short):.1f} % are wrong."


def _errors(edits: Sequence[Edit]) -> int:
    return sum(edit.kind is not EditKind.HIT for edit in edits)


def _n_words(edits: Sequence[Edit]) -> int:
    return sum(bool(edit.reference) for edit in edits)


def _rate(edits: Sequence[Edit]) -> float:
    """Per cent of errors, insertions included."""
    return 100 * _errors(edits) / max(_n_words(edits), 1)


if __name__ == "__main__":
    main()

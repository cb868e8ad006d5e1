"""`asr lexicon`: words and how they are pronounced, those that a dictionary lacks too."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.outputs import file_to_write
from asr.text.normalise import NORMALISERS, normaliser

if TYPE_CHECKING:
    from asr.lexicon.dictionary import Dictionary
    from asr.text.normalise import Normaliser

HELP = "give words the pronunciations that a dictionary lacks"
DESCRIPTION = """\
Write a lexicon: each word with its pronunciations, one a line. Words that the dictionary has keep
all of theirs and come first; of the others each gets one, the most probable by what the dictionary
teaches: which letters stand for which units, and what stands beside what.

DICTIONARY has a word and its units (phones, say) a line, and as many lines of a word as there are
ways to say it, as READ or READ(2); what follows # is a comment. It should have thousands of words.
Units are taken as they are, stress marks too.

Words come from lists, one or more a line, and from the transcripts of manifests (.jsonl). Those
with a letter that the dictionary never has are named and left out. The same files give the same
lexicon.

example:
  asr lexicon cmudict.dict --words vocabulary.txt train.jsonl --output lexicon.txt
next:
  asr decode phones.model dev.jsonl --search beam --lm 3gram.lm --lexicon lexicon.txt ...
"""

N_NAMED = 5  # words that stderr names before "and so many more"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr lexicon` takes."""
    parser.add_argument(
        "dictionary", type=Path, metavar="DICTIONARY", help="words and their units, to learn from"
    )
    parser.add_argument(
        "--words",
        type=Path,
        nargs="+",
        action="extend",
        required=True,
        metavar="FILE",
        help="lists of words, manifests",
    )
    parser.add_argument(
        "--output", type=file_to_write, required=True, metavar="FILE", help="lexicon to write"
    )
    parser.add_argument(
        "--normaliser",
        choices=sorted(NORMALISERS),
        default="librispeech-1",
        help="spelling of all words (default: librispeech-1)",
    )


def run(options: argparse.Namespace) -> int:
    """Read, learn, pronounce, write; say what came of it."""
    from asr.cli.bars import counting_bar
    from asr.errors import DataError
    from asr.lexicon.dictionary import read_dictionary
    from asr.lexicon.g2p.pronounce import pronounce

    normalise = normaliser(options.normaliser)
    dictionary = read_dictionary(options.dictionary, normalise)
    words = _read_words(options.words, normalise)
    with counting_bar("pronouncing", "word", scale=True) as advance:
        lexicon = pronounce(words, dictionary, advance)
    if not lexicon:
        raise DataError("none of the words can be pronounced: the dictionary lacks their letters")
    known = {word: lexicon[word] for word in lexicon if word in dictionary}
    learned = {word: lexicon[word] for word in lexicon if word not in dictionary}
    summary = (
        f"{len(known)} words of the dictionary, in {sum(map(len, known.values()))} ways; "
        f"{len(learned)} words by what it teaches"
    )
    _write(options.output, [shlex.join(options.command), summary], {**known, **learned})
    print(f"{options.output}: {summary}")
    _print_left_out([word for word in words if word not in lexicon])
    return 0


def _read_words(paths: Sequence[Path], normalise: "Normaliser") -> list[str]:
    """Read words, each once, from lists and transcripts."""
    from asr.corpus.manifest import read_manifest
    from asr.errors import DataError
    from asr.lm.segments import read_lines

    words: dict[str, None] = {}
    for path in paths:
        if path.suffix == ".jsonl":
            lines = [utterance.text or "" for utterance in read_manifest(path)]
        else:
            lines = list(read_lines(path))
        found = dict.fromkeys(word for line in lines for word in normalise(line).split())
        if not found:
            raise DataError(f"{path}: expected words to pronounce, got none")
        words.update(found)
    return list(words)


def _write(path: Path, comments: Sequence[str], lexicon: "Dictionary") -> None:
    """Write a lexicon, complete or not at all."""
    lines = [f"# {comment}\n" for comment in comments]
    lines += [
        f"{word} {' '.join(units)}\n" for word, variants in lexicon.items() for units in variants
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.part")
    beside.write_text("".join(lines), encoding="utf-8")
    beside.replace(path)


def _print_left_out(words: Sequence[str]) -> None:
    """Name, on stderr, words that have no pronunciation."""
    if words:
        rest = f" and {len(words) - N_NAMED} more" if len(words) > N_NAMED else ""
        print(
            f"asr: {len(words)} words are left out, for a letter that the dictionary never has or "
            f"for being silent: {', '.join(words[:N_NAMED])}{rest}",
            file=sys.stderr,
        )

"""`asr lexicon`: pronunciations of words, including those that a dictionary lacks."""

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

HELP = "make a lexicon, with pronunciations that a dictionary lacks"
DESCRIPTION = """\
Write a lexicon: a word and one of its pronunciations per line. Words of the dictionary come first,
with all its pronunciations. Each other word gets one, the most probable by a model learned from the
dictionary: which letters stand for which units, in which context.

DICTIONARY has a word and its units (such as phones) per line, and a line for each pronunciation of
a word, as READ or READ(2); # begins a comment. It should have thousands of words. Units are kept
unchanged, stress marks included.

Words come from lists, one or more per line, and from the transcripts of manifests (.jsonl). Words
with a letter that the dictionary lacks are reported and left out. The same files give the same
lexicon.

example:
  asr lexicon cmudict.dict --words vocabulary.txt train.jsonl --output lexicon.txt
next:
  asr decode phones.model dev.jsonl --search beam --lm 3gram.lm --lexicon lexicon.txt ...
"""

N_LISTED = 5  # words on stderr before "and n more"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr lexicon` takes."""
    parser.add_argument(
        "dictionary", type=Path, metavar="DICTIONARY", help="words and their pronunciations"
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
        help="normaliser of all words (default: librispeech-1)",
    )


def run(options: argparse.Namespace) -> int:
    """Read, learn, pronounce and write; print a summary."""
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
        f"{len(known)} words of the dictionary with {sum(map(len, known.values()))} "
        f"pronunciations; {len(learned)} more words"
    )
    _write(options.output, [shlex.join(options.command), summary], {**known, **learned})
    print(f"{options.output}: {summary}")
    _print_left_out([word for word in words if word not in lexicon])
    return 0


def _read_words(paths: Sequence[Path], normalise: "Normaliser") -> list[str]:
    """Read the distinct words of lists and transcripts."""
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
    from asr.files import write_text

    lines = [f"# {comment}\n" for comment in comments]
    lines += [
        f"{word} {' '.join(units)}\n" for word, variants in lexicon.items() for units in variants
    ]
    write_text(path, "".join(lines))


def _print_left_out(words: Sequence[str]) -> None:
    """List, on stderr, words without a pronunciation."""
    if words:
        rest = f" and {len(words) - N_LISTED} more" if len(words) > N_LISTED else ""
        print(
            f"asr: {len(words)} words are left out, for a letter that the dictionary lacks or "
            f"because all their letters are silent: {', '.join(words[:N_LISTED])}{rest}",
            file=sys.stderr,
        )

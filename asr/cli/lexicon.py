"""Write a lexicon: a word and one of its pronunciations per line.

Words of the dictionary come first, with all its pronunciations. Each other word gets one, the most
probable by a model learned from the dictionary: which letters stand for which units, in which
context.

DICTIONARY has a word and its units (such as phones) per line, and a line for each pronunciation of
a word, as READ or READ(2). It may be CMUdict, LibriSpeech's lexicon, Kaldi's lexiconp.txt or one of
MFA's dictionaries, and should have thousands of words. Units are kept unchanged, stress marks
included.

Words come from lists, one or more per line, from Kaldi's words.txt, and from the texts of manifests
and tables (.jsonl, .json, .ndjson, .csv, .tsv; see asr prepare). Words with a letter that the
dictionary lacks are reported and left out, and so are letters, digits and symbols that the
normaliser takes out of words: it makes D of 3D. The same files give the same lexicon.

Example:
  asr lexicon cmudict.dict --words vocabulary.txt train.jsonl --output lexicon.txt
Next:
  asr decode phones.model dev.jsonl --search beam --lm 3gram.lm --lexicon lexicon.txt ...
"""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from asr.cli.bars import counting_bar
from asr.cli.messages import tell
from asr.cli.omitting import add_normaliser, check_texts
from asr.cli.outputs import add_output
from asr.corpus.foreign_list import JSON_LINES, TABLES, read_foreign_list
from asr.errors import DataError, counted, shortened
from asr.files import write_text
from asr.lexicon.g2p.pronouncer import pronounce
from asr.lexicon.read import read_dictionary
from asr.lm.segments import read_lines
from asr.text.normalise import normaliser
from asr.text.word_list import without_numbers


def add_arguments(parser: argparse.ArgumentParser) -> None:
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
    add_output(parser, "FILE", "lexicon to write")
    add_normaliser(parser, "normaliser of all words")


def run(options: argparse.Namespace) -> int:
    """Read, learn, pronounce and write; print a summary."""
    normalise = normaliser(options.normaliser)
    dictionary = read_dictionary(options.dictionary, normalise)
    words = _read_words(options.words, options.normaliser)
    with counting_bar("pronouncing", "word", scale=True) as advance:
        lexicon = pronounce(words, dictionary, advance)
    if not lexicon:
        raise DataError("none of the words can be pronounced: the dictionary lacks their letters")
    known = [word for word in lexicon if word in dictionary]
    learned = [word for word in lexicon if word not in dictionary]
    summary = (
        f"{counted(len(known), 'word')} of the dictionary with "
        f"{counted(sum(len(lexicon[w]) for w in known), 'pronunciation')}; {len(learned):,} more "
        "learned from it"
    )
    comments = f"# {shlex.join(options.command)}\n# {summary}\n"
    lines = [
        f"{word} {' '.join(units)}\n" for word in [*known, *learned] for units in lexicon[word]
    ]
    write_text(options.output, comments + "".join(lines))
    print(f"{options.output}: {summary}")
    left_out = [word for word in words if word not in lexicon]
    if left_out:
        tell(
            f"{counted(len(left_out), 'word')} left out, for a letter that the dictionary lacks or "
            f"because all letters are silent: {shortened(left_out)}"
        )
    return 0


def _read_words(paths: Sequence[Path], normaliser_name: str) -> list[str]:
    """Read the distinct words of lists and transcripts."""
    normalise = normaliser(normaliser_name)
    words: dict[str, None] = {}
    for path in paths:
        if path.suffix.lower() in (*JSON_LINES, *TABLES):
            listed = read_foreign_list(path)
            if listed.problems:
                raise DataError(listed.problems[0].reason)
            texts = [
                (one.id or str(one.audio_filepath), one.text or "") for one in listed.utterances
            ]
        else:
            lines = without_numbers([*read_lines(path)])
            texts = [(f"line {number}", line) for number, line in enumerate(lines, 1)]
        check_texts(path, texts, normaliser_name)
        found = dict.fromkeys(word for _, text in texts for word in normalise(text).split())
        if not found:
            raise DataError(f"{path}: expected words to pronounce, got none")
        words.update(found)
    return list(words)

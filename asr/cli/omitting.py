"""What a normaliser takes out of training texts: counted, named, and refused if it is much."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from asr.cli.messages import tell
from asr.cli.numbers import add_percentage, part
from asr.errors import DataError, counted, shortened
from asr.text.markdown import visible
from asr.text.normalise import NORMALISERS, normaliser
from asr.text.omissions import Omissions, find_omissions
from asr.wer.score import Reference


def add_normaliser(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Declare --normaliser, of texts for a model that is not there yet."""
    parser.add_argument(
        "--normaliser",
        choices=sorted(NORMALISERS),
        default="librispeech-2",
        help=f"{help_text} (default: %(default)s)",
    )


def add_omission_limit(parser: argparse.ArgumentParser) -> None:
    """Declare --max-lost."""
    add_percentage(
        parser,
        "--max-lost",
        "refuse texts if the normaliser damages more than this share of their words",
        default=1,
    )


def check_omissions(
    manifest: Path,
    utterances: Iterable[Reference],
    normaliser_name: str,
    max_percent: float = 100.0,
) -> Omissions:
    """Say on stderr what the normaliser takes out of the texts of a manifest.

    Raises:
        DataError: It damages more words than `max_percent` of them.
    """
    texts = ((utterance.id, utterance.text or "") for utterance in utterances)
    return check_texts(manifest, texts, normaliser_name, max_percent)


def check_texts(
    source: Path,
    texts: Iterable[tuple[str, str]],
    normaliser_name: str,
    max_percent: float = 100.0,
) -> Omissions:
    """Say on stderr what the normaliser takes out of texts, each with its id or place.

    Raises:
        DataError: It damages more words than `max_percent` of them.
    """
    found = find_omissions(texts, normaliser(normaliser_name))
    if not found.n_damaged:
        return found
    message = visible(f"{source}: {_told(found, normaliser_name)}")
    if found.n_damaged > part(max_percent, found.n_words):
        raise DataError(
            f"{message}. More than {max_percent:g} % are refused: write numbers and signs out as "
            "words, as they were said, choose another normaliser, or raise --max-lost"
        )
    tell(message)
    return found


def _told(found: Omissions, normaliser_name: str) -> str:
    characters = [f"{_shown(character)} ({n})" for character, n in found.characters.items()]
    examples = [f"{word} ({name})" for name, word in found.examples]
    return (
        f"{normaliser_name} takes letters, digits or symbols from {found.n_damaged:,} of "
        f"{counted(found.n_words, 'word')} ({100 * found.share:.2f} %): "
        f"{shortened(characters, 10)}; as in {', '.join(examples)}"
    )


def _shown(character: str) -> str:
    """Show a character, or the number of one that has no width."""
    return character if character.isprintable() else f"U+{ord(character):04X}"

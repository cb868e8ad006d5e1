"""The search that a model comes with, in files of its directory.

search.toml    the settings, as of `BeamConfig`
words.lm       the language model, n-grams in binary form
lexicon.txt    the words, with their pronunciations; where the search goes by a lexicon
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from asr.config import read_tree
from asr.errors import DataError
from asr.lexicon.pronunciations import read_lexicon
from asr.lm.files import read_ngram, write_ngram
from asr.search.beam import BeamConfig
from asr.text.normalise import Normaliser

SEARCH_FILE = "search.toml"
LM_FILE = "words.lm"
LEXICON_FILE = "lexicon.txt"


@dataclass(frozen=True, slots=True)
class OwnSearch:
    """How a model is searched unless something else is asked for.

    Attributes:
        beam: Settings of the beam search.
        lm: File of its language model.
        lexicon: File of its words, if they are limited.
    """

    beam: BeamConfig
    lm: Path
    lexicon: Path | None = None


def read_own_search(folder: Path) -> OwnSearch | None:
    """Read the search of a model directory; None if it has none, and is searched greedily.

    Raises:
        ConfigError: The settings are not those of a beam search.
    """
    if not (folder / SEARCH_FILE).exists():
        return None
    lexicon = folder / LEXICON_FILE
    beam = read_tree(BeamConfig, folder / SEARCH_FILE)
    return OwnSearch(beam, folder / LM_FILE, lexicon if lexicon.exists() else None)


def write_own_search(folder: Path, search: OwnSearch, normalise: Normaliser) -> None:
    """Write a search into a model directory; of the lexicon, what the language model knows.

    The other words would hardly ever be found, and cost time whenever the model is loaded.

    Args:
        folder: The model directory.
        search: What to write.
        normalise: What the words of a lexicon go through.

    Raises:
        DataError: The language model or the lexicon cannot be read, or they share no word.
    """
    lm = read_ngram(search.lm)
    if search.lexicon:
        known = set(lm.vocabulary.words)
        entries = [
            " ".join([word, *units])
            for word, units in read_lexicon(search.lexicon, normalise)
            if word in known
        ]
        if not entries:
            raise DataError(f"{search.lm} knows none of the words of {search.lexicon}")
        (folder / LEXICON_FILE).write_text("\n".join([*entries, ""]), encoding="utf-8")
    write_ngram(folder / LM_FILE, lm)
    settings = tomli_w.dumps(dataclasses.asdict(search.beam))
    (folder / SEARCH_FILE).write_text(settings, encoding="utf-8")

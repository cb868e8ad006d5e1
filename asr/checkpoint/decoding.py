"""Decoding: the search that a model comes with, and the one that it gets when others are asked for.

Files of a model directory:

search.toml    the settings, as of `BeamConfig`
words.lm       the language model, n-grams in binary form
lexicon.txt    the words with their pronunciations, if the search goes by a lexicon
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import tomli_w

from asr.config import read_tree
from asr.errors import ConfigError, DataError
from asr.lexicon.read import read_lexicon
from asr.lm.files import read_ngram, write_ngram
from asr.search.beam import BeamConfig
from asr.text.normalise import Normaliser

SEARCH_FILE = "search.toml"
LM_FILE = "words.lm"
LEXICON_FILE = "lexicon.txt"

# What a beam search begins with, where a model has no default search; `asr tune` finds the weights.
PLAIN_BEAM: Mapping[str, float] = {"beam_size": 100, "beam_threshold": 14.0, "n_best": 1}
LM_WEIGHTS: Mapping[str, float] = {"lm_weight": 0.8, "word_score": 0.0, "unknown_score": -15.0}


@dataclass(frozen=True, slots=True)
class DefaultSearch:
    """How a model is searched unless something else is asked for.

    Attributes:
        beam: Settings of the beam search.
        lm: File of its language model.
        lexicon: File of its words, if they are limited.
    """

    beam: BeamConfig
    lm: Path
    lexicon: Path | None = None


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What a caller asks of a search; what is left open, the model decides.

    Attributes:
        kind: "greedy" or "beam"; None: the model's default search, of which the rest changes parts.
        settings: Fields of `BeamConfig`.
        lm: File of a language model.
        lexicon: File of the only words that can be recognised.
        hotwords: Phrases that score higher, each with its boost in nats.
    """

    kind: Literal["greedy", "beam"] | None = None
    settings: Mapping[str, float] = field(default_factory=dict)
    lm: Path | None = None
    lexicon: Path | None = None
    hotwords: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How to search, nothing left open.

    Attributes:
        beam: Settings of the beam search; None searches greedily.
        lm: File of the language model.
        lexicon: File of the words.
        hotwords: Phrases and their boosts.
    """

    beam: BeamConfig | None = None
    lm: Path | None = None
    lexicon: Path | None = None
    hotwords: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say in a few words how it searches, for tables."""
        if self.beam is None:
            return "greedy"
        parts = [f"beam {self.beam.beam_size}", f"threshold {self.beam.beam_threshold:g}"]
        if self.lexicon:
            parts.append(f"words of {self.lexicon.name}")
        if self.lm:
            parts.append(f"{self.lm.name} × {self.beam.lm_weight:g}")
        if self.beam.word_score:
            parts.append(f"word score {self.beam.word_score:g}")
        if self.lm and self.beam.unknown_score:
            parts.append(f"unknown score {self.beam.unknown_score:g}")
        if self.beam.prior_weight:
            parts.append(f"prior × {self.beam.prior_weight:g}")
        if self.hotwords:
            parts.append(f"{len(self.hotwords)} hotwords")
        return ", ".join(parts)


def plan_search(options: SearchOptions, default: DefaultSearch | None) -> SearchPlan:
    """Decide how to search a model: what is asked for, and for the rest what the model comes with.

    A language model or a lexicon of one's own takes the place of the model's; what is not replaced
    stays, and so do the default search's weights. A beam that is asked for without either uses
    none: `SearchOptions("beam")` searches the text head by its probabilities alone.

    Raises:
        ConfigError: Options do not go together, or a setting is out of its range.
    """
    asks_for_words = options.lm or options.lexicon
    asks_for_beam = asks_for_words or options.hotwords or options.settings
    if options.kind == "greedy":
        if asks_for_beam:
            raise ConfigError("a greedy search takes no beam settings, words or hotwords")
        return SearchPlan()
    if options.kind is None and default is None:
        if asks_for_beam:
            raise ConfigError(
                "the model has no default search to refine: ask for a beam search as well "
                "(--search beam)"
            )
        return SearchPlan()
    if default is None or (options.kind == "beam" and not asks_for_words):
        base, lm, lexicon = dict(PLAIN_BEAM), options.lm, options.lexicon
        if lm:
            base |= LM_WEIGHTS
        for name in ("lm_weight", "unknown_score"):
            if options.settings.get(name) and not lm:
                raise ConfigError(f"{name} needs a language model: give one (--lm)")
    else:
        base = asdict(default.beam)
        lm, lexicon = options.lm or default.lm, options.lexicon or default.lexicon
    beam = BeamConfig(**{**base, **options.settings})  # type: ignore[arg-type]
    return SearchPlan(beam, lm, lexicon, options.hotwords)


def read_default_search(folder: Path) -> DefaultSearch | None:
    """Read the default search of a model directory; None if it has none, and is searched greedily.

    Raises:
        ConfigError: The settings are not those of a beam search.
    """
    if not (folder / SEARCH_FILE).exists():
        return None
    lexicon = folder / LEXICON_FILE
    beam = read_tree(BeamConfig, folder / SEARCH_FILE)
    return DefaultSearch(beam, folder / LM_FILE, lexicon if lexicon.exists() else None)


def write_default_search(folder: Path, search: DefaultSearch, normalise: Normaliser) -> None:
    """Write a search into a model directory; of the lexicon, the words that the LM knows.

    The other words would hardly ever be found, and cost time whenever the model is loaded.

    Args:
        folder: The model directory.
        search: What to write.
        normalise: Applied to the words of the lexicon.

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
    (folder / SEARCH_FILE).write_text(tomli_w.dumps(asdict(search.beam)), encoding="utf-8")

"""Decoding: the default search of a model, and the one that a caller's options make of it.

Files of a model directory that has a default search:

search.toml    the settings of the beam, see `BeamConfig`
words.lm       the language model, n-grams in binary form
lexicon.txt    the words that can be recognised, if they are limited, with any pronunciations
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

# Settings of a beam search that has no others; `asr tune` finds better weights.
PLAIN_BEAM: Mapping[str, float] = {"beam_size": 100, "beam_threshold": 14.0, "n_best": 1}
LM_WEIGHTS: Mapping[str, float] = {"lm_weight": 0.8, "word_score": 0.0, "unknown_score": -15.0}


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What a caller wants of a search; the model's default search decides the rest.

    Attributes:
        kind: "greedy" or "beam"; None: the model's default search, changed by the other options.
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
    """How to search, in full; see `SearchOptions`. Without a beam, greedily."""

    beam: BeamConfig | None = None
    lm: Path | None = None
    lexicon: Path | None = None
    hotwords: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Describe the search briefly, for tables."""
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


def plan_search(options: SearchOptions, default: SearchPlan) -> SearchPlan:
    """Decide how to search a model, by a caller's options and the model's default search.

    A given language model or lexicon takes the place of the model's; the other one stays, and so do
    the default search's weights. A beam asked for without either uses neither:
    `SearchOptions("beam")` searches the text head by its probabilities alone.

    Raises:
        ConfigError: Options do not go together, or a setting is out of its range.
    """
    gives_words = options.lm or options.lexicon
    if options.kind == "greedy" or (options.kind is None and default.beam is None):
        if not (gives_words or options.hotwords or options.settings):
            return SearchPlan()
        if options.kind == "greedy":
            raise ConfigError("a greedy search takes no beam settings, words or hotwords")
        raise ConfigError(
            "the model has no default search to refine: ask for a beam search as well "
            "(--search beam)"
        )
    if default.beam is None or (options.kind == "beam" and not gives_words):
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


def read_default_search(folder: Path) -> SearchPlan:
    """Read the default search of a model directory; greedy, if it has no other.

    Raises:
        ConfigError: The settings are not those of a beam search.
    """
    if not (folder / SEARCH_FILE).exists():
        return SearchPlan()
    lexicon = folder / LEXICON_FILE
    beam = read_tree(BeamConfig, folder / SEARCH_FILE)
    return SearchPlan(beam, folder / LM_FILE, lexicon if lexicon.exists() else None)


def write_default_search(folder: Path, search: SearchPlan, normalise: Normaliser) -> None:
    """Write a default search into a model directory that is being made.

    Of the lexicon it writes only words that the language model knows. Others would hardly ever be
    found, and cost time whenever the model is loaded.

    Args:
        folder: The model directory.
        search: Greedy, or a beam search with a language model and without hotwords.
        normalise: Applied to the words of both.

    Raises:
        DataError: The language model or the lexicon cannot be read, or they share no word.
    """
    if search.beam is None:
        return
    assert search.lm is not None
    lm = read_ngram(search.lm).respelled(normalise)
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

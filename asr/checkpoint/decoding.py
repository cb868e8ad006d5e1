"""Decoding: the default search of a model, and the one that a caller's options make of it.

Files of a model directory that has a default search:

search.toml    the settings of the beam, see `BeamConfig`
words.lm       the language model, n-grams in compact binary form
lexicon.txt    the words that can be recognised, if they are limited, with any pronunciations
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from numbers import Real
from pathlib import Path
from typing import Literal, get_args, get_type_hints

import tomli_w

from asr.config import read_tree
from asr.errors import ConfigError, DataError, counted
from asr.files import write_text
from asr.lexicon.read import read_lexicon
from asr.lm.files import read_ngram, write_ngram
from asr.search.agreement import respelled
from asr.search.beam import BeamConfig
from asr.text.normalise import Normaliser

SEARCH_FILE = "search.toml"
LM_FILE = "words.lm"
LEXICON_FILE = "lexicon.txt"

Kind = Literal["greedy", "plain", "beam"]

# Settings of a beam search that has no others; `asr tune` finds better weights.
PLAIN_BEAM: Mapping[str, float] = {"beam_size": 100, "beam_threshold": 14.0, "n_best": 1}
LM_WEIGHTS: Mapping[str, float] = {"lm_weight": 0.8, "word_score": 0.0, "unknown_score": -15.0}


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What a caller wants of a search; the model's default search decides the rest.

    Attributes:
        kind: What the other options refine; see `plan_search`.
        settings: Fields of `BeamConfig` that differ.
        lm: File of a language model.
        lexicon: File of the only words that can be recognised.
        hotwords: Phrases that score higher, each with its boost in nats.
    """

    kind: Kind | None = None
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
            parts.append(counted(len(self.hotwords), "hotword"))
        return ", ".join(parts)


def plan_search(options: SearchOptions, default: SearchPlan) -> SearchPlan:
    """Refine a search by a caller's options: each replaces its part, and all else stays.

    The kind says what is refined:

    None      the model's default search
    "beam"    the same; for a model whose default is greedy, the plain beam search
    "plain"   a beam search without the model's words and weights
    "greedy"  a greedy search, which takes no other options

    A plain beam search that is given a language model gets `LM_WEIGHTS` with it.

    Raises:
        ConfigError: Options do not go together, or a setting is unknown or out of its range.
    """
    if options.kind not in (None, *get_args(Kind)):
        raise ConfigError(f"search must be one of {get_args(Kind)}, got {options.kind!r}")
    has_more = options.settings or options.lm or options.lexicon or options.hotwords
    if options.kind == "greedy" or (options.kind is None and default.beam is None):
        if not has_more:
            return SearchPlan()
        raise ConfigError(
            "a greedy search takes no beam settings, words or hotwords"
            if options.kind == "greedy"
            else "the model's default search is greedy and takes no beam settings, words or "
            'hotwords: ask for a beam search as well (--search beam; search="beam" in Python)'
        )
    base = default if default.beam and options.kind != "plain" else SearchPlan()
    lm, lexicon = options.lm or base.lm, options.lexicon or base.lexicon
    settings = asdict(base.beam) if base.beam else {**PLAIN_BEAM, **(LM_WEIGHTS if lm else {})}
    for name in options.settings:
        if name not in BeamConfig.__dataclass_fields__:
            known = ", ".join(BeamConfig.__dataclass_fields__)
            raise ConfigError(f"a beam search has no setting {name!r}, only {known}")
        if name in ("lm_weight", "unknown_score") and not lm:
            raise ConfigError(f"{name} needs a language model: give one (--lm)")
    given = {name: _setting(name, value) for name, value in options.settings.items()}
    beam = BeamConfig(**{**settings, **given})
    return SearchPlan(beam, lm, lexicon, options.hotwords)


def _setting(name: str, value: float) -> float:
    """Take any kind of number, numpy's too, as a setting's own: others would be compiled anew."""
    kind = get_type_hints(BeamConfig)[name]
    if not isinstance(value, Real) or (kind is int and not float(value).is_integer()):
        told = "whole number" if kind is int else "number"
        raise ConfigError(f"{name} must be a {told}, got {value!r}")
    number: float = kind(value)
    return number


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
    lm = respelled(search.lm, read_ngram(search.lm), normalise)
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
    write_ngram(folder / LM_FILE, lm, is_compact=True)
    write_settings(folder, search.beam)


def write_settings(folder: Path, beam: BeamConfig) -> None:
    """Write the settings of a model directory's default search."""
    write_text(folder / SEARCH_FILE, tomli_w.dumps(asdict(beam)))

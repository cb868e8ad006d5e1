"""Prefix beam: the loop that hears a frame and makes the best prefixes out of those before it.

A prefix is what a path through the frames spells so far. Many paths spell the same prefix, and the
beam carries the sum of their probabilities in two parts, by whether a path ends in a blank or in
the last token: only behind a blank is that token, heard once more, a new one.

    prefix `ab`       next: blank      next: b       next: c
    ends in blank     `ab`, blank      `abb`, b      `abc`, c
    ends in b         `ab`, blank      `ab`, b       `abc`, c

What counts beside the emission (words by a language model, their number, hotwords) multiplies the
probability by a factor when the word or phrase is complete. What an unfinished one may become is
its outlook: it decides which prefixes stay in the beam, and is no part of their score.

All are products of probabilities, not sums of logarithms, so that the loop computes neither
exponentials nor logarithms. After each frame the best prefix is scaled to 1: nothing underflows
that the beam could have kept.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.search.compiled import compiled
from asr.search.hotwords import BOUNDARY, Hotwords
from asr.search.ngram import END, UNKNOWN, NGram, word_log_prob
from asr.search.pool import Pool, keep_best
from asr.search.prefix_tree import NONE, UNLISTED, PrefixTree, add_prefix, clear_out, find_prefix

Numbers = NDArray[np.int64]
Factors = NDArray[np.float64]


class Settings(NamedTuple):
    """Numbers that the loop goes by; weights and scores in nats.

    Attributes:
        blank: Token id.
        beam_size: Prefixes kept.
        least_share: Of the best prefix's value, what others must exceed.
        lm_weight: See `BeamConfig`.
        word_score: .
        unknown_score: .
        greatest_gain: The most by which a token inside a word raises the outlook, as a factor.
        greatest_start: The greatest outlook behind a word's first token.
        greatest_ending: The most that the end of a word can be worth.
    """

    blank: int
    beam_size: int
    least_share: float
    lm_weight: float
    word_score: float
    unknown_score: float
    greatest_gain: float
    greatest_start: float
    greatest_ending: float


class Words(NamedTuple):
    """What can be said: a lexicon, and what it means to tokens and to the language model.

    Attributes:
        first_arc: (M + 1,) int32, see `Lexicon`, as for the next three.
        arc_token: (A,) int32.
        arc_target: (A,) int32.
        word: (M,) int32.
        number: (W,) int32, the language model's number of each word of the lexicon.
        outlook: (M,) float64, the best that each node can become, as a factor; 1 at node 0.
        unlisted: The node of all that the lexicon lacks, without arcs; none if that is not allowed.
        begins_word: (V,) bool, which tokens end a word and begin another.
        ends_anywhere: Whether a word can end before any token, as there are none that begin one.
    """

    first_arc: NDArray[np.int32]
    arc_token: NDArray[np.int32]
    arc_target: NDArray[np.int32]
    word: NDArray[np.int32]
    number: NDArray[np.int32]
    outlook: Factors
    unlisted: int
    begins_word: NDArray[np.bool_]
    ends_anywhere: bool


class Beam(NamedTuple):
    """Prefixes, and the probability of the paths that end in a blank and in the last token.

    Attributes:
        prefix: (beam_size,) row in the tree.
        in_blank: (beam_size,)
        in_token: (beam_size,)
        n: (1,) places taken.
        log_scale: (1,) log of what the probabilities are to be multiplied by.
    """

    prefix: Numbers
    in_blank: Factors
    in_token: Factors
    n: Numbers
    log_scale: Factors


def make_beam(size: int) -> Beam:
    """Hold the empty prefix, which all paths spell before the first frame."""
    beam = Beam(
        np.zeros(size, np.int64), np.zeros(size), np.zeros(size), np.ones(1, np.int64), np.zeros(1)
    )
    beam.in_blank[0] = 1.0
    return beam


class Source(NamedTuple):
    """A prefix about to be extended, as it is or behind a word that has just ended."""

    prefix: int
    in_blank: float
    total: float
    spelled: int
    ended: int
    context: int
    phrase: int
    factor: float
    bound: float  # what a child's value cannot exceed, but for the token's probability


@compiled
def hear(
    probs: Factors,
    frame: int,
    beam: Beam,
    tree: PrefixTree,
    pool: Pool,
    words: Words,
    ngram: NGram,
    hotwords: Hotwords,
    settings: Settings,
    tokens: Numbers,
) -> int:
    """Hear one frame after the other, until all are heard or the tree has no room for more.

    Args:
        probs: (T, V), each row sums to one.
        frame: Where to begin.
        beam: The prefixes so far; empty in the end if nothing that can be said is possible.
        tree: All prefixes.
        pool: Room for candidates.
        words: What can be said.
        ngram: The language model; without nodes if there is none.
        hotwords: The phrases; one state if there are none.
        settings: The rest.
        tokens: (2, V) room for the tokens that matter in a frame.

    Returns:
        The frame to go on with.
    """
    while frame < len(probs) and beam.n[0] > 0:
        if tree.n[0] + pool.size > len(tree.parent):
            clear_out(tree, beam.prefix[: beam.n[0]])
            if 2 * (tree.n[0] + pool.size) > len(tree.parent):
                break
        _advance(probs[frame], beam, tree, pool, words, ngram, hotwords, settings, tokens)
        frame += 1
    return frame


@compiled
def _advance(
    frame: Factors,
    beam: Beam,
    tree: PrefixTree,
    pool: Pool,
    words: Words,
    ngram: NGram,
    hotwords: Hotwords,
    settings: Settings,
    tokens: Numbers,
) -> None:
    """Hear one frame, (V,)."""
    greatest = _stay(frame, beam, tree, pool, settings)
    n_inside, n_first = _promising_tokens(frame, words, pool.cutoff[0], greatest, settings, tokens)
    for place in range(beam.n[0]):
        inside = _unfinished(beam, place, tree, settings)
        _extend(inside, frame, tokens[0, :n_inside], tree, words, hotwords, pool)
        if n_first:
            top = settings.greatest_start * frame[tokens[1, 0]]
            behind = _ended(beam, place, tree, words, ngram, hotwords, settings, top, pool)
            _extend(behind, frame, tokens[1, :n_first], tree, words, hotwords, pool)
    keep_best(pool)
    _settle(beam, tree, pool)


@compiled
def _stay(frame: Factors, beam: Beam, tree: PrefixTree, pool: Pool, settings: Settings) -> float:
    """Let every prefix of the beam hear a blank, its last token once more, or become another.

    Fills the pool anew, and returns the greatest probability before the frame.
    """
    best, least, greatest = 0.0, np.inf, 0.0
    for place in range(beam.n[0]):
        prefix = beam.prefix[place]
        token, parent = tree.token[prefix], tree.parent[prefix]
        total = beam.in_blank[place] + beam.in_token[place]
        greatest = max(greatest, total)
        in_blank = total * frame[settings.blank]
        in_token = beam.in_token[place]
        if parent != NONE and tree.place[parent] != NONE:
            other = tree.place[parent]
            heard = beam.in_blank[other]
            if tree.token[parent] != token:
                heard += beam.in_token[other]
            in_token += heard * tree.factor[prefix]
        in_token *= frame[token]
        pool.prefix[place] = prefix
        pool.in_blank[place], pool.in_token[place] = in_blank, in_token
        pool.value[place] = (in_blank + in_token) * tree.outlook[prefix]
        best, least = max(best, pool.value[place]), min(least, pool.value[place])
    pool.n[0] = beam.n[0]
    pool.best[0] = best
    pool.cutoff[0] = best * pool.least_share
    if pool.n[0] == pool.size:
        pool.cutoff[0] = max(pool.cutoff[0], least)
    return greatest


@compiled
def _promising_tokens(
    frame: Factors,
    words: Words,
    cutoff: float,
    greatest: float,
    settings: Settings,
    tokens: Numbers,
) -> tuple[int, int]:
    """Find the tokens that can lead past the cutoff, most probable first.

    Writes those inside a word into the first row of `tokens`, those that begin one into the second.
    """
    inside_least = cutoff / settings.greatest_gain
    first_least = cutoff / (greatest * settings.greatest_ending * settings.greatest_start)
    n_inside, n_first = 0, 0
    for token in range(len(frame)):
        if token != settings.blank:
            is_first = words.begins_word[token]
            if not is_first and frame[token] > inside_least:
                n_inside = _insert(frame, tokens[0], n_inside, token)
            if (is_first or words.ends_anywhere) and frame[token] > first_least:
                n_first = _insert(frame, tokens[1], n_first, token)
    return n_inside, n_first


@compiled
def _insert(frame: Factors, tokens: Numbers, n: int, token: int) -> int:
    """Put a token where its probability belongs, behind its equals."""
    i = n
    while i > 0 and frame[tokens[i - 1]] < frame[token]:
        tokens[i] = tokens[i - 1]
        i -= 1
    tokens[i] = token
    return n + 1


@compiled
def _unfinished(beam: Beam, place: int, tree: PrefixTree, settings: Settings) -> Source:
    """Take a prefix as it is, to go on with its last word."""
    prefix = beam.prefix[place]
    total = beam.in_blank[place] + beam.in_token[place]
    return Source(
        prefix,
        beam.in_blank[place],
        total,
        tree.spelled[prefix],
        NONE,
        tree.context[prefix],
        tree.phrase[prefix],
        1.0,
        total * tree.outlook[prefix] * settings.greatest_gain,
    )


@compiled
def _ended(
    beam: Beam,
    place: int,
    tree: PrefixTree,
    words: Words,
    ngram: NGram,
    hotwords: Hotwords,
    settings: Settings,
    top: float,
    pool: Pool,
) -> Source:
    """Take a prefix behind its last word, if that can end and lead past the cutoff."""
    prefix = beam.prefix[place]
    total = beam.in_blank[place] + beam.in_token[place]
    spelled, phrase = tree.spelled[prefix], tree.phrase[prefix]
    factor, ended, context, bound = 1.0, NONE, tree.context[prefix], 0.0
    is_useful = total * settings.greatest_ending * top > pool.cutoff[0]
    if is_useful and (spelled != 0 or not words.ends_anywhere):
        end_word(tree, prefix, words, ngram, settings)
        factor, context = tree.ending[prefix], tree.context_behind[prefix]
        if spelled != 0:
            ended = int(words.word[spelled])
            if ended == NONE:
                ended = UNLISTED
            phrase = int(hotwords.next_state[phrase, BOUNDARY])
            factor *= hotwords.boost[phrase]
        bound = total * factor * settings.greatest_start * hotwords.promise[phrase]
    return Source(
        prefix, beam.in_blank[place], total, 0, ended, context, phrase, factor, bound
    )


@compiled
def end_word(
    tree: PrefixTree, prefix: int, words: Words, ngram: NGram, settings: Settings
) -> None:
    """Work out what it is worth to end a prefix's last word, once: 0 if it cannot end."""
    if not np.isnan(tree.ending[prefix]):
        return
    spelled, context = tree.spelled[prefix], tree.context[prefix]
    tree.context_behind[prefix] = context
    if spelled == 0:
        tree.ending[prefix] = 1.0
    elif words.word[spelled] == NONE and words.unlisted == NONE:
        tree.ending[prefix] = 0.0
    else:
        word = int(words.word[spelled])
        number = UNKNOWN
        if word != NONE:
            number = int(words.number[word])
        score = settings.word_score
        if number == UNKNOWN:
            score += settings.unknown_score
        if len(ngram.words):
            log_prob, context = word_log_prob(ngram, context, number)
            score += settings.lm_weight * log_prob
            tree.context_behind[prefix] = context
        tree.ending[prefix] = np.exp(score)


@compiled
def _extend(
    source: Source,
    frame: Factors,
    tokens: Numbers,
    tree: PrefixTree,
    words: Words,
    hotwords: Hotwords,
    pool: Pool,
) -> None:
    """Offer a prefix with each of some tokens, most probable first, while that can be of use."""
    for token in tokens:
        if source.bound * frame[token] <= pool.cutoff[0]:
            break
        heard = source.in_blank if token == tree.token[source.prefix] else source.total
        probability = heard * source.factor * frame[token]
        phrase = source.phrase
        for i in range(hotwords.first_unit[token], hotwords.first_unit[token + 1]):
            phrase = int(hotwords.next_state[phrase, hotwords.token_units[i]])
        promise = hotwords.promise[phrase]
        arc, stop = _arcs(words, source.spelled, token)
        if arc == stop and words.unlisted != NONE:
            outlook = words.outlook[words.unlisted] * promise
            _offer(source, token, words.unlisted, phrase, probability, outlook, tree, pool)
        for i in range(arc, stop):
            target = int(words.arc_target[i])
            outlook = words.outlook[target] * promise
            _offer(source, token, target, phrase, probability, outlook, tree, pool)


@compiled
def _arcs(words: Words, node: int, token: int) -> tuple[int, int]:
    """Find a node's arcs along a token, by bisection: the first, and the one behind the last."""
    low, end = int(words.first_arc[node]), int(words.first_arc[node + 1])
    high = end
    while low < high:
        middle = (low + high) // 2
        if words.arc_token[middle] < token:
            low = middle + 1
        else:
            high = middle
    while high < end and words.arc_token[high] == token:
        high += 1
    return low, high


@compiled
def _offer(
    source: Source,
    token: int,
    spelled: int,
    phrase: int,
    probability: float,
    outlook: float,
    tree: PrefixTree,
    pool: Pool,
) -> None:
    """Put a longer prefix into the pool, unless it is of no use or is in the beam, so there."""
    value = probability * outlook
    if value <= pool.cutoff[0]:
        return
    prefix = find_prefix(tree, source.prefix, token, spelled)
    if prefix != NONE and tree.place[prefix] != NONE:
        return
    if pool.n[0] == len(pool.value):
        keep_best(pool)
    i = pool.n[0]
    pool.n[0] += 1
    pool.value[i] = value
    pool.in_blank[i], pool.in_token[i] = 0.0, probability
    pool.prefix[i], pool.parent[i], pool.token[i] = prefix, source.prefix, token
    pool.spelled[i], pool.ended[i] = spelled, source.ended
    pool.context[i], pool.phrase[i] = source.context, phrase
    pool.factor[i], pool.outlook[i] = source.factor, outlook
    if value > pool.best[0]:
        pool.best[0] = value
        pool.cutoff[0] = max(pool.cutoff[0], value * pool.least_share)


@compiled
def _settle(beam: Beam, tree: PrefixTree, pool: Pool) -> None:
    """Make what is left in the pool the next beam, its best value 1; give new prefixes rows."""
    for place in range(beam.n[0]):
        tree.place[beam.prefix[place]] = NONE
    beam.n[0] = pool.n[0]
    scale = 1.0 / pool.best[0]
    beam.log_scale[0] -= np.log(scale)
    for place in range(beam.n[0]):
        prefix = pool.prefix[place]
        if prefix == NONE:
            prefix = add_prefix(tree, pool.parent[place])
            tree.token[prefix], tree.spelled[prefix] = pool.token[place], pool.spelled[place]
            tree.ended[prefix] = pool.ended[place]
            tree.context[prefix], tree.phrase[prefix] = pool.context[place], pool.phrase[place]
            tree.factor[prefix], tree.outlook[prefix] = pool.factor[place], pool.outlook[place]
            tree.ending[prefix] = np.nan
        tree.place[prefix] = place
        beam.prefix[place] = prefix
        beam.in_blank[place] = pool.in_blank[place] * scale
        beam.in_token[place] = pool.in_token[place] * scale


@compiled
def finish(
    beam: Beam,
    tree: PrefixTree,
    words: Words,
    ngram: NGram,
    hotwords: Hotwords,
    settings: Settings,
    scores: Factors,
) -> None:
    """End the last words and the utterance: logs of what that is worth, -inf if impossible."""
    for place in range(beam.n[0]):
        prefix = beam.prefix[place]
        end_word(tree, prefix, words, ngram, settings)
        scores[place] = np.log(tree.ending[prefix])
        if tree.spelled[prefix] != 0:
            phrase = int(hotwords.next_state[tree.phrase[prefix], BOUNDARY])
            scores[place] += np.log(hotwords.boost[phrase])
        if len(ngram.words):
            log_prob, _ = word_log_prob(ngram, tree.context_behind[prefix], END)
            scores[place] += settings.lm_weight * log_prob

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

from typing import Any

import numpy as np

from asr.compiled import compiled
from asr.lm.backoff import word_log_prob
from asr.lm.vocabulary import END_ID, UNKNOWN_ID
from asr.search.hotwords import BOUNDARY, hear_token
from asr.search.pool import keep_best
from asr.search.prefix_tree import NONE, UNLISTED, add_prefix, clear_out, find_prefix
from asr.search.state import Factors, Knowledge, Numbers, Rows, Search, Settings, Source


@compiled
def hear(probs: Factors, search: Search, known: Knowledge) -> bool:
    """Hear one frame after the other.

    Args:
        probs: (T, V), each row sums to one.
        search: Where to begin; its beam is empty in the end if nothing possible can be said.
        known: What is known beside the emission.

    Returns:
        Whether all has been heard; otherwise the tree has no room for more.
    """
    progress, size = search.progress[0], search.stand[0].size
    while progress.frame < len(probs) and progress.n_places > 0:
        if progress.n_rows + size > len(search.tree):
            progress.n_rows = clear_out(
                search.tree, progress.n_rows, search.beam, progress.n_places
            )
            if 2 * (progress.n_rows + size) > len(search.tree):
                return False
        _advance(probs[progress.frame], search, known)
        progress.frame += 1
    return True


@compiled
def _advance(frame: Factors, search: Search, known: Knowledge) -> None:
    """Hear one frame, (V,)."""
    stand, settings = search.stand[0], known.settings
    greatest = _stay(frame, search, settings.blank)
    n_inside, n_first = _promising_tokens(frame, search, known, greatest)
    inside, first = search.tokens[0, :n_inside], search.tokens[1, :n_first]
    for place in range(search.progress[0].n_places):
        _extend(_unfinished(place, search, settings), inside, frame, search, known)
        if n_first:
            total = search.beam[place].in_blank + search.beam[place].in_token
            most = total * settings.greatest_ending * settings.greatest_start
            if most * frame[first[0]] > stand.cutoff:
                _extend(_behind_word(place, search, known), first, frame, search, known)
    keep_best(search.pool, stand, search.scratch)
    _settle(search)


@compiled
def _stay(frame: Factors, search: Search, blank: int) -> float:
    """Let every prefix of the beam hear a blank, its last token once more, or become another.

    Fills the pool anew, and returns the greatest probability before the frame.
    """
    beam, tree, stand = search.beam, search.tree, search.stand[0]
    best, least, greatest = 0.0, np.inf, 0.0
    for place in range(search.progress[0].n_places):
        here = beam[place]
        row = tree[here.prefix]
        total = here.in_blank + here.in_token
        in_token = here.in_token
        if row.parent != NONE and tree[row.parent].place != NONE:
            other = beam[tree[row.parent].place]
            heard = other.in_blank
            if tree[row.parent].token != row.token:
                heard += other.in_token
            in_token += heard * row.factor
        candidate = search.pool[place]
        candidate.prefix = here.prefix
        candidate.in_blank = total * frame[blank]
        candidate.in_token = in_token * frame[row.token]
        candidate.value = (candidate.in_blank + candidate.in_token) * row.outlook
        best, least = max(best, candidate.value), min(least, candidate.value)
        greatest = max(greatest, total)
    stand.n = search.progress[0].n_places
    stand.best, stand.cutoff = best, best * stand.least_share
    if stand.n == stand.size:
        stand.cutoff = max(stand.cutoff, least)
    return greatest


@compiled
def _promising_tokens(
    frame: Factors, search: Search, known: Knowledge, greatest: float
) -> tuple[int, int]:
    """Find the tokens that can lead past the cutoff, most probable first, and count them."""
    settings, cutoff = known.settings, search.stand[0].cutoff
    inside_least = cutoff / settings.greatest_gain
    first_least = cutoff / (greatest * settings.greatest_ending * settings.greatest_start)
    n_inside, n_first = 0, 0
    for token in range(len(frame)):
        if token != settings.blank:
            begins_word = known.begins_word[token]
            if not begins_word and frame[token] > inside_least:
                n_inside = _insert(frame, search.tokens[0], n_inside, token)
            if (begins_word or settings.ends_anywhere) and frame[token] > first_least:
                n_first = _insert(frame, search.tokens[1], n_first, token)
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
def _unfinished(place: int, search: Search, settings: Settings) -> Source:
    """Take a prefix as it is, to go on with its last word."""
    here = search.beam[place]
    row = search.tree[here.prefix]
    total = here.in_blank + here.in_token
    return Source(
        prefix=here.prefix,
        last=row.token,
        is_behind=False,
        in_blank=here.in_blank,
        total=total,
        spelled=row.spelled,
        ended=NONE,
        context=row.context,
        phrase=row.phrase,
        factor=1.0,
        bound=total * row.outlook * settings.greatest_gain,
    )


@compiled
def _behind_word(place: int, search: Search, known: Knowledge) -> Source:
    """Take a prefix behind its last word; its bound is 0 if that cannot end."""
    here = search.beam[place]
    row = search.tree[here.prefix]
    total = here.in_blank + here.in_token
    end_word(row, known)
    factor, phrase, ended = row.ending, row.phrase, NONE
    if row.spelled != 0:
        ended = int(known.nodes[row.spelled].word)
        ended = UNLISTED if ended == NONE else ended
        phrase = int(known.hotwords.next_state[phrase, BOUNDARY])
        factor *= known.hotwords.boost[phrase]
    elif known.settings.ends_anywhere:
        factor = 0.0  # to go on without a word is what _unfinished does
    return Source(
        prefix=here.prefix,
        last=row.token,
        is_behind=True,
        in_blank=here.in_blank,
        total=total,
        spelled=0,
        ended=ended,
        context=row.context_behind,
        phrase=phrase,
        factor=factor,
        bound=total * factor * known.settings.greatest_start * known.hotwords.promise[phrase],
    )


@compiled
def end_word(row: Any, known: Knowledge) -> None:  # noqa: ANN401 (a record)
    """Work out what it is worth to end a prefix's last word, once: 0 if it cannot end."""
    if not np.isnan(row.ending):
        return
    settings, word = known.settings, int(known.nodes[row.spelled].word)
    row.context_behind = row.context
    if row.spelled == 0:
        row.ending = 1.0
    elif word == NONE and settings.unlisted == NONE:
        row.ending = 0.0
    else:
        number = int(known.number[word]) if word != NONE else UNKNOWN_ID
        score = settings.word_score
        if number == UNKNOWN_ID:
            score += settings.unknown_score
        if settings.has_ngram:
            log_prob, row.context_behind = word_log_prob(known.ngram, row.context, number)
            score += settings.lm_weight * log_prob
        row.ending = np.exp(score)


@compiled
def _extend(
    source: Source, tokens: Numbers, frame: Factors, search: Search, known: Knowledge
) -> None:
    """Offer a prefix with each of some tokens, most probable first, while that can be of use."""
    settings, arcs, stand = known.settings, known.arcs, search.stand[0]
    first = int(known.nodes[source.spelled].first_arc)
    stop = int(known.nodes[source.spelled + 1].first_arc)
    for token in tokens:
        if source.bound * frame[token] <= stand.cutoff:
            break
        arc = _first_arc(arcs, token, first, stop)
        if settings.unlisted != NONE and (arc == stop or arcs[arc].token != token):
            _offer(source, token, settings.unlisted, frame, search, known)
        while arc < stop and arcs[arc].token == token:
            _offer(source, token, int(arcs[arc].target), frame, search, known)
            arc += 1


@compiled
def _first_arc(arcs: Rows, token: int, low: int, high: int) -> int:
    """Find the first of some arcs whose token is not below a given one, by bisection."""
    while low < high:
        middle = (low + high) // 2
        if arcs[middle].token < token:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _offer(
    source: Source, token: int, spelled: int, frame: Factors, search: Search, known: Knowledge
) -> None:
    """Put a longer prefix into the pool, unless it is of no use or is in the beam, so there."""
    stand, tree = search.stand[0], search.tree
    probability = source.in_blank if token == source.last else source.total
    probability *= source.factor * frame[token]
    outlook, phrase = known.nodes[spelled].outlook, source.phrase
    if known.settings.has_hotwords:
        phrase = hear_token(known.hotwords, phrase, token)
        outlook *= known.hotwords.promise[phrase]
    value = probability * outlook
    if value <= stand.cutoff:
        return
    prefix = find_prefix(tree, source.prefix, token, spelled)
    if prefix != NONE and tree[prefix].place != NONE:
        return
    if stand.n == len(search.pool):
        keep_best(search.pool, stand, search.scratch)
    candidate = search.pool[stand.n]
    stand.n += 1
    candidate.value, candidate.in_blank, candidate.in_token = value, 0.0, probability
    candidate.prefix, candidate.parent, candidate.token = prefix, source.prefix, token
    candidate.spelled, candidate.ended = spelled, source.ended
    candidate.context, candidate.phrase = source.context, phrase
    candidate.factor, candidate.outlook = source.factor, outlook
    if value > stand.best:
        stand.best = value
        stand.cutoff = max(stand.cutoff, value * stand.least_share)


@compiled
def _settle(search: Search) -> None:
    """Make what is left in the pool the next beam, its best value 1; give new prefixes rows."""
    progress, beam, tree = search.progress[0], search.beam, search.tree
    for place in range(progress.n_places):
        tree[beam[place].prefix].place = NONE
    progress.n_places = search.stand[0].n
    scale = 1.0 / search.stand[0].best
    progress.log_scale -= np.log(scale)
    for place in range(progress.n_places):
        candidate = search.pool[place]
        if candidate.prefix == NONE:
            candidate.prefix = progress.n_rows
            progress.n_rows += 1
            add_prefix(tree, candidate.parent, candidate.prefix)
            row = tree[candidate.prefix]
            row.token, row.spelled, row.ended = candidate.token, candidate.spelled, candidate.ended
            row.context, row.phrase = candidate.context, candidate.phrase
            row.factor, row.outlook, row.ending = candidate.factor, candidate.outlook, np.nan
        tree[candidate.prefix].place = place
        here = beam[place]
        here.prefix = candidate.prefix
        here.in_blank, here.in_token = candidate.in_blank * scale, candidate.in_token * scale


@compiled
def finish(search: Search, known: Knowledge, scores: Factors) -> None:
    """End the last words and the utterance: logs of what that is worth, -inf if impossible."""
    hotwords, settings = known.hotwords, known.settings
    for place in range(search.progress[0].n_places):
        row = search.tree[search.beam[place].prefix]
        end_word(row, known)
        scores[place] = np.log(row.ending)
        if row.spelled != 0:
            scores[place] += np.log(hotwords.boost[hotwords.next_state[row.phrase, BOUNDARY]])
        if settings.has_ngram:
            log_prob, _ = word_log_prob(known.ngram, row.context_behind, END_ID)
            scores[place] += settings.lm_weight * log_prob

"""Prefix beam: the loop that makes the best prefixes after a frame out of those before it.

A prefix is what a path through the frames spells so far. Many paths spell the same prefix. The beam
holds the sum of their probabilities in two parts, by whether a path ends in a blank or in the last
token, since the same token again is a new one only after a blank:

    prefix `ab`       next: blank      next: b       next: c
    ends in blank     `ab`, blank      `abb`, b      `abc`, c
    ends in b         `ab`, blank      `ab`, b       `abc`, c

Where the boundary between words is a token of its own, the same text would have many prefixes:
`a`, `▁a`, `▁▁a`. So a boundary adds nothing to a prefix that ends in one, nor to the empty prefix,
not even after a blank. `a▁` joins `a` at the end of the utterance.

A complete word multiplies the probability by a factor, from the language model and the score per
word; so does a complete hotword. Until then, a prefix is ranked by its probability times its
look-ahead: the best factor that its unfinished word can still earn. That is no part of its score.

A frame takes three steps. `_keep_prefixes` starts the pool of candidates with the present prefixes.
`_extend` adds longer ones: `_within_word` along the lexicon, `_after_word` with the next word's
first token. Tokens that cannot lift a prefix over the cutoff, the least value that still gets into
the beam, are skipped; `gains` has a bound for each.
`_update_beam` makes the best candidates the next beam.

Sums over paths are kept as probabilities, not logarithms. After each frame the best prefix is
scaled to 1; whatever underflows then is far below what the beam keeps.
"""

from typing import Any

import numpy as np

from asr.compiled import compiled
from asr.lm.backoff import word_log_prob
from asr.lm.vocabulary import END_ID, UNKNOWN_ID
from asr.search.emission import BLANK
from asr.search.hotwords import BOUNDARY, follow_token
from asr.search.pool import prune
from asr.search.prefix_tree import OOV, add_prefix, compact, find_prefix
from asr.search.records import NONE, Factors, Records
from asr.search.state import BeamState, Graph, Settings, Source

INSIDE, FIRST = 0, 1  # places of a token: inside a word, at the beginning of one
FEW_ARCS = 36  # so many are tried in turn sooner than active tokens are found among them


@compiled
def advance(probs: Factors, state: BeamState, graph: Graph) -> bool:
    """Advance from where the search stands through all frames, (T, V), or until the tree is full.

    Returns:
        Whether all frames are done. If nothing is possible, the beam is empty then.
    """
    progress, size = state.progress[0], state.status[0].beam_size
    while progress.frame < len(probs) and progress.n_active > 0:
        if progress.n_rows + size > len(state.tree):
            active: Any = state.beam[: progress.n_active]
            progress.n_rows = compact(state.tree, progress.n_rows, active)
            if 2 * (progress.n_rows + size) > len(state.tree):
                return False
        _advance_frame(probs[progress.frame], state, graph)
        progress.frame += 1
    return True


@compiled
def _advance_frame(frame: Factors, state: BeamState, graph: Graph) -> None:
    """Advance through one frame, (V,)."""
    status, settings = state.status[0], graph.settings
    max_prob = _keep_prefixes(frame, state, settings)
    n_inside = _active_tokens(frame, INSIDE, status.cutoff, state, graph)
    n_first = _active_tokens(
        frame, FIRST, status.cutoff / (max_prob * settings.max_end), state, graph
    )
    for slot in range(state.progress[0].n_active):
        _extend(_within_word(slot, state), INSIDE, n_inside, state, graph)
        if n_first:
            total = state.beam[slot].in_blank + state.beam[slot].in_token
            if total * settings.max_end * state.reach[FIRST, 0] > status.cutoff:
                # else spare the language model's work
                _extend(_after_word(slot, state, graph), FIRST, n_first, state, graph)
    prune(state.pool, state.status, state.scratch, state.table)
    _update_beam(state)


@compiled
def _keep_prefixes(frame: Factors, state: BeamState, settings: Settings) -> float:
    """Start the pool with the prefixes of the beam, after a blank or their last token again.

    A prefix whose parent is in the beam too gets the parent's paths that continue with its last
    token. Returns the greatest probability of a prefix before the frame.
    """
    beam, tree, status = state.beam, state.tree, state.status[0]
    best, least, max_prob = 0.0, np.inf, 0.0
    for slot in range(state.progress[0].n_active):
        here = beam[slot]
        row = tree[here.prefix]
        total, in_token = here.in_blank + here.in_token, here.in_token
        if row.token == settings.boundary:
            in_token = total
        if row.parent != NONE and tree[row.parent].slot != NONE:
            parent = beam[tree[row.parent].slot]
            arriving = parent.in_blank
            if tree[row.parent].token != row.token:
                arriving += parent.in_token
            in_token += arriving * row.factor
        candidate = state.pool[slot]
        candidate.prefix = here.prefix
        candidate.token, candidate.node = row.token, row.node
        candidate.lm_state, candidate.hotword_state = row.lm_state, row.hotword_state
        candidate.in_blank = total * frame[BLANK]
        candidate.in_token = in_token * frame[row.token]
        candidate.value = (candidate.in_blank + candidate.in_token) * row.look_ahead
        best, least = max(best, candidate.value), min(least, candidate.value)
        max_prob = max(max_prob, total)
    status.n = state.progress[0].n_active
    status.best, status.cutoff = best, best * status.min_share
    if status.n == status.beam_size:
        status.cutoff = max(status.cutoff, least)
    return max_prob


@compiled
def _active_tokens(frame: Factors, place: int, least: float, state: BeamState, graph: Graph) -> int:
    """List a place's tokens whose reach exceeds a least one, greatest first, and count them.

    The reach of a token is its probability times its gain. Equals stay in order.
    """
    tokens, reach, probs, n = state.tokens[place], state.reach[place], state.probs[place], 0
    for token in range(len(frame)):
        its_reach = frame[token] * graph.gains[place, token]
        probs[token] = 0.0
        if its_reach > least:
            probs[token] = frame[token]
            i = n
            while i > 0 and reach[i - 1] < its_reach:
                tokens[i], reach[i] = tokens[i - 1], reach[i - 1]
                i -= 1
            tokens[i], reach[i] = token, its_reach
            n += 1
    return n


@compiled
def _within_word(slot: int, state: BeamState) -> Source:
    """Prepare to extend a prefix within its last word."""
    here = state.beam[slot]
    row = state.tree[here.prefix]
    total = here.in_blank + here.in_token
    return Source(
        prefix=here.prefix,
        last=row.token,
        in_blank=here.in_blank,
        total=total,
        node=row.node,
        ended_word=NONE,
        lm_state=row.lm_state,
        hotword_state=row.hotword_state,
        factor=1.0,
        bound=total * row.look_ahead,
    )


@compiled
def _after_word(slot: int, state: BeamState, graph: Graph) -> Source:
    """Prepare to extend a prefix after its last word; the bound is 0 if that cannot end."""
    here = state.beam[slot]
    row = state.tree[here.prefix]
    total = here.in_blank + here.in_token
    _end_word(row, graph)
    factor, hotword_state, ended_word = row.end_factor, row.hotword_state, NONE
    if row.node != 0:
        word = int(graph.nodes[row.node].word)
        ended_word = word if word != NONE else OOV
        hotword_state = int(graph.hotwords.next_state[hotword_state, BOUNDARY])
        factor *= graph.hotwords.boost[hotword_state]
    elif graph.settings.words_end_anywhere:
        factor = 0.0  # without a last word, `_within_word` does the same
    return Source(
        prefix=here.prefix,
        last=row.token,
        in_blank=here.in_blank,
        total=total,
        node=0,
        ended_word=ended_word,
        lm_state=row.next_lm_state,
        hotword_state=hotword_state,
        factor=factor,
        bound=total * factor * graph.hotwords.look_ahead[hotword_state],
    )


@compiled
def _end_word(row: Any, graph: Graph) -> None:  # noqa: ANN401 (a record)
    """Compute, once, the factor for ending a prefix's last word: 0 if it cannot end."""
    if not np.isnan(row.end_factor):
        return
    settings, word = graph.settings, int(graph.nodes[row.node].word)
    row.next_lm_state = row.lm_state
    if row.node == 0:
        row.end_factor = 1.0
    elif word == NONE and settings.oov_node == NONE:
        row.end_factor = 0.0
    else:
        lm_id = int(graph.lm_ids[word]) if word != NONE else UNKNOWN_ID
        score = settings.word_score
        if lm_id == UNKNOWN_ID:
            score += settings.unknown_score
        if settings.has_ngram:
            log_prob, row.next_lm_state = word_log_prob(graph.ngram, row.lm_state, lm_id)
            score += settings.lm_weight * log_prob
        row.end_factor = np.exp(score)


@compiled
def _extend(source: Source, place: int, n_tokens: int, state: BeamState, graph: Graph) -> None:
    """Extend a prefix by the active tokens of a place that can exceed the cutoff."""
    arcs, status, oov_node = graph.arcs, state.status[0], graph.settings.oov_node
    if n_tokens == 0 or source.bound * state.reach[place, 0] <= status.cutoff:
        return
    first = int(graph.nodes[source.node].first_arc)
    stop = int(graph.nodes[source.node + 1].first_arc)
    if oov_node == NONE and stop - first <= FEW_ARCS:
        for arc in range(first, stop):
            _add_candidate(source, place, arc, state, graph)
        return
    first_oov = len(arcs) - state.tokens.shape[1]
    for i in range(n_tokens):
        if source.bound * state.reach[place, i] <= status.cutoff:
            break
        token = int(state.tokens[place, i])
        arc = _first_arc(arcs, token, first, stop)
        if oov_node != NONE and (arc == stop or arcs[arc].token != token):
            _add_candidate(source, place, first_oov + token, state, graph)
        while arc < stop and arcs[arc].token == token:
            _add_candidate(source, place, arc, state, graph)
            arc += 1


@compiled
def _first_arc(arcs: Records, token: int, low: int, high: int) -> int:
    """Find the first of some arcs whose token is not below a given one, by bisection."""
    while low < high:
        middle = (low + high) // 2
        if arcs[middle].token < token:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _add_candidate(source: Source, place: int, arc: int, state: BeamState, graph: Graph) -> None:
    """Add an extended prefix to the pool, unless it is below the cutoff or in the beam already."""
    status, tree, token = state.status[0], state.tree, int(graph.arcs[arc].token)
    if token == source.last == graph.settings.boundary:
        return  # the same prefix: see `_keep_prefixes`
    probability = source.in_blank if token == source.last else source.total
    probability *= source.factor * state.probs[place, token]
    look_ahead, hotword_state = graph.arcs[arc].look_ahead, source.hotword_state
    if graph.settings.has_hotwords:
        hotword_state = follow_token(graph.hotwords, hotword_state, token)
        look_ahead *= graph.hotwords.look_ahead[hotword_state]
    value = probability * look_ahead
    if value <= status.cutoff:
        return
    node = int(graph.arcs[arc].target)
    prefix = find_prefix(tree, source.prefix, token, node)
    if prefix != NONE and tree[prefix].slot != NONE:
        return
    if status.n == len(state.pool):
        prune(state.pool, state.status, state.scratch, state.table)
    candidate = state.pool[status.n]
    status.n += 1
    candidate.value, candidate.in_blank, candidate.in_token = value, 0.0, probability
    candidate.prefix, candidate.parent, candidate.token = prefix, source.prefix, token
    candidate.node, candidate.ended_word = node, source.ended_word
    candidate.lm_state, candidate.hotword_state = source.lm_state, hotword_state
    candidate.factor, candidate.look_ahead = source.factor, look_ahead
    if value > status.best:
        status.best = value
        status.cutoff = max(status.cutoff, value * status.min_share)


@compiled
def _update_beam(state: BeamState) -> None:
    """Make the pool the beam, scale its best value to 1, and give new prefixes their rows."""
    progress, beam, tree = state.progress[0], state.beam, state.tree
    for slot in range(progress.n_active):
        tree[beam[slot].prefix].slot = NONE
    progress.n_active = state.status[0].n
    scale = 1.0 / state.status[0].best
    progress.log_scale -= np.log(scale)
    for slot in range(progress.n_active):
        new = state.pool[slot]
        if new.prefix == NONE:
            new.prefix = progress.n_rows
            progress.n_rows += 1
            add_prefix(tree, new.parent, new.prefix)
            row = tree[new.prefix]
            row.token, row.node, row.ended_word = new.token, new.node, new.ended_word
            row.lm_state, row.hotword_state = new.lm_state, new.hotword_state
            row.factor, row.look_ahead, row.end_factor = new.factor, new.look_ahead, np.nan
        tree[new.prefix].slot = slot
        here = beam[slot]
        here.prefix = new.prefix
        here.in_blank, here.in_token = new.in_blank * scale, new.in_token * scale


@compiled
def finish(state: BeamState, graph: Graph, scores: Factors) -> None:
    """Score the end of each prefix's last word and of the utterance: nats, -inf if impossible."""
    hotwords, settings = graph.hotwords, graph.settings
    for slot in range(state.progress[0].n_active):
        row = state.tree[state.beam[slot].prefix]
        _end_word(row, graph)
        scores[slot] = np.log(row.end_factor)
        if row.node != 0:
            scores[slot] += np.log(hotwords.boost[hotwords.next_state[row.hotword_state, BOUNDARY]])
        if settings.has_ngram:
            log_prob, _ = word_log_prob(graph.ngram, row.next_lm_state, END_ID)
            scores[slot] += settings.lm_weight * log_prob

#!/usr/bin/env bash
# adaptation: the shipped model adapts to the speakers of dev-clean, without any transcripts.
#
# It recognises dev-clean and trains on its own transcripts, errors and all. It is scored before and
# after.
#
# $LIBRISPEECH is a folder that holds dev-clean; if it is not set, it is downloaded (OpenSLR 12, 0.3
# GB). $MODEL is another model that has a search of its own. With an n-gram model $LM and a lexicon
# $LEXICON, both as recipes/mini_librispeech makes them, that search is scored as well.

. "$(dirname "$0")/../stages.sh"

for setting in LIBRISPEECH LM LEXICON; do locate "$setting"; done
[[ ${LM:+set} == "${LEXICON:+set}" ]] || refuse 'LM and LEXICON: expected both or none'
model=${MODEL:-english}
if [[ ! -e asr/models/$model ]]; then locate MODEL model; fi

# Speech: from disk, or from OpenSLR.
corpus=${LIBRISPEECH:-$work/LibriSpeech} dev=dev-clean
if [[ ! ${LIBRISPEECH-} ]]; then
  fetch download "$corpus/$dev" asr download librispeech/$dev --output "$work"
fi

# List the utterances. The transcripts in the list are for scoring: adaptation reads the audio only.
stage prepare "$work/$dev.jsonl" asr prepare "$corpus/$dev" --output "$work/$dev.jsonl"

# It recognises, trains on what was recognised, and recognises better: see asr adapt --help.
stage adapt "$work/adapted" asr adapt "$model" "$work/$dev.jsonl" --output "$work/adapted"

scores=()
score() { # NAME MODEL CONDITION OPTIONS...: recognise and count the errors
  local run=$work/$dev.$1
  stage "decode-$1" "$run.jsonl" \
    asr decode "$2" "$work/$dev.jsonl" "${@:4}" --output "$run.jsonl"
  stage "score-$1" "$run.score.json" \
    asr score "$work/$dev.jsonl" "$run.jsonl" --output "$run.score.json" \
    --subset $dev --condition "$3"
  scores+=("$run.score.json")
}
score_searches() { # NAME MODEL CONDITION
  score "$1-greedy" "$2" "$3, greedy" --search greedy # the acoustic model alone
  score "$1-default" "$2" "$3, default search"        # what a user gets
  if [[ ${LM-} ]]; then                               # the best search there is
    score "$1-lm" "$2" "$3, ${LM##*/}" --search beam --lm "$LM" --lexicon "$LEXICON" \
      --prior-weight 0.4 --lm-weight 1.4 --beam-size 1000 --beam-threshold 18
  fi
}

# Where it starts from.
score_searches shipped "$model" 'as shipped'

# What that brought, on the very recordings that it adapted to.
score_searches adapted "$work/adapted" 'adapted to these recordings, without transcripts'

# The table, with everything that each figure depends on.
stage report "$work/RESULTS.md" \
  asr report "${scores[@]}" --title 'Results of adaptation' --output "$work/RESULTS.md"

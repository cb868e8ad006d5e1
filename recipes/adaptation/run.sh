#!/usr/bin/env bash
# adaptation: the shipped model gets used to ten voices that nobody has transcribed for it.
#
# It recognises dev-clean and learns from what was recognised, errors and all. Before and after, it
# is scored greedily and as it comes. No training speech and no text is needed. Half an hour on two
# cores without AVX-512.
#
# Takes dev-clean from $ASR_DATA, or from ../shared/data where that is there; otherwise downloads
# dev-clean-2 (OpenSLR 31, 0.1 GB). $MODEL is another model that comes with a search. With an n-gram
# model, $LM, and its $LEXICON, as mini_librispeech makes them, that search is scored, too.

. "$(dirname "$0")/../stages.sh"

corpus=${ASR_DATA:-../shared/data}/LibriSpeech dev=dev-clean model=${MODEL:-mini_librispeech}
if [[ ! -d $corpus/$dev ]]; then
  corpus=$work/LibriSpeech dev=dev-clean-2
  stage download "$corpus/$dev" asr download mini_librispeech/$dev --output "$work"
fi
stage prepare "$work/$dev.jsonl" asr prepare "$corpus/$dev" --output "$work/$dev.jsonl"

scores=()
score() { # NAME MODEL CONDITION OPTIONS...
  local run=$work/$dev.$1
  stage "decode-$1" "$run.jsonl" asr decode "$2" "$work/$dev.jsonl" "${@:4}" --output "$run.jsonl"
  stage "score-$1" "$run.score.json" asr score "$work/$dev.jsonl" "$run.jsonl" \
    --output "$run.score.json" --subset $dev --condition "$3"
  scores+=("$run.score.json")
}
score_all() { # NAME MODEL CONDITION
  score "$1-greedy" "$2" "$3, greedy" --search greedy
  score "$1-own" "$2" "$3, as it comes"
  [[ -z ${LM-} ]] || score "$1-lm" "$2" "$3, ${LM##*/}" --search beam --lm "$LM" --lexicon "$LEXICON" \
    --prior-weight 0.4 --lm-weight 1.4 --beam-size 1000 --beam-threshold 18
}
score_all shipped "$model" 'as shipped'
stage adapt "$work/adapted" asr adapt "$model" "$work/$dev.jsonl" --output "$work/adapted"
score_all adapted "$work/adapted" 'adapted to these recordings, without their texts'

stage report "$work/RESULTS.md" asr report "${scores[@]}" --title 'Results of adaptation' --output "$work/RESULTS.md"

#!/usr/bin/env bash
# tiny: the whole chain in a minute, without a download, on four synthetic utterances.
#
# Sounds that are like speech in their make-up are learned by heart, so that the WER must be 0. It
# proves that every part works and fits the next, and nothing about real speech.

. "$(dirname "$0")/../stages.sh"

stage synthesise "$work/corpus" asr synthesise "$work/corpus" --utterances 4 --speakers 2 --seed 1
stage prepare "$work/tiny.jsonl" asr prepare "$work/corpus" --output "$work/tiny.jsonl" \
  --subsampling-factor 2
stage train "$work/model" asr train conf/tiny.toml \
  --train "$work/tiny.jsonl" --dev "$work/tiny.jsonl" --output "$work/model"
stage pack "$work/packed" asr pack "$work/model" --output "$work/packed" --half

for search in greedy beam; do
  stage "decode-$search" "$work/tiny.$search.jsonl" asr decode "$work/packed" "$work/tiny.jsonl" \
    --search $search --output "$work/tiny.$search.jsonl"
  stage "score-$search" "$work/tiny.$search.score.json" asr score "$work/tiny.jsonl" "$work/tiny.$search.jsonl" \
    --output "$work/tiny.$search.score.json" --subset 'four utterances, also trained on'
done
stage report "$work/RESULTS.md" asr report "$work/tiny".{greedy,beam}.score.json \
  --title 'Results of tiny' --output "$work/RESULTS.md"

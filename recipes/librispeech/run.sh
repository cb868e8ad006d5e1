#!/usr/bin/env bash
# librispeech: 960 hours of read English, and its four test sets. Not run yet: see README.md.
#
# Takes the subsets from $LIBRISPEECH where they are there (train-clean-100 and so on lie directly
# in it); otherwise downloads them (OpenSLR 12, 62 GB). Everything learned is learned from the three
# training subsets; the best epoch is chosen on dev-clean. Each of dev-clean, dev-other, test-clean
# and test-other is decoded and scored by itself.

. "$(dirname "$0")/../stages.sh"

train=(train-clean-100 train-clean-360 train-other-500) scored=(dev-clean dev-other test-clean test-other)

corpus=${LIBRISPEECH:-$work/LibriSpeech}
for subset in "${train[@]}" "${scored[@]}"; do
  [[ ${LIBRISPEECH-} ]] || stage "download-$subset" "$corpus/$subset" asr download "librispeech/$subset" --output "$work"
done

stage prepare-train "$work/train.jsonl" asr prepare "${train[@]/#/$corpus/}" --output "$work/train.jsonl"
for subset in "${scored[@]}"; do
  stage "prepare-$subset" "$work/$subset.jsonl" asr prepare "$corpus/$subset" --output "$work/$subset.jsonl"
done
stage train "$work/model" asr train conf/librispeech.toml \
  --train "$work/train.jsonl" --dev "$work/dev-clean.jsonl" --output "$work/model"
stage pack "$work/packed" asr pack "$work/model" --output "$work/packed" --half

scores=()
for subset in "${scored[@]}"; do
  for search in greedy beam; do
    run=$work/$subset.$search
    stage "decode-$subset-$search" "$run.jsonl" asr decode "$work/packed" "$work/$subset.jsonl" \
      --search $search --output "$run.jsonl"
    stage "score-$subset-$search" "$run.score.json" asr score "$work/$subset.jsonl" "$run.jsonl" \
      --output "$run.score.json"
    scores+=("$run.score.json")
  done
done
stage report "$work/RESULTS.md" asr report "${scores[@]}" --title 'Results of librispeech' --output "$work/RESULTS.md"

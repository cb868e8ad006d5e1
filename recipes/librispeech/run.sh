#!/usr/bin/env bash
# librispeech: 960 hours of read English, and its four test sets. Not run yet: see README.md.
#
# Takes the subsets from $LIBRISPEECH, a folder that holds train-clean-100 and the others; if it is
# not set, downloads them (OpenSLR 12, 62 GB). Trains on the three training subsets and chooses the
# epoch on dev-clean. Decodes and scores each dev and test set separately.

. "$(dirname "$0")/../stages.sh"

train=(train-clean-100 train-clean-360 train-other-500)
scored=(dev-clean dev-other test-clean test-other)

# One command fetches all subsets in this order, and takes up a broken download where it stopped.
corpus=${LIBRISPEECH:-$work/LibriSpeech} names=("${train[@]}" "${scored[@]}")
if [[ ! ${LIBRISPEECH-} ]]; then
  stage download "$corpus/${names[-1]}" \
    asr download "${names[@]/#/librispeech/}" --output "$work"
fi

# Check the audio and list the utterances: one training set, and each scored set by itself.
stage prepare-train "$work/train.jsonl" \
  asr prepare "${train[@]/#/$corpus/}" --output "$work/train.jsonl"
for subset in "${scored[@]}"; do
  stage "prepare-$subset" "$work/$subset.jsonl" \
    asr prepare "$corpus/$subset" --output "$work/$subset.jsonl"
done

# The long one: slurm.sh does this stage on a cluster.
stage train "$work/model" \
  asr train conf/librispeech.toml --train "$work/train.jsonl" --dev "$work/dev-clean.jsonl" \
  --output "$work/model"

# Pack the model in half the space: it is the one that is given away, so it is the one scored.
stage pack "$work/packed" asr pack "$work/model" --half --output "$work/packed"

# Clean and other differ by a factor of two or three: nothing is pooled.
scores=()
for subset in "${scored[@]}"; do
  for search in greedy beam; do
    run=$work/$subset.$search
    stage "decode-$subset-$search" "$run.jsonl" \
      asr decode "$work/packed" "$work/$subset.jsonl" --search $search --output "$run.jsonl"
    stage "score-$subset-$search" "$run.score.json" \
      asr score "$work/$subset.jsonl" "$run.jsonl" --output "$run.score.json"
    scores+=("$run.score.json")
  done
done

# The table, with everything that each figure depends on.
stage report "$work/RESULTS.md" \
  asr report "${scores[@]}" --title 'Results of librispeech' --output "$work/RESULTS.md"

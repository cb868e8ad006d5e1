#!/usr/bin/env bash
# tiny: the whole chain on four synthetic utterances, in a minute and without a download.
#
# The model learns speech-like sounds by heart, so the WER must be 0. That proves that every part
# works and fits the next; it says nothing about real speech.

. "$(dirname "$0")/../stages.sh"

# A corpus in LibriSpeech's layout: one kind of sound per letter.
stage synthesise "$work/corpus" \
  asr synthesise "$work/corpus" --utterances 4 --speakers 2 --seed 1

# Check it and list its utterances, as with any corpus.
stage prepare "$work/tiny.jsonl" \
  asr prepare "$work/corpus" --output "$work/tiny.jsonl" --subsampling-factor 2

# Train on the four, and choose the epoch on them too.
stage train "$work/model" \
  asr train conf/tiny.toml --train "$work/tiny.jsonl" --dev "$work/tiny.jsonl" \
  --output "$work/model"

# Make the model that is given away, with model.onnx, which recognises without torch.
stage pack "$work/packed" asr pack "$work/model" --half --output "$work/packed"

# Recognise and count errors, with both searches that need no language model.
scores=() hypotheses=()
for search in greedy beam; do
  run=$work/tiny.$search
  stage "decode-$search" "$run.jsonl" \
    asr decode "$work/packed" "$work/tiny.jsonl" --search $search --output "$run.jsonl"
  stage "score-$search" "$run.score.json" \
    asr score "$work/tiny.jsonl" "$run.jsonl" --output "$run.score.json" \
    --subset 'four utterances, also trained on'
  scores+=("$run.score.json") hypotheses+=("$run.jsonl")
done

# Is one search better than the other? Not here: neither makes an error.
stage compare "$work/tiny.compare.txt" \
  asr compare "${scores[@]}" --output "$work/tiny.compare.txt"

# The table, with everything that each figure depends on; and a page to look at and to listen to.
stage report "$work/RESULTS.md" \
  asr report "${scores[@]}" --title 'Results of tiny' --output "$work/report.html" \
  --hypotheses "${hypotheses[@]}" --manifest "$work/tiny.jsonl" --model "$work/packed" \
  --train-texts "$work/tiny.jsonl" --training "$work/model.run" --output "$work/RESULTS.md"

#!/usr/bin/env bash
# mini_librispeech: 5.3 hours of read English, trained and scored on a CPU.
#
# Takes train-clean-5 and dev-clean from $ASR_DATA, or from ../shared/data where that is there;
# otherwise downloads train-clean-5 and dev-clean-2 (OpenSLR 31, 0.5 GB). Everything learned is
# learned from train-clean-5; the best epoch is chosen on the dev set, which is also the one scored.
# The outcome is RESULTS.md in the folder of the outputs; the one beside this file is the released
# model's. README.md tells what to change first.

. "$(dirname "$0")/../stages.sh"

shared=${ASR_DATA:-../shared/data}/LibriSpeech
if [[ -d $shared/train-clean-5 && -d $shared/dev-clean ]]; then
  corpus=$shared dev=dev-clean speakers=("$shared"/dev-clean/*/) audio=("$shared"/dev-clean/*/*/*-0000.*)
  ending=${audio[0]##*.} name="dev-clean, ${#speakers[@]} speakers, ${ending^^}"
else
  corpus=$work/LibriSpeech dev=dev-clean-2 name=dev-clean-2
  stage download-train "$corpus/train-clean-5" asr download mini_librispeech/train-clean-5 --output "$work"
  stage download-dev "$corpus/$dev" asr download mini_librispeech/$dev --output "$work"
fi

stage prepare-train "$work/train.jsonl" asr prepare "$corpus/train-clean-5" --output "$work/train.jsonl"
stage prepare-dev "$work/$dev.jsonl" asr prepare "$corpus/$dev" --output "$work/$dev.jsonl"
stage train "$work/model" asr train conf/mini_librispeech.toml \
  --train "$work/train.jsonl" --dev "$work/$dev.jsonl" --output "$work/model"
stage pack "$work/packed" asr pack "$work/model" --output "$work/packed" --half

for search in greedy beam; do
  stage "decode-$search" "$work/$dev.$search.jsonl" asr decode "$work/packed" "$work/$dev.jsonl" \
    --search $search --output "$work/$dev.$search.jsonl"
  stage "score-$search" "$work/$dev.$search.score.json" asr score "$work/$dev.jsonl" "$work/$dev.$search.jsonl" \
    --output "$work/$dev.$search.score.json" --subset "$name"
done
stage report "$work/RESULTS.md" asr report "$work/$dev".{greedy,beam}.score.json \
  --title 'Results of mini_librispeech' --output "$work/RESULTS.md"

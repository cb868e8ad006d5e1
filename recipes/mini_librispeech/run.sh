#!/usr/bin/env bash
# mini_librispeech: 5.3 hours of read English, trained and scored on a CPU.
#
# Takes train-clean-5 and dev-clean from $ASR_DATA, or from ../shared/data where that is there; otherwise
# downloads train-clean-5 and dev-clean-2 (OpenSLR 31, 0.5 GB). Where $LM_TEXT, or lm/ of the data, has
# books-20M.txt.xz and librispeech-vocab.txt, two language models are built and scored, too. The acoustic
# model learns from train-clean-5 alone; the best epoch and the weights of the language models are chosen on
# the dev set, which is also the one scored. The outcome is RESULTS.md in the folder of the outputs; the
# one beside this file is the released model's. README.md tells what to change first.

. "$(dirname "$0")/../stages.sh"

data=${ASR_DATA:-../shared/data}
shared=$data/LibriSpeech text=${LM_TEXT:-$data/lm}
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

searches=(greedy beam) scores=()
if [[ -f $text/books-20M.txt.xz && -f $text/librispeech-vocab.txt ]]; then
  for order in 3 4; do
    stage "lm-${order}gram" "$work/${order}gram.lm" asr lm build "$text/books-20M.txt.xz" --order $order \
      --vocabulary "$text/librispeech-vocab.txt" --prune 1e-8 --output "$work/${order}gram.lm"
    searches+=("${order}gram")
  done
fi
for search in "${searches[@]}"; do
  how=(--search beam)
  case $search in
    greedy) how=(--search greedy) ;;
    *gram) how+=(--lm "$work/$search.lm" --beam-size 400 --lm-weight 0.9 --unknown-score -25) ;; # by `asr tune`
  esac
  run=$work/$dev.$search
  stage "decode-$search" "$run.jsonl" asr decode "$work/packed" "$work/$dev.jsonl" "${how[@]}" --output "$run.jsonl"
  stage "score-$search" "$run.score.json" asr score "$work/$dev.jsonl" "$run.jsonl" \
    --output "$run.score.json" --subset "$name"
  scores+=("$run.score.json")
done
stage report "$work/RESULTS.md" asr report "${scores[@]}" --title 'Results of mini_librispeech' --output "$work/RESULTS.md"

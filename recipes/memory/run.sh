#!/usr/bin/env bash
# memory: what plain RNN, GRU and LSTM encoders remember, trained on the same 5.3 hours of speech.
#
# Seven trainings at equal size, 1.0 million weights within 1 %: each cell reading in one direction
# and in two, and the plain RNN once more with its gradients not clipped. Each is searched by its
# phones, with the lexicon and the language model that the shipped model comes with, and scored;
# memory.html sets them beside one another, with pictures: how far the gradient reaches before and
# after training, and how errors grow as less of the speech is heard.
# Some two and a half hours of two cores without AVX-512; a quarter of an hour of it for the page.
#
# Takes train-clean-5 and dev-clean from $ASR_DATA, or from ../shared/data where that is there;
# otherwise downloads train-clean-5 and dev-clean-2 (OpenSLR 31, 0.5 GB).

. "$(dirname "$0")/../stages.sh"

corpus=${ASR_DATA:-../shared/data}/LibriSpeech dev=dev-clean
if [[ ! -d $corpus/train-clean-5 || ! -d $corpus/$dev ]]; then
  corpus=$work/LibriSpeech dev=dev-clean-2
  stage download-train "$corpus/train-clean-5" asr download mini_librispeech/train-clean-5 --output "$work"
  stage download-dev "$corpus/$dev" asr download mini_librispeech/$dev --output "$work"
fi
stage prepare-train "$work/train.jsonl" asr prepare "$corpus/train-clean-5" --output "$work/train.jsonl"
stage prepare-dev "$work/$dev.jsonl" asr prepare "$corpus/$dev" --output "$work/$dev.jsonl"

shipped=asr/models/mini_librispeech # its lexicon teaches how to pronounce, and has all words that a search finds
stage lexicon "$work/lexicon.txt" asr lexicon "$shipped/lexicon.txt" --words "$work/train.jsonl" --output "$work/lexicon.txt"
search=(--search beam --lexicon "$shipped/lexicon.txt" --lm "$shipped/words.lm" --lm-weight 1.4 --prior-weight 0.7
  --beam-size 300 --beam-threshold 18)

models=() scores=()
encoder() { # NAME CELL SIZE BIDIRECTIONAL MAX_GRADIENT_NORM
  local model=$work/$1
  stage "train-$1" "$model" asr train conf/memory.toml --set model.cell="$2" --set model.size="$3" \
    --set model.bidirectional="$4" --set optimiser.max_gradient_norm="$5" \
    --lexicon "$work/lexicon.txt" --train "$work/train.jsonl" --output "$model"
  stage "decode-$1" "$model.jsonl" asr decode "$model" "$work/$dev.jsonl" "${search[@]}" --output "$model.jsonl"
  stage "score-$1" "$model.score.json" asr score "$work/$dev.jsonl" "$model.jsonl" --output "$model.score.json" --subset $dev --condition "$1"
  models+=("$model") scores+=("$model.score.json")
}
encoder rnn-one rnn 452 false 1.0
encoder rnn-two rnn 329 true 1.0
encoder rnn-one-unclipped rnn 452 false 1e9
encoder gru-one gru 272 false 1.0
encoder gru-two gru 196 true 1.0
encoder lstm-one lstm 237 false 1.0
encoder lstm-two lstm 170 true 1.0

stage report "$work/RESULTS.md" asr report "${scores[@]}" --title 'Results of memory' --output "$work/RESULTS.md"
stage memory "$work/memory.html" asr memory "${models[@]}" --manifest "$work/$dev.jsonl" --utterances 20 \
  "${search[@]}" --output "$work/memory.html" --picture "$work/memory.svg"

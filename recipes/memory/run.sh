#!/usr/bin/env bash
# memory: what plain RNN, GRU and LSTM encoders remember, trained on the same 5.3 hours of speech.
#
# Six trainings of equal size, 1.0 million weights within 1 %: each cell in one direction and in
# two. Each model is scored by its phones, with the lexicon and language model of the shipped model.
# memory.html compares them in pictures: how far the gradient reaches, before and after training,
# and how errors grow with less context.
# Some two hours on two cores without AVX-512, a quarter of an hour of them for the page.
#
# $LIBRISPEECH is a folder that holds train-clean-5 and dev-clean; if it is not set, they are
# downloaded (OpenSLR 12 and 31, 0.7 GB).

. "$(dirname "$0")/../stages.sh"
locate LIBRISPEECH

# Speech: from disk, or from OpenSLR.
corpus=${LIBRISPEECH:-$work/LibriSpeech} dev=dev-clean
if [[ ! ${LIBRISPEECH-} ]]; then
  fetch download "$corpus/$dev" \
    asr download mini_librispeech/train-clean-5 librispeech/$dev --output "$work"
fi

# Check the audio and list the utterances.
stage prepare-train "$work/train.jsonl" \
  asr prepare "$corpus/train-clean-5" --output "$work/train.jsonl"
stage prepare-dev "$work/$dev.jsonl" \
  asr prepare "$corpus/$dev" --output "$work/$dev.jsonl"

# Pronounce the words that the search finds, the shipped lexicon's, and those of the training texts.
shipped=asr/models/english
stage lexicon "$work/lexicon.txt" \
  asr lexicon "$shipped/lexicon.txt" --words "$shipped/lexicon.txt" "$work/train.jsonl" \
  --output "$work/lexicon.txt"
search=(--search beam --lexicon "$shipped/lexicon.txt" --lm "$shipped/words.lm" --lm-weight 1.4
  --prior-weight 0.7 --beam-size 300 --beam-threshold 18)

# Six encoders of one size: train each, then recognise and score with it.
models=() scores=()
encoder() { # NAME CELL SIZE BIDIRECTIONAL
  local model=$work/$1
  stage "train-$1" "$model" \
    asr train conf/memory.toml --set model.cell="$2" --set model.size="$3" \
    --set model.bidirectional="$4" --lexicon "$work/lexicon.txt" --train "$work/train.jsonl" \
    --output "$model"
  stage "decode-$1" "$model.jsonl" \
    asr decode "$model" "$work/$dev.jsonl" "${search[@]}" --output "$model.jsonl"
  stage "score-$1" "$model.score.json" \
    asr score "$work/$dev.jsonl" "$model.jsonl" --output "$model.score.json" \
    --subset $dev --condition "$1"
  models+=("$model") scores+=("$model.score.json")
}
encoder rnn-one rnn 452 false
encoder rnn-two rnn 329 true
encoder gru-one gru 272 false
encoder gru-two gru 196 true
encoder lstm-one lstm 237 false
encoder lstm-two lstm 170 true

# Whether remembering pays: the errors of all six in one table.
stage report "$work/RESULTS.md" \
  asr report "${scores[@]}" --title 'Results of memory' --output "$work/RESULTS.md"

# What each remembers: one page, and its main pictures as an SVG.
stage memory "$work/memory.html" \
  asr memory "${models[@]}" --manifest "$work/$dev.jsonl" --utterances 20 "${search[@]}" \
  --output "$work/memory.html" --picture "$work/memory.svg"

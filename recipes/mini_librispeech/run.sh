#!/usr/bin/env bash
# mini_librispeech: 5.3 hours of read English, from audio to word error rates, on a CPU.
#
# Takes train-clean-5 and dev-clean from $ASR_DATA or ../shared/data; otherwise downloads
# train-clean-5 and dev-clean-2 (OpenSLR 31, 0.5 GB). The dev set chooses the epoch, too.
#
# A dictionary ($DICTIONARY, such as CMU's) and $LM_TEXT, a folder with librispeech-vocab.txt and
# books-20M.txt.xz, give a lexicon of 200,000 words, a 3-gram and a 4-gram. Without them the words
# and the 3-gram of the shipped model are used.

. "$(dirname "$0")/../stages.sh"

data=${ASR_DATA:-../shared/data} shipped=asr/models/mini_librispeech
dictionary=${DICTIONARY:-$data/lexicon/cmudict-en-us.dict}
vocabulary=${LM_TEXT:-$data/lm}/librispeech-vocab.txt books=${LM_TEXT:-$data/lm}/books-20M.txt.xz

# Speech: from disk, where dev-clean may be a part of the whole or lossy, which its name then says.
if [[ -d $data/LibriSpeech/train-clean-5 && -d $data/LibriSpeech/dev-clean ]]; then
  corpus=$data/LibriSpeech dev=dev-clean
  speakers=("$corpus/$dev"/*/) files=("$corpus/$dev"/*/*/*-0000.*) format=${files[0]##*.}
  subset="$dev, ${#speakers[@]} speakers, ${format^^}"
else
  corpus=$work/LibriSpeech dev=dev-clean-2 subset=dev-clean-2
  for part in train-clean-5 $dev; do
    stage "download-$part" "$corpus/$part" \
      asr download "mini_librispeech/$part" --output "$work"
  done
fi

# Check the audio, and list the utterances that can be trained on and scored.
stage prepare-train "$work/train.jsonl" \
  asr prepare "$corpus/train-clean-5" --output "$work/train.jsonl"
stage prepare-dev "$work/$dev.jsonl" \
  asr prepare "$corpus/$dev" --output "$work/$dev.jsonl"

# Pronounce every word, since the phone head learns phones and the search spells words by them.
lexicon=$work/lexicon.txt words=("$work/train.jsonl") search_lexicon=$lexicon
if [[ -f $dictionary && -f $vocabulary ]]; then
  words=("$vocabulary" "${words[@]}")
else
  dictionary=$shipped/lexicon.txt search_lexicon=$dictionary
fi
stage lexicon "$lexicon" asr lexicon "$dictionary" --words "${words[@]}" --output "$lexicon"

# Learn to align characters and phones, frame by frame (CTC) ...
learn=(--lexicon "$lexicon" --train "$work/train.jsonl" --dev "$work/$dev.jsonl")
stage train "$work/model" \
  asr train conf/mini_librispeech.toml "${learn[@]}" --output "$work/model"
# ... then let whole phone sequences compete (CTC-CRF), as they do in a search with a lexicon.
stage train-crf "$work/model-crf" \
  asr train conf/mini_librispeech-crf.toml "${learn[@]}" --start "$work/model" \
  --output "$work/model-crf"

# Pack the model with a search of its own, small enough to ship: this model is scored from here on.
search=(--search beam --lm-weight 1.4 --prior-weight 0.4 --beam-size 1000 --beam-threshold 18)
small_lm=$shipped/words.lm
if [[ -f $books ]]; then
  small_lm=$work/small.lm
  stage lm-small "$small_lm" \
    asr lm build "$books" --order 3 --n-words 60000 --prune 1.3e-7 --output "$small_lm"
fi
stage pack "$work/packed" \
  asr pack "$work/model-crf" --half "${search[@]}" --lm "$small_lm" --lexicon "$search_lexicon" \
  --output "$work/packed"

scores=()
score() { # NAME CONDITION OPTIONS...: recognise the dev set and count the errors
  local run=$work/$dev.$1
  stage "decode-$1" "$run.jsonl" \
    asr decode "$work/packed" "$work/$dev.jsonl" "${@:3}" --output "$run.jsonl"
  stage "score-$1" "$run.score.json" \
    asr score "$work/$dev.jsonl" "$run.jsonl" --output "$run.score.json" \
    --subset "$subset" --condition "$2"
  scores+=("$run.score.json")
}
score greedy 'characters, greedy' --search greedy # the acoustic model by itself
score beam 'characters, beam' --search plain      # the same, summed over alignments
score default 'default: phones, small 3-gram'     # what a user gets

# What larger language models of the same text are worth, pruned far less.
if [[ -f $books && -f $vocabulary ]]; then
  for order in 3 4; do
    lm=$work/${order}gram.lm
    stage "lm-${order}gram" "$lm" \
      asr lm build "$books" --order $order --vocabulary "$vocabulary" --prune 1e-8 --output "$lm"
    score "${order}gram" "phones, $order-gram" \
      "${search[@]}" --lm "$lm" --lexicon "$search_lexicon" --n-best 50
  done
fi

# All rows in one table, with everything that each figure depends on.
stage report "$work/RESULTS.md" \
  asr report "${scores[@]}" --title 'Results of mini_librispeech' --output "$work/RESULTS.md"

#!/usr/bin/env bash
# mini_librispeech: 5.3 hours of read English, on a CPU; the dev set that is scored chooses epochs and weights, too.
# Takes train-clean-5 and dev-clean from $ASR_DATA, or ../shared/data; else downloads train-clean-5 and dev-clean-2
# (OpenSLR 31, 0.5 GB). With $DICTIONARY, as CMU's, and $LM_TEXT/librispeech-vocab.txt the model learns phones, too;
# with books-20M.txt.xz there, a speller (an hour and a half), n-gram models and a recurrent one (40 minutes).

. "$(dirname "$0")/../stages.sh"
data=${ASR_DATA:-../shared/data} shared=$data/LibriSpeech text=${LM_TEXT:-$data/lm} books=$text/books-20M.txt.xz
dictionary=${DICTIONARY:-$data/lexicon/cmudict-en-us.dict} vocabulary=$text/librispeech-vocab.txt
if [[ -d $shared/train-clean-5 && -d $shared/dev-clean ]]; then
  corpus=$shared dev=dev-clean speakers=("$shared"/dev-clean/*/) audio=("$shared"/dev-clean/*/*/*-0000.*) ending=${audio[0]##*.} name="dev-clean, ${#speakers[@]} speakers, ${ending^^}"
else
  corpus=$work/LibriSpeech dev=dev-clean-2 name=dev-clean-2
  for part in train-clean-5 $dev; do stage "download-$part" "$corpus/$part" asr download "mini_librispeech/$part" --output "$work"; done
fi
stage prepare-train "$work/train.jsonl" asr prepare "$corpus/train-clean-5" --output "$work/train.jsonl"
stage prepare-dev "$work/$dev.jsonl" asr prepare "$corpus/$dev" --output "$work/$dev.jsonl"
speech=(--train "$work/train.jsonl" --dev "$work/$dev.jsonl") trained=$work/model phones=(--set train.phone_weight=0) known=()
sharper=(train.{crf_weight=0.9,phone_weight=0.6,n_epochs=26,validate_every=26} batching.{ramp_epochs=0,sorted_first=false} model.dropout=0.3
  optimiser.{learning_rate=0.0012,warmup_epochs=0.5,hold_epochs=6.0}) # the last epoch: letters cannot tell the best
if [[ -f $dictionary && -f $vocabulary ]]; then
  trained=$work/sharpened phones=(--lexicon "$work/lexicon.txt") known=("${phones[@]}")
  stage lexicon "$work/lexicon.txt" asr lexicon "$dictionary" --words "$vocabulary" "$work/train.jsonl" --output "$work/lexicon.txt"
fi
stage train "$work/model" asr train conf/mini_librispeech.toml "${phones[@]}" "${speech[@]}" --output "$work/model"
[[ -z ${known[*]} ]] || stage sharpen "$trained" asr train conf/mini_librispeech.toml "${known[@]}" "${speech[@]}" --start "$work/model" "${sharper[@]/#/--set=}" --output "$trained"
stage pack "$work/packed" asr pack "$trained" --output "$work/packed" --half
decode=(decode "$work/packed" "$work/$dev.jsonl" --search) scores=()
score() { # NAME COMMAND...
  local run=$work/$dev.$1
  stage "decode-$1" "$run.jsonl" asr "${@:2}" --output "$run.jsonl"
  stage "score-$1" "$run.score.json" asr score "$work/$dev.jsonl" "$run.jsonl" --output "$run.score.json" --subset "$name"
  scores+=("$run.score.json")
}
for search in greedy beam; do score $search "${decode[@]}" $search; done
if [[ -f $books && ${known[*]} ]]; then
  taught=("$work/packed" conf/speller.toml --text "$books" "${known[@]}" "${speech[@]}") again=(pronouncing.n_hearings=2
    train.{n_epochs=4,validate_every=1} optimiser.{learning_rate=0.001,hold_epochs=1.0}) # thrice by chance, then averaged
  stage spell "$work/spelling-0" asr spell "${taught[@]}" --output "$work/spelling-0"
  for seed in 1 2 3; do stage "spell-$seed" "$work/spelling-$seed" asr spell "${taught[@]}" --start "$work/spelling-0" "${again[@]/#/--set=}" --set "pronouncing.seed=$seed" --output "$work/spelling-$seed"; done
  stage average "$work/spelling" asr average "$work"/spelling-{1,2,3} --output "$work/spelling"
  score speller decode "$work/spelling" "$work/$dev.jsonl" --search greedy
  for order in 3 4; do
    stage "lm-${order}gram" "$work/${order}gram.lm" asr lm build "$books" --order $order --vocabulary "$vocabulary" --prune 1e-8 --output "$work/${order}gram.lm"
    score "${order}gram" "${decode[@]}" beam --lm "$work/${order}gram.lm" "${known[@]}" --prior-weight 0.4 --lm-weight 1.4 --beam-size 1000 --beam-threshold 18 --n-best 50
  done
  stage lm-recurrent "$work/char_lm" asr lm train conf/char_lm.toml --text "$books" --output "$work/char_lm"
  score recurrent lm rescore "$work/$dev.4gram.jsonl" --model "$work/char_lm" --lm-weight 0.25
fi
stage report "$work/RESULTS.md" asr report "${scores[@]}" --title 'Results of mini_librispeech' --output "$work/RESULTS.md"

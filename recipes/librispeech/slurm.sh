#!/usr/bin/env bash
# Trains a librispeech model under Slurm, on all GPUs of all allotted machines: a template.
#
#   recipes/librispeech/run.sh --until lexicon                   # the manifests and the lexicon
#   sbatch --nodes 2 recipes/librispeech/slurm.sh                # from the root of the repository
#   sbatch --nodes 2 recipes/librispeech/slurm.sh crf            # then the second training
#   recipes/librispeech/run.sh                                   # the stages after training
#
# with the same CONFIG in the environment of all (default: librispeech). With UNTRANSCRIBED, run.sh
# --until select-self comes before the last line, and a third training, `slurm.sh self`; then, with
# a conf/$CONFIG-self-2.toml, run.sh --until select-self-2 and `slurm.sh self-2`.
#
# Fill in account and partition. Two minutes before its time limit, the job saves its state and
# exits: submit it again, and it resumes. docs/training-at-scale.md says what to expect.

#SBATCH --job-name=asr-librispeech
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1   # torchrun, which starts one process per GPU
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32    # four per GPU: a data loader, and the launching of kernels
#SBATCH --time=12:00:00
#SBATCH --signal=TERM@120
#SBATCH --output=asr-%j.log

set -euo pipefail

work=${WORK:-exp/librispeech} config=${CONFIG:-librispeech} model=$work/model start=() train=train
case ${1-} in
  '') ;;
  crf) start=(--start "$model") config+=-crf model+=-crf ;;
  self) start=(--start "$model-crf") config+=-self model+=-self train=train-self ;;
  self-2) start=(--start "$model-self") config+=-self-2 model+=-self-2 train=train-self-2 ;;
  *) echo "slurm.sh: expected crf, self, self-2 or nothing, got '$1'" >&2 && exit 2 ;;
esac
mapfile -t machines < <(scontrol show hostnames "$SLURM_JOB_NODELIST")

srun --kill-on-bad-exit=1 torchrun \
  --nnodes="$SLURM_NNODES" --nproc-per-node="$SLURM_GPUS_ON_NODE" \
  --rdzv-id="$SLURM_JOB_ID" --rdzv-backend=c10d --rdzv-endpoint="${machines[0]}:29400" \
  -m asr train "conf/$config.toml" "${start[@]}" --set train.n_shards=1 \
  --set batching.batch_duration="${BATCH_DURATION:-3200.0}" --lexicon "$work/lexicon.txt" \
  --train "$work/$train.jsonl" --dev "$work/dev-clean.jsonl" --output "$model"

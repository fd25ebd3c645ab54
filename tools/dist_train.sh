#!/usr/bin/env bash
# Train on several GPUs of one machine or more: tools/dist_train.sh CONFIG GPUS [train.py's arguments]
# NNODES, NODE_RANK, MASTER_ADDR and PORT say where this machine stands among several.
set -euo pipefail
CONFIG=$1
GPUS=$2
shift 2
cd "$(dirname "$0")/.."
python -m torch.distributed.run --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" --nproc_per_node="$GPUS" \
  tools/train.py "$CONFIG" --launcher pytorch "$@"

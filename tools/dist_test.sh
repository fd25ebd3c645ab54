#!/usr/bin/env bash
# Evaluate on several GPUs of one machine or more: tools/dist_test.sh CONFIG CHECKPOINT GPUS [test.py's arguments]
# NNODES, NODE_RANK, MASTER_ADDR and PORT say where this machine stands among several.
set -euo pipefail
CONFIG=$1
CHECKPOINT=$2
GPUS=$3
shift 3
cd "$(dirname "$0")/.."
python -m torch.distributed.run --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" --nproc_per_node="$GPUS" \
  tools/test.py "$CONFIG" "$CHECKPOINT" --launcher pytorch "$@"

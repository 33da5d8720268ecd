#!/usr/bin/env bash
# The starter for a GPU (training/gpu.toml), from corpus to exported files. Run again after a stop, it goes on where it was.
#
#   scripts/train_gpu.sh                 everything, on a machine with a GPU and a network
#   scripts/train_gpu.sh corpus          fetch and filter (needs the package registries; no GPU)
#   scripts/train_gpu.sh pack FOLDER     the corpus compressed, in pieces of 56 MiB, to carry to a machine without a network
#   scripts/train_gpu.sh unpack FOLDER   put the pieces together there
#   scripts/train_gpu.sh rows            tokenise, one process for each core (about 10 minutes on 16)
#   scripts/train_gpu.sh train [SECONDS] train, for at most so long; a checkpoint is kept
#   scripts/train_gpu.sh export          safetensors, GGUF and INT4, installed under training/output/gpu/installed
#
# PYTHON names the interpreter (default: .venv-train/bin/python).
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv-train/bin/python}
CONFIG=training/gpu.toml
CORPUS=training/output/gpu/corpus
PIECE=56M

corpus() { "$PYTHON" -m training.corpus --config "$CONFIG" --packages training/output/packages; }

pack() {
  mkdir -p "$1"
  tar -C "$CORPUS" -c train.jsonl held_out.jsonl | xz -T0 -6 | split -b "$PIECE" - "$1/corpus.tar.xz."
  ls -l "$1"
}

unpack() {
  mkdir -p "$CORPUS"
  cat "$1"/corpus.tar.xz.* | xz -d | tar -C "$CORPUS" -x
}

rows() { "$PYTHON" -m training.samples --config "$CONFIG"; }
train() { "$PYTHON" -m training.train --config "$CONFIG" ${1:+--seconds "$1"}; }
export_() { "$PYTHON" -m training.export --config "$CONFIG"; }

case "${1:-all}" in
  corpus | rows) "$1" ;;
  pack | unpack)
    [ $# -eq 2 ] || { echo "Which folder? $0 $1 FOLDER" >&2; exit 2; }
    "$@" ;;
  train) train "${2:-}" ;;
  export) export_ ;;
  all)
    [ -f "$CORPUS/train.jsonl" ] || corpus
    [ -f training/output/gpu/rows/starter-gpu-finish.npy ] || rows
    train && export_ ;;
  -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" ;;
  *) echo "No such step: $1. See $0 --help." >&2; exit 2 ;;
esac

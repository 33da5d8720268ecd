#!/usr/bin/env bash
# Fetch the peers of `make bench-edge` (vllm-router, sglang-router, litellm) from PyPI, pinned. Usage: scripts/setup_bench_edge.sh
#
# Each gets a virtual environment of its own under .venv-peers/; remove that folder to be rid of them.
# FORETYPE_PEERS_PYTHON names the Python to use. A peer that cannot be installed is named, and the benchmark leaves it out.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
warn() { printf 'setup_bench_edge: %s\n' "$*" >&2; }

case "${1:-}" in
  "") ;;
  -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) warn "it takes no arguments; see --help."; exit 2 ;;
esac

python="${FORETYPE_PEERS_PYTHON:-python3}"
command -v "$python" >/dev/null || { warn "$python is not there. Install Python 3.11 or 3.12."; exit 1; }

missing=0
for peer in "vllm-router vllm-router==0.1.17" "sglang-router sglang-router==0.3.2" "litellm litellm[proxy]==1.100.5"; do
  name="${peer%% *}" wanted="${peer#* }" folder=".venv-peers/${peer%% *}"
  say "Installing $wanted"
  if "$python" -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check "$wanted"; then
    continue
  fi
  warn "$wanted cannot be installed with $("$python" --version): the benchmark will leave it out."
  rm -rf "$folder"
  missing=1
done
say "Ready: python -m benchmarks.edge --only peers"
exit "$missing"

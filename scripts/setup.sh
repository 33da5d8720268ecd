#!/usr/bin/env bash
# Make (or update) the virtual environment VENV with Foretype and what it needs. Usage: scripts/setup.sh VENV EXTRAS
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 extras=$2

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3.13 python3.12 python3.11 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$candidate; break
    fi
  done
fi
[ -n "$python" ] || fail "no Python 3.11 or later with venv found. Install one (Debian: apt install python3-venv), or name it: make setup PYTHON=/path/to/python3.12"

if [ ! -x "$venv/bin/python" ]; then
  say "Making the virtual environment $venv with $("$python" --version)"
  "$python" -m venv "$venv"
fi
pip=("$venv/bin/python" -m pip --disable-pip-version-check)

if [[ $extras == *local* || $extras == *dev* ]] && ! "$venv/bin/python" -c 'import llama_cpp' 2>/dev/null; then
  command -v c++ >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null ||
    fail "llama.cpp is compiled here and there is no C++ compiler. Install one (Debian: apt install g++; macOS: xcode-select --install)"
  say "llama-cpp-python is compiled from source: about 6 minutes on two cores (seconds if pip has it in its cache)"
  log=$venv/llama-cpp-python.log
  # A verbose build names each compilation step "[12/193] c++ …"; only the counter is shown.
  if ! "${pip[@]}" install -v --progress-bar off -c constraints.txt llama-cpp-python 2>&1 | tee "$log" |
    awk 'match($0, /\[[0-9]+\/[0-9]+\]/) { split(substr($0, RSTART + 1, RLENGTH - 2), n, "/"); part = int(10 * n[1] / n[2])
           if (part != shown) { shown = part; printf "    compiled %d of %d\n", n[1], n[2]; fflush() } }'; then
    tail -n 25 "$log" >&2
    fail "llama-cpp-python did not build; the whole log is $log"
  fi
fi

say "Installing Foretype [$extras] and its dependencies"
"${pip[@]}" install -q -c constraints.txt -e ".[$extras]"
say "Ready: $venv/bin/foretype-lsp, foretype-proxy, foretype-worker"

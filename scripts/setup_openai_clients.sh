#!/usr/bin/env bash
# Fetch @continuedev/core from npm (pinned) and bundle its OpenAI client for `make test-openai-clients`.
# Usage: scripts/setup_openai_clients.sh
#
# The core is fetched as the package's own archive: it lists 60 dependencies (browsers, databases, cloud clients) that
# its autocomplete never touches; those that it does use are in tests/openai_clients/package.json.
set -euo pipefail
cd "$(dirname "$0")/../tests/openai_clients"

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() { printf 'setup_openai_clients: %s\n' "$*" >&2; exit 1; }

case "${1:-}" in
  "") ;;
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "../../scripts/$(basename "$0")"; exit 0 ;;
  *) fail "it takes no arguments; see --help." ;;
esac

version=1.1.0
made=node_modules/.foretype
command -v npm >/dev/null || fail "npm is not there. Install Node.js 20 or later (Debian: apt install nodejs npm)."
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || fail "Node.js 20 or later is wanted, and this is $(node --version)."

say "Installing esbuild and what Continue's client imports"
npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error ||
  fail "npm install failed: its message is above. Is a registry within reach?"

if [ ! -f "$made/$version/package/package.json" ]; then
  say "Fetching @continuedev/core $version"
  mkdir -p "$made/$version"
  npm pack "@continuedev/core@$version" --pack-destination "$made/$version" --silent >/dev/null ||
    fail "npm cannot fetch @continuedev/core $version: its message is above."
  tar -xzf "$made/$version/continuedev-core-$version.tgz" -C "$made/$version"
fi

say "Bundling Continue's OpenAI client with esbuild"
node bundle.mjs "$made/$version/package" "$made/continue.mjs"
say "Ready: tests/openai_clients/$made/continue.mjs"

#!/usr/bin/env bash
# Fetch the peers of `make bench-client` from npm (pinned) and bundle what drives them. Usage: scripts/setup_bench_client.sh
#
# tabby-agent and esbuild are installed as usual, without install scripts. @continuedev/core is fetched as the package's
# own archive: it lists 60 dependencies (browsers, databases, cloud clients) that its autocomplete never touches; those
# that the autocomplete does use are in package.json, and the bundle says which stand-ins replace the rest.
set -euo pipefail
cd "$(dirname "$0")/../benchmarks/client/peers"

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() { printf 'setup_bench_client: %s\n' "$*" >&2; exit 1; }

case "${1:-}" in
  "") ;;
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "../../../scripts/$(basename "$0")"; exit 0 ;;
  *) fail "it takes no arguments; see --help." ;;
esac

continue_version=1.1.0
command -v npm >/dev/null || fail "npm is not there. Install Node.js 20 or later (Debian: apt install nodejs npm)."
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || fail "Node.js 20 or later is wanted, and this is $(node --version)."

say "Installing tabby-agent, esbuild and what Continue's autocomplete imports"
npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error ||
  fail "npm install failed: its message is above. Is a registry within reach?"

if [ ! -f "continue/$continue_version/package/package.json" ]; then
  say "Fetching @continuedev/core $continue_version"
  mkdir -p "continue/$continue_version"
  npm pack "@continuedev/core@$continue_version" --pack-destination "continue/$continue_version" --silent >/dev/null ||
    fail "npm cannot fetch @continuedev/core $continue_version: its message is above."
  tar -xzf "continue/$continue_version/continuedev-core-$continue_version.tgz" -C "continue/$continue_version"
fi

say "Bundling Continue's autocomplete with esbuild"
node bundle_continue.mjs "continue/$continue_version/package" bundle/continue.mjs
say "Ready: python -m benchmarks.client --help"

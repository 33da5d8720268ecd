// Drives a real VS Code (code-server) in headless Chromium, and prints what each scene saw as one line of JSON.
// Usage: node drive.cjs CODE_SERVER_DIR RUN_DIR PORT; the extension is installed in RUN_DIR/ext, the workspace is RUN_DIR/ws.
// A scene that fails leaves RUN_DIR/failed-NAME.png and its message under "failed"; the others still run.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const [root, run, port] = process.argv.slice(2);
const { chromium } = require(path.join(root, "server/node_modules/playwright-core"));
const { Screen, WAIT } = require("./screen.cjs");
const scenes = require("./scenes.cjs");
const address = `http://127.0.0.1:${port}`;
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

async function main(browser) {
  const seen = { failed: {}, seconds: {} };
  const began = Date.now();
  const page = await browser.newPage({ viewport: { width: 1100, height: 650 } });
  const screen = new Screen(page, run);
  await page.goto(`${address}/?folder=${encodeURIComponent(path.join(run, "ws"))}`);
  await page.locator(".explorer-folders-view .monaco-list-row").first().waitFor(WAIT);
  seen.seconds.window = (Date.now() - began) / 1_000;
  for (const [name, scene] of Object.entries(scenes)) {
    const start = Date.now();
    try {
      seen[name] = await scene(screen);
    } catch (error) {
      seen.failed[name] = error.message;
      await screen.shot(`failed-${name}`);
      await screen.press("Escape", "Escape");
      await screen.saved(".").catch(() => undefined);
      await screen.closeAll().catch(() => undefined);
    }
    seen.seconds[name] = (Date.now() - start) / 1_000;
  }
  return seen;
}

(async () => {
  const program = path.join(root, "server/node_modules/.bin/code-server");
  const server = spawn(program, ["--bind-addr", `127.0.0.1:${port}`, "--auth", "none", "--disable-telemetry", "--disable-update-check",
    "--disable-workspace-trust", "--disable-getting-started-override", "--user-data-dir", path.join(run, "data"), "--extensions-dir", path.join(run, "ext"), path.join(run, "ws")],
    { stdio: ["ignore", fs.openSync(path.join(run, "code-server.log"), "w"), "inherit"] });
  let browser;
  try {
    for (let i = 0; i < 150; i++) {
      if (await fetch(`${address}/healthz`).then((answer) => answer.ok, () => false)) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags });
    console.log(JSON.stringify(await main(browser)));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await browser?.close();
    server.kill("SIGTERM");
    server.once("exit", () => process.exit());
  }
})();

// Drives a real VS Code (code-server) in headless Chromium, and prints what was on screen as one line of JSON.
// Usage: node drive.cjs CODE_SERVER_DIR RUN_DIR PORT; the extension is installed in RUN_DIR/ext, the workspace is RUN_DIR/ws.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const [root, run, port] = process.argv.slice(2);
const { chromium } = require(path.join(root, "server/node_modules/playwright-core"));
const address = `http://127.0.0.1:${port}`;
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const WAIT = { timeout: 90_000 };

/** The first line of the ghost text; the editor colours it, so that it lies in several elements. */
async function firstLine(page) {
  const parts = await page.locator(".editor-instance .ghost-text-decoration").filter({ visible: true }).allTextContents();
  return parts.join("").replaceAll("\u00a0", " ");
}

async function main(page) {
  const seen = {};
  const shot = (name) => page.screenshot({ path: path.join(run, `${name}.png`) });
  await page.goto(`${address}/?folder=${encodeURIComponent(path.join(run, "ws"))}`);
  await page.locator(".explorer-folders-view .monaco-list-row", { hasText: "demo.py" }).dblclick(WAIT);
  await page.waitForSelector(".editor-instance .view-lines", WAIT);
  const item = page.locator('.statusbar-item[id*="foretype.status"]');
  await item.waitFor(WAIT);
  await page.waitForFunction(() => /Foretype, local/.test(document.querySelector('.statusbar-item[id*="foretype.status"]')?.outerHTML ?? ""), null, WAIT);
  seen.status = await item.evaluate((element) => element.querySelector("[aria-label]")?.getAttribute("aria-label") ?? element.getAttribute("aria-label"));

  const ghost = page.locator(".editor-instance .ghost-text-decoration, .editor-instance .ghost-text").filter({ visible: true });
  await page.click(".editor-instance .view-lines");
  await page.keyboard.press("Control+End");
  await page.keyboard.type("def subtract(a, b):\n    ret", { delay: 120 });
  await ghost.first().waitFor(WAIT);
  seen.ghost = await firstLine(page);
  await shot("ghost");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Control+s");
  await page.waitForTimeout(1_500);
  seen.accepted = fs.readFileSync(path.join(run, "ws/demo.py"), "utf8");

  await page.keyboard.type("\n\n\ndef multiply(a, b):\n    ret", { delay: 120 });
  await ghost.first().waitFor(WAIT);
  seen.second = await firstLine(page);
  await page.keyboard.press("Control+ArrowRight");
  await page.waitForTimeout(1_000);
  seen.rest = await firstLine(page);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+s");
  await page.waitForTimeout(1_500);
  seen.partly = fs.readFileSync(path.join(run, "ws/demo.py"), "utf8");

  await page.keyboard.press("F1");
  await page.keyboard.type("Foretype: Show Statistics");
  await page.locator(".quick-input-list .monaco-list-row", { hasText: "Show Statistics" }).first().click(WAIT);
  await page.locator(".editor-instance .view-line", { hasText: "statistics of this session" }).waitFor(WAIT);
  seen.statistics = (await page.locator(".editor-instance .view-line").allTextContents()).join("\n").replaceAll("\u00a0", " ");
  await shot("statistics");

  await item.click();
  await page.locator(".quick-input-list .monaco-list-row", { hasText: "Explain the last suggestion" }).waitFor(WAIT);
  seen.menu = (await page.locator(".quick-input-list .monaco-list-row .label-name").allTextContents()).map((text) => text.trim());
  await shot("menu");
  await page.keyboard.press("Escape");
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
    const page = await browser.newPage({ viewport: { width: 1100, height: 650 } });
    try {
      console.log(JSON.stringify(await main(page)));
    } catch (error) {
      await page.screenshot({ path: path.join(run, "failed.png") });
      throw error;
    }
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await browser?.close();
    server.kill("SIGTERM");
    server.once("exit", () => process.exit());
  }
})();

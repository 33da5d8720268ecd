// One function to a scene: what a person does, and what was then on screen or in the file.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { WAIT } = require("./screen.cjs");

const SOON = { timeout: 5_000 };
const TRIES = 6;
const KEYS = 12; // latencies of each kind

/** The settle time of a scene in which something must not happen, in milliseconds. */
const NOTHING_MS = 1_500;

async function python(screen) {
  const seen = {};
  await screen.open("demo.py");
  seen.status = await screen.untilStatus("Foretype, local");
  await screen.type("def subtract(a, b):\n    ret");
  seen.ghost = await screen.untilGhost();
  await screen.shot("ghost");
  await screen.press("Tab");
  seen.accepted = await screen.saved("demo.py");
  await screen.press("Control+z");
  seen.undone = await screen.saved("demo.py");
  await screen.press("Control+y");

  await screen.type("\n\n\ndef multiply(a, b):\n    ret");
  seen.second = await screen.untilGhost();
  await screen.press("Control+ArrowRight");
  await screen.page.waitForFunction((before) => document.querySelector(".editor-instance .ghost-text-decoration")?.textContent !== before, seen.second, WAIT);
  seen.rest = await screen.untilGhost();
  await screen.press("Escape");
  await screen.untilNoGhost();
  seen.partly = await screen.saved("demo.py");

  await screen.command("Foretype: Show Statistics");
  seen.statistics = await statistics(screen);
  await screen.shot("statistics");
  await screen.page.locator('.statusbar-item[id*="foretype.status"]').click();
  await screen.page.locator(".quick-input-list .monaco-list-row", { hasText: "Explain the last suggestion" }).waitFor(WAIT);
  seen.menu = (await screen.page.locator(".quick-input-list .monaco-list-row .label-name").allTextContents()).map((text) => text.trim());
  await screen.shot("menu");
  await screen.press("Escape");
  await screen.closeAll();
  return seen;
}

async function statistics(screen) {
  await screen.page.locator(".editor-instance .view-line", { hasText: "statistics of this session" }).waitFor(WAIT);
  return (await screen.page.locator(".editor-instance .view-line").allTextContents()).join("\n").replaceAll("\u00a0", " ");
}

async function typescript(screen) {
  await screen.open("shapes.ts");
  await screen.type("  ret");
  const ghost = await screen.untilGhost();
  await screen.press("Tab");
  const accepted = await screen.saved("shapes.ts");
  await screen.closeAll();
  return { ghost, accepted };
}

/** Typing what is shown: the line and its ghost text together must not change. */
async function steady(screen) {
  const seen = {};
  await screen.open("steady.py");
  await screen.type("    ret");
  seen.ghost = await screen.untilGhost();
  seen.through = await screen.sampled(() => screen.type(seen.ghost.slice(0, 4), 150));
  await screen.press("Escape");
  await screen.saved("steady.py");
  await screen.closeAll();
  return seen;
}

/** Enter behind a brace: the editor closes it, indents, and what is shown then stays. */
async function indented(screen) {
  await screen.open("indented.ts");
  await screen.type("export function add(a: number, b: number): number {\nret");
  const ghost = await screen.untilGhost();
  const samples = await screen.sampled(() => screen.type(ghost.slice(0, 3), 150));
  await screen.press("Escape");
  const text = await screen.saved("indented.ts");
  await screen.closeAll();
  return { ghost, samples, text };
}

/** The pop-up menu is open: Tab takes its item, and nothing of the ghost text with it. */
async function menuAndGhost(screen) {
  await screen.open("menu.ts");
  await screen.type("  return subtr");
  await screen.press("Control+Space");
  await screen.page.locator(".suggest-widget.visible .monaco-list-row", { hasText: "subtract" }).first().waitFor(WAIT);
  await screen.shot("popup");
  await screen.press("Tab");
  await screen.page.locator(".suggest-widget.visible").waitFor({ ...WAIT, state: "hidden" });
  const taken = await screen.saved("menu.ts");
  await screen.closeAll();
  return { taken };
}

async function toggled(screen) {
  const seen = {};
  await screen.open("toggle.py");
  await screen.command("Foretype: Switch Suggestions Off or On Everywhere");
  seen.off = await screen.untilStatus("Foretype, off");
  seen.before = await requests(screen);
  await screen.type("    ret");
  await screen.page.waitForTimeout(NOTHING_MS);
  seen.ghosts = await screen.ghost().count();
  seen.after = await requests(screen);
  await screen.command("Foretype: Switch Suggestions Off or On Everywhere");
  await screen.untilStatus("Foretype, local");
  for (let tries = 0; !seen.on && tries < TRIES; tries++) { // the model is being started again
    await screen.type("u");
    seen.on = await screen.untilGhost(SOON).catch(() => "");
    if (!seen.on) await screen.press("Backspace");
  }
  await screen.press("Escape");
  await screen.saved("toggle.py");
  await screen.closeAll();
  return seen;
}

/** How many requests the server says it got. */
async function requests(screen) {
  await screen.command("Foretype: Show Statistics");
  await screen.page.waitForTimeout(NOTHING_MS); // what was shown the last time stands until then
  const text = await statistics(screen);
  await screen.command("View: Close Editor");
  return Number(/Requests of the editor: (\d+)/.exec(text)[1]);
}

/** A proxy and its worker start, and die: local, online, local again. */
async function outage(screen) {
  const seen = {};
  const programs = JSON.parse(fs.readFileSync(path.join(screen.run, "programs.json"), "utf8"));
  await screen.open("outage.py");
  seen.before = await screen.untilStatus("Foretype, local");
  const log = fs.openSync(path.join(screen.run, "programs.log"), "w");
  const started = programs.map(([program, ...words]) => spawn(program, words, { stdio: ["ignore", log, log] }));
  try {
    seen.online = await screen.untilStatus("Foretype, online");
    await screen.type("    ret");
    seen.edge = await screen.untilGhost();
    await screen.press("Escape");
  } finally {
    for (const each of started) each.kill("SIGKILL");
  }
  const killed = Date.now();
  seen.local = await screen.untilStatus("Foretype, local");
  seen.noticed = Date.now() - killed;
  await screen.type("\n\n\ndef more(a, b):\n    ret");
  seen.ghost = await screen.untilGhost();
  await screen.press("Escape");
  seen.notices = await screen.page.locator(".notification-toast").count();
  await screen.saved("outage.py");
  await screen.closeAll();
  return seen;
}

/** Key to ghost text on screen, in milliseconds: from the local model, and from the cache. */
async function latencies(screen) {
  const local = [];
  const cache = [];
  let unsaid = 0;
  await screen.open("latency.py");
  for (let i = 0; i < KEYS; i++) {
    await screen.type(`\n\n\ndef number${i}(a, b):\n    re`, 90);
    if (await screen.ghost().count()) await screen.press("Escape");
    await screen.page.waitForTimeout(300);
    try {
      local.push(await screen.latency(() => screen.type("t")));
      const next = (await screen.firstLine())[0];
      await screen.press("Escape");
      await screen.untilNoGhost();
      cache.push(await screen.latency(() => screen.type(next)));
    } catch (error) {
      unsaid += 1; // the model has nothing to say here
    }
    await screen.press("Escape");
  }
  await screen.saved("latency.py");
  await screen.closeAll();
  return { local, cache, unsaid };
}

module.exports = { python, typescript, steady, indented, menuAndGhost, toggled, outage, latencies };

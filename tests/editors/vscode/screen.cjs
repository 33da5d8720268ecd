// What a person does and sees in VS Code, by way of playwright: files, commands, ghost text, the status item.
const fs = require("node:fs");
const path = require("node:path");

const WAIT = { timeout: 45_000 };
const SPEAKS_MS = 5_000; // a model that has something to say
const SAVING_MS = 400; // until a key that was pressed just now shows in the tab's mark
const GHOST = ".editor-instance .ghost-text-decoration, .editor-instance .ghost-text";
const STATUS = '.statusbar-item[id*="foretype.status"]';

class Screen {
  constructor(page, run) {
    this.page = page;
    this.run = run;
  }

  shot(name) {
    return this.page.screenshot({ path: path.join(this.run, `${name}.png`) });
  }

  ghost() {
    return this.page.locator(GHOST).filter({ visible: true });
  }

  /** The first line of the ghost text; the editor colours it, so that it lies in several elements. */
  async firstLine() {
    const parts = await this.page.locator(".editor-instance .ghost-text-decoration").filter({ visible: true }).allTextContents();
    return parts.join("").replaceAll("\u00a0", " ");
  }

  async untilGhost(wait = WAIT) {
    await this.ghost().first().waitFor(wait);
    return this.firstLine();
  }

  async untilNoGhost() {
    await this.page.waitForFunction((selector) => ![...document.querySelectorAll(selector)].some((element) => element.offsetParent), GHOST, WAIT);
  }

  type(text, delay = 120) {
    return this.page.keyboard.type(text, { delay });
  }

  press(...keys) {
    return keys.reduce((done, key) => done.then(() => this.page.keyboard.press(key)), Promise.resolve());
  }

  async command(name) {
    await this.press("F1");
    await this.type(name, 5);
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: name.replace("Foretype: ", "") }).first().click(WAIT);
  }

  /** Open a file of the workspace in an editor of its own, with the cursor at its end. */
  async open(name) {
    await this.page.locator(".explorer-folders-view .monaco-list-row", { hasText: name }).dblclick(WAIT);
    await this.page.locator(".tab.active", { hasText: name }).waitFor(WAIT);
    await this.page.locator(".editor-instance .view-lines").first().click(WAIT);
    await this.press("Control+End");
  }

  /** Save the active file; its text when what was typed is in it. */
  async saved(name) {
    await this.press("Control+s");
    await this.page.waitForTimeout(SAVING_MS);
    await this.page.locator(".tab.active:not(.dirty)").waitFor(WAIT);
    return fs.readFileSync(path.join(this.run, "ws", name), "utf8");
  }

  async closeAll() {
    await this.command("View: Close All Editors");
    await this.page.locator(".tab").first().waitFor({ ...WAIT, state: "detached" });
  }

  async status() {
    const item = this.page.locator(STATUS);
    return item.evaluate((element) => element.querySelector("[aria-label]")?.getAttribute("aria-label") ?? element.getAttribute("aria-label"));
  }

  async untilStatus(pattern, timeout = WAIT.timeout) {
    await this.page.waitForFunction(([selector, text]) => new RegExp(text).test(document.querySelector(selector)?.outerHTML ?? ""), [STATUS, pattern], { timeout });
    return this.status();
  }

  /** The line of the cursor with its ghost text, each 16 ms, while `act` runs; each text once, in the order it was seen. */
  async sampled(act) {
    await this.page.evaluate((selector) => {
      const top = document.querySelector(selector).closest(".view-line").style.top;
      const read = () => [...document.querySelectorAll(".editor-instance .view-line")].find((line) => line.style.top === top)?.textContent;
      window.samples = { count: 0, texts: [] };
      window.sampler = setInterval(() => {
        const text = (read() ?? "").replaceAll("\u00a0", " ");
        window.samples.count += 1;
        if (window.samples.texts.at(-1) !== text) window.samples.texts.push(text);
      }, 16);
    }, GHOST.split(",")[0]);
    await act();
    return this.page.evaluate(() => {
      clearInterval(window.sampler);
      return window.samples;
    });
  }

  /** Milliseconds from the last key that `act` presses to the frame with new ghost text. */
  async latency(act) {
    await this.page.evaluate((selector) => {
      window.lastKey = undefined;
      window.ghostAt = undefined;
      window.onKey ??= window.addEventListener("keydown", () => { window.lastKey = performance.now(); window.ghostAt = undefined; }, true) ?? true;
      const look = () => {
        const there = [...document.querySelectorAll(selector)].some((element) => element.textContent && element.offsetParent);
        if (there && window.lastKey && !window.ghostAt) window.ghostAt = performance.now();
        if (!there) window.ghostAt = undefined;
        window.looking = requestAnimationFrame(look);
      };
      cancelAnimationFrame(window.looking);
      look();
    }, GHOST);
    await act();
    await this.page.waitForFunction(() => window.ghostAt, null, { timeout: SPEAKS_MS });
    return this.page.evaluate(() => window.ghostAt - window.lastKey);
  }
}

module.exports = { Screen, WAIT };

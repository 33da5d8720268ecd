import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { USER_KEYS } from "../src/pure/options";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const properties: Record<string, { scope: string; markdownDescription?: string }> = manifest.contributes.configuration.properties;
const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => [name, readFileSync(`src/${name}`, "utf8")] as const);

/** Members of inline completion that only extensions with the proposal may use; the editor calls the handlers by name. */
const PROPOSED = [
  "handleDidShowCompletionItem", "handleDidPartiallyAcceptCompletionItem", "handleEndOfLifetime", "handleListEndOfLifetime",
  "handleDidRejectCompletionItem", "requestUuid", "earliestShownDateTime", "isInlineEdit", "showInlineEditMenu", "completeBracketPairs",
  "provideInlineEditsForRange", "debounceDelayMs", "yieldTo", "excludes", "enableForwardStability",
];

test("the manifest asks for no proposed API", () => {
  assert.equal(manifest.enabledApiProposals, undefined);
});

test("no source names a proposed member", () => {
  for (const [name, text] of sources) {
    for (const member of PROPOSED) assert.ok(!new RegExp(`\\b${member}\\b`).test(text), `${name} uses ${member}`);
  }
});

test("the types are those of the oldest editor, so that only its stable API compiles", () => {
  assert.equal(manifest.devDependencies["@types/vscode"], manifest.engines.vscode.replace("^", ""));
  assert.ok(readdirSync("src", { recursive: true, encoding: "utf8" }).every((name) => !/vscode\.proposed/.test(name)));
});

test("the language client draws ghost text by the stable API", () => {
  const feature = readFileSync("node_modules/vscode-languageclient/lib/common/inlineCompletion.js", "utf8");
  for (const member of PROPOSED) assert.ok(!feature.includes(member), member);
});

test("settings that choose programs or where code goes are of machine scope and restricted", () => {
  const narrowing = ["enabled", "languages", "disabledLanguages", "ignore"].map((key) => `foretype.${key}`);
  const restricted: string[] = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
  for (const [key, { scope }] of Object.entries(properties)) {
    if (narrowing.includes(key)) continue;
    assert.equal(scope, "machine", key);
    assert.ok(restricted.includes(key), key);
  }
});

test("every setting that the server gets exists and is described", () => {
  for (const key of Object.keys(USER_KEYS)) assert.ok(properties[`foretype.${key}`]?.markdownDescription, key);
});

test("the keys sent are the server's", () => {
  const rules = readFileSync("../../lsp_server/settings_layers.py", "utf8");
  for (const key of Object.values(USER_KEYS)) assert.ok(rules.includes(`"${key}": Rule(`), key);
});

test("no setting holds the token", () => {
  assert.ok(!Object.keys(properties).some((key) => /token/i.test(key)));
});

test("every command of the manifest is registered", () => {
  const extension = readFileSync("src/extension.ts", "utf8");
  for (const { command } of manifest.contributes.commands) assert.ok(extension.includes(`"${command}":`), command);
});

test("the lock file names no registry", () => {
  assert.ok(!/"resolved"|https?:\/\/[^"]*registry/.test(readFileSync("package-lock.json", "utf8")));
});

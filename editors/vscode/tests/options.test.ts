import assert from "node:assert/strict";
import { test } from "node:test";
import { initializationOptions, narrowing, type Inspect, type Inspected } from "../src/pure/options";

const settings = (set: Record<string, Inspected>): Inspect => (key) => set[key] ?? {};

test("nothing is sent of what the person did not set", () => {
  assert.deepEqual(initializationOptions(settings({}), true), {});
});

test("what the person set is sent by the server's own keys", () => {
  const inspect = settings({ "edge.urls": { user: ["wss://edge/v1/session"] }, debounceMs: { user: 80 } });
  assert.deepEqual(initializationOptions(inspect, true), { "edge.urls": ["wss://edge/v1/session"], debounce_ms: 80 });
});

test("a workspace cannot choose where code goes", () => {
  const hostile = settings({ "edge.urls": { workspace: ["ws://evil"] }, "local.model": { workspace: "/evil.gguf" } });
  assert.deepEqual(initializationOptions(hostile, true), {});
  assert.deepEqual(narrowing(hostile, []), {});
});

test("without the editor's consent telemetry is off, whatever was set", () => {
  assert.deepEqual(initializationOptions(settings({ "telemetry.enabled": { user: true } }), false), { "telemetry.enabled": false });
  assert.deepEqual(initializationOptions(settings({ "telemetry.enabled": { user: true } }), true), { "telemetry.enabled": true });
});

test("enabled, languages and ignore are not sent at the start, where they would outrank a workspace's", () => {
  const inspect = settings({ enabled: { user: true }, languages: { user: ["python"] }, ignore: { user: ["*.env"] } });
  assert.deepEqual(initializationOptions(inspect, true), {});
});

test("a workspace switches off, and cannot switch on what the person switched off", () => {
  assert.deepEqual(narrowing(settings({ enabled: { workspace: false } }), []), { enabled: false });
  assert.deepEqual(narrowing(settings({ enabled: { user: false, workspace: true } }), []), { enabled: false });
  assert.deepEqual(narrowing(settings({ enabled: { user: true, workspace: true } }), []), {});
});

test("a disabled language leaves all others", () => {
  assert.deepEqual(narrowing(settings({ disabledLanguages: { user: ["markdown"] } }), ["go", "markdown", "python"]), { languages: ["go", "python"] });
});

test("languages of the person and of the workspace are cut to those in both", () => {
  const inspect = settings({ languages: { user: ["go", "python"], workspace: ["python", "rust"] } });
  assert.deepEqual(narrowing(inspect, []), { languages: ["python"] });
});

test("a list that leaves no language is not sent empty, which would mean all", () => {
  const inspect = settings({ languages: { user: ["go"] }, disabledLanguages: { user: ["go"] } });
  assert.deepEqual(narrowing(inspect, []), { languages: ["-"] });
});

test("patterns to ignore add up", () => {
  assert.deepEqual(narrowing(settings({ ignore: { user: ["*.env"], workspace: ["*.env", "secrets/"] } }), []), { ignore: ["*.env", "secrets/"] });
});

test("values of a wrong kind are left out", () => {
  assert.deepEqual(narrowing(settings({ ignore: { workspace: "all" }, languages: { workspace: [1, null] } }), []), {});
});

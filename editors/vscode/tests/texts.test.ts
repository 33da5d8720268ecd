import assert from "node:assert/strict";
import { test } from "node:test";
import { explanation } from "../src/pure/explanation";
import { rivals, rivalWarning } from "../src/pure/rivals";
import { statisticsText } from "../src/pure/statisticsText";
import { readStatus, regionOf, statusText } from "../src/pure/statusText";

test("online shows region and latency", () => {
  const { text, spoken } = statusText({ state: "online", detail: "", region: "eu-west" }, undefined, { source: "edge", latencyMs: 41.6 });
  assert.equal(text, "$(cloud) Foretype: eu-west, 42 ms");
  assert.equal(spoken, "Foretype, online, suggestions come from the edge, eu-west, 42 ms. Opens the menu.");
});

test("the host stands for a region that the server does not tell", () => {
  assert.equal(regionOf({ state: "online", detail: "Connected to wss://edge.example:9000/v1/session." }), "edge.example");
  assert.equal(regionOf({ state: "online", detail: "Connected to ws://[::1]:9000/v1/session." }), "[::1]");
});

test("the latency of a cached suggestion is not shown as the edge's", () => {
  const { text } = statusText({ state: "online", detail: "" }, undefined, { source: "cache", latencyMs: 0.2 });
  assert.equal(text, "$(cloud) Foretype: online");
});

test("a document where suggestions are off shows so, with the reason", () => {
  const { text, tooltip } = statusText({ state: "local", detail: "Local." }, "Switched off for markdown.", undefined);
  assert.match(text, /circle-slash/);
  assert.match(tooltip, /Switched off for markdown/);
});

test("an error stays visible in a document where suggestions are off", () => {
  assert.equal(statusText({ state: "error", detail: "Broken." }, "Off here.", undefined).tone, "error");
});

test("each state is spoken without icons", () => {
  for (const state of ["online", "local", "off", "error", "starting", "missing"] as const) {
    assert.doesNotMatch(statusText({ state, detail: "" }, undefined, undefined).spoken, /\$\(/);
  }
});

test("a malformed status is ignored", () => {
  for (const value of [null, 3, {}, { state: "great" }]) assert.equal(readStatus(value), undefined);
  assert.deepEqual(readStatus({ state: "local" }), { state: "local", detail: "" });
});

test("statistics are plain lines with medians", () => {
  const text = statisticsText({ requests: 12, accepted: 3, latency_ms: { answer: { edge: { p50: 40.2, p95: 120 } } } });
  assert.match(text, /^Requests of the editor: 12$/m);
  assert.match(text, /^Edge, answer: median 40 ms, 95th percentile 120 ms$/m);
});

test("statistics of a malformed answer say that there is nothing yet", () => {
  for (const answer of [null, [], { latency_ms: 3 }]) assert.match(statisticsText(answer), /Nothing yet/);
});

test("only active rivals count, by identifier in any case", () => {
  const copilot = { id: "GitHub.copilot", name: "GitHub Copilot", active: true };
  assert.deepEqual(rivals([copilot, { ...copilot, id: "x.y" }, { ...copilot, active: false }]), [copilot]);
  assert.match(rivalWarning([copilot]), /GitHub Copilot.*github\.copilot\.enable/);
});

test("the last suggestion is explained by source, time and size", () => {
  const last = { source: "local", latencyMs: 88.4, characters: 20, lines: 1, language: "python", invoked: false };
  assert.match(explanation(last, { state: "local", detail: "" }), /\(1 line, 20 characters of python\) came from the model on this machine, 88 ms after you typed/);
  assert.match(explanation(undefined, { state: "error", detail: "No Python." }), /no suggestion in this window yet.*No Python/);
});

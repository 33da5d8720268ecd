import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { installPlan, LLAMA_REQUIREMENT, LLAMA_WHEELS, readMarker, requirement, whyNoPlan, withoutLocal, type Wishes } from "../src/pure/installPlan";

const WISHES: Wishes = {
  python: { command: "/usr/bin/python3.12", args: [] },
  environment: "/storage/server",
  platform: "linux",
  version: "0.1.3",
  wheels: "",
  local: true,
  compiler: true,
};
const names = (wishes: Partial<Wishes>): string[] => installPlan({ ...WISHES, ...wishes }).map((step) => step.name);

test("llama.cpp is taken prebuilt, else compiled", () => {
  const steps = installPlan(WISHES);
  assert.deepEqual(steps.map((step) => step.name), ["environment", "server", "prebuilt", "compiled", "local"]);
  const prebuilt = steps.find((step) => step.name === "prebuilt");
  assert.equal(prebuilt?.onFailure, "try-next");
  assert.equal(prebuilt?.replaces, "compiled");
});

test("without a compiler and a prebuilt llama.cpp the server works with an edge only", () => {
  assert.deepEqual(names({ compiler: false }), ["environment", "server", "prebuilt", "local"]);
  assert.equal(installPlan({ ...WISHES, compiler: false })[2]?.onFailure, "edge-only");
  assert.match(withoutLocal({ wheels: "", compiler: false, platform: "linux" }), /no C\+\+ compiler.*edge only/);
});

test("llama.cpp is not installed for a person who does not want the local model", () => {
  assert.deepEqual(names({ local: false }), ["environment", "server"]);
});

test("the llama.cpp project's index can give llama.cpp only", () => {
  for (const { args } of installPlan(WISHES)) {
    if (args.includes(LLAMA_WHEELS)) {
      assert.ok(args.includes("--no-deps"));
      assert.equal(args.at(-1), LLAMA_REQUIREMENT);
    }
  }
});

test("with a folder of wheels nothing is fetched", () => {
  const steps = installPlan({ ...WISHES, wheels: "/wheels" });
  assert.deepEqual(steps.map((step) => step.name), ["environment", "server", "local"]);
  for (const { args } of steps.slice(1)) assert.deepEqual(args.filter((arg) => arg === "--no-index" || arg === "/wheels"), ["--no-index", "/wheels"]);
});

test("every Python runs isolated from the folder it is started in", () => {
  for (const { args } of installPlan({ ...WISHES, python: { command: "py", args: ["-3"] } })) assert.ok(args.includes("-I"));
});

test("on Windows the environment's programs are in Scripts", () => {
  assert.equal(installPlan({ ...WISHES, environment: "C:\\s", platform: "win32" })[1]?.command, "C:\\s\\Scripts\\python.exe");
});

test("the server is of the extension's series", () => {
  assert.equal(requirement("0.1.3"), "foretype~=0.1.0");
  assert.equal(requirement("0.1.3", "[local]"), "foretype[local]~=0.1.0");
});

test("llama.cpp's version is the one that pyproject.toml wants", () => {
  assert.ok(readFileSync("../../pyproject.toml", "utf8").includes(`"${LLAMA_REQUIREMENT}"`));
});

test("an environment with a broken marker counts as unfinished", () => {
  assert.deepEqual(readMarker('{"version":"0.1.0","local":true}'), { version: "0.1.0", local: true });
  for (const text of ["", "{", "null", "[]", '{"version":1,"local":true}']) assert.equal(readMarker(text), undefined);
});

test("nothing of our name is taken from an index where it may be somebody else's", () => {
  assert.match(whyNoPlan("", false) ?? "", /foretype\.server\.wheels/);
  assert.equal(whyNoPlan("/wheels", false), undefined);
  assert.equal(whyNoPlan("", true), undefined);
});

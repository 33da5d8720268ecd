import assert from "node:assert/strict";
import { test } from "node:test";
import { compareVersions, serverProblem, versionIn } from "../src/pure/versions";

test("a version is read from what a program prints", () => {
  assert.deepEqual(versionIn("foretype-lsp 0.1.12"), [0, 1, 12]);
  assert.equal(versionIn("no number"), undefined);
});

test("versions are compared as numbers, not as text", () => {
  assert.ok(compareVersions([3, 9], [3, 11]) < 0);
  assert.equal(compareVersions([3, 11], [3, 11, 0]), 0);
});

test("before 1.0 a server of another minor version is refused", () => {
  assert.equal(serverProblem([0, 1, 9], [0, 1, 0]), undefined);
  assert.match(serverProblem([0, 2, 0], [0, 1, 0]) ?? "", /needs 0\.1\.x/);
});

test("from 1.0 on only the major version counts", () => {
  assert.equal(serverProblem([1, 4, 0], [1, 2, 3]), undefined);
  assert.match(serverProblem([2, 0, 0], [1, 2, 3]) ?? "", /needs 1\.x/);
});

test("a program that tells no version is refused", () => {
  assert.match(serverProblem(undefined, [0, 1, 0]) ?? "", /not foretype-lsp/);
});

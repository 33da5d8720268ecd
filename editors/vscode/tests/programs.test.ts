import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../src/programs";

test("a program's output and exit code come back", async () => {
  assert.deepEqual(await run(process.execPath, ["-e", "console.log(1 + 1); process.exit(3)"]), { code: 3, stdout: "2\n" });
});

test("a program that does not exist ends without an error thrown", async () => {
  assert.equal((await run("/no/such/program", [])).code, null);
});

test("lines of both outputs are told, also the last without a line break", async () => {
  const lines: string[] = [];
  await run(process.execPath, ["-e", "console.log('out'); process.stderr.write('err')"], { onLine: (line) => lines.push(line) });
  assert.deepEqual(lines.sort(), ["err", "out"]);
});

test("cancelling ends the program and what it started", { skip: process.platform === "win32" }, async () => {
  const cancel = new AbortController();
  const child = "require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }); setInterval(() => {}, 1000); console.log('up')";
  const ended = run(process.execPath, ["-e", child], { signal: cancel.signal, onLine: () => cancel.abort() });
  assert.equal((await ended).code, null); // it settles when the last holder of the output is gone
});

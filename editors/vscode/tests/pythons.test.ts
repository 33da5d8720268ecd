import assert from "node:assert/strict";
import { test } from "node:test";
import { howToGetPython, pythonCandidates, pythonProblem, searchPath } from "../src/pure/pythons";

const among = (...files: string[]) => (file: string): boolean => files.includes(file);

test("only the Python of the settings is tried where one is named", () => {
  assert.deepEqual(pythonCandidates("/opt/py/bin/python", ["/usr/bin"], "linux", among("/usr/bin/python3")), [{ command: "/opt/py/bin/python", args: [] }]);
});

test("a Python that wheels exist for goes before an older and a plain one", () => {
  const found = pythonCandidates("", ["/usr/bin"], "linux", among("/usr/bin/python3", "/usr/bin/python3.11", "/usr/bin/python3.13"));
  assert.deepEqual(found.map((each) => each.command), ["/usr/bin/python3.13", "/usr/bin/python3.11", "/usr/bin/python3"]);
});

test("Homebrew's folder is searched even if PATH lacks it, as in editors started from the Dock", () => {
  const found = pythonCandidates("", [], "darwin", among("/opt/homebrew/bin/python3.13"));
  assert.equal(found[0]?.command, "/opt/homebrew/bin/python3.13");
});

test("on Windows the launcher is asked first", () => {
  const found = pythonCandidates("", ["C:\\Windows"], "win32", among("C:\\Windows\\py.exe", "C:\\Windows\\python.exe"));
  assert.deepEqual(found[0], { command: "C:\\Windows\\py.exe", args: ["-3"] });
});

test("PATH entries that are relative or inside an open workspace are left out", () => {
  assert.deepEqual(searchPath("bin:/repo/.venv/bin:/usr/bin:.:/repository/bin:/usr/bin", ["/repo"], "linux"), ["/usr/bin", "/repository/bin"]);
});

test("an old Python, one without venv and one that does not run are told apart", () => {
  assert.equal(pythonProblem(0, "3.12.4\n"), undefined);
  assert.match(pythonProblem(0, "3.10.2\n") ?? "", /3\.11 or later/);
  assert.match(pythonProblem(1, "3.12.4\n") ?? "", /without venv/);
  assert.match(pythonProblem(null, "") ?? "", /does not run/);
});

test("without Python the sentence says what was found and what to do", () => {
  const sentence = howToGetPython("linux", ["/usr/bin/python3: it is Python 3.9.2, and 3.11 or later is needed"]);
  assert.match(sentence, /3\.9\.2/);
  assert.match(sentence, /apt install python3/);
  assert.match(sentence, /foretype\.python\.path/);
});

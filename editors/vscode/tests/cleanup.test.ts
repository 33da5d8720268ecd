import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { removable } from "../src/pure/cleanup";

const ID = "foretype.foretype";

test("the extension's own storage may be removed", () => {
  assert.equal(removable("/u/User/globalStorage/foretype.foretype\n", ID, path.posix), "/u/User/globalStorage/foretype.foretype");
  assert.equal(removable("C:\\u\\globalStorage\\foretype.foretype", ID, path.win32), "C:\\u\\globalStorage\\foretype.foretype");
});

test("any other folder is kept", () => {
  for (const note of ["", "/", "/home/me", "globalStorage/foretype.foretype", "/u/globalStorage/other.one", "/u/foretype.foretype", "/u/globalStorage/foretype.foretype/.."]) {
    assert.equal(removable(note, ID, path.posix), undefined, note);
  }
});

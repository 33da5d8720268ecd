import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptedPart, type Shown } from "../src/pure/partial";

const SHOWN: Shown = { uri: "file:///a.py", offset: 10, text: "return a + b" };
const inserted = (text: string, change = {}): number => acceptedPart(SHOWN, { uri: SHOWN.uri, offset: 10, removed: 0, inserted: text, ...change });

test("a word of the suggestion that arrives in one piece was accepted", () => assert.equal(inserted("return"), 6));
test("a single character may have been typed", () => assert.equal(inserted("r"), 0));
test("the whole suggestion is reported by its command", () => assert.equal(inserted(SHOWN.text), 0));
test("other text is no acceptance", () => assert.equal(inserted("result"), 0));
test("an edit elsewhere is no acceptance", () => assert.equal(inserted("return", { offset: 9 }), 0));
test("a replacement is no acceptance", () => assert.equal(inserted("return", { removed: 2 }), 0));
test("another document is no acceptance", () => assert.equal(inserted("return", { uri: "file:///b.py" }), 0));
test("nothing was shown, so nothing was accepted", () => assert.equal(acceptedPart(undefined, { uri: "", offset: 0, removed: 0, inserted: "ab" }), 0));

test("the Enter key with indentation is no acceptance", () => {
  const shown = { ...SHOWN, text: "\n    return a" };
  assert.equal(acceptedPart(shown, { uri: shown.uri, offset: 10, removed: 0, inserted: "\n    " }), 0);
});

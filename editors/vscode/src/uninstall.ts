// Run by the editor when the extension was uninstalled: removes the environment that it made.
import { readFileSync, rmSync } from "node:fs";
import * as path from "node:path";
import { removable, STORAGE_NOTE } from "./pure/cleanup";
import { name, publisher } from "../package.json";

try {
  const folder = removable(readFileSync(path.join(__dirname, STORAGE_NOTE), "utf8"), `${publisher}.${name}`);
  if (folder) rmSync(folder, { recursive: true, force: true });
} catch {
  // It was never active: there is nothing to remove.
}

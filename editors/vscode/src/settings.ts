// The extension's settings as the editor holds them.
import * as vscode from "vscode";
import type { Inspect } from "./pure/options";

export const SECTION = "foretype";

/** Who set what; a folder's value counts as the workspace's. */
export function inspector(): Inspect {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  return (key) => {
    const found = configuration.inspect(key);
    return { user: found?.globalValue, workspace: found?.workspaceFolderValue ?? found?.workspaceValue };
  };
}

/** A text that only the user may set; machine scope keeps a repository's out, and this does once more. */
export function userText(key: string): string {
  const value = inspector()(key).user;
  return typeof value === "string" ? expandHome(value.trim()) : "";
}

function expandHome(text: string): string {
  const home = process.env.HOME ?? process.env.USERPROFILE;
  return home && /^~(?=[/\\])/.test(text) ? home + text.slice(1) : text;
}

// Warns once when another extension shows ghost text.
import * as vscode from "vscode";
import { rivals, rivalWarning } from "./pure/rivals";

const TOLD = "foretype.rivals.told";

export async function warnOfRivals(memory: vscode.Memento, log: vscode.LogOutputChannel): Promise<void> {
  const found = rivals(
    vscode.extensions.all.map(({ id, isActive, packageJSON }) => ({
      id,
      active: isActive,
      name: String((packageJSON as { displayName?: unknown }).displayName ?? id),
    })),
  );
  if (found.length === 0 || memory.get(TOLD) === true) return;
  await memory.update(TOLD, true);
  const warning = rivalWarning(found);
  log.warn(warning);
  const show = "Show extensions";
  if ((await vscode.window.showWarningMessage(warning, show)) === show) {
    await vscode.commands.executeCommand("workbench.extensions.search", found.map(({ id }) => `@id:${id}`).join(" "));
  }
}

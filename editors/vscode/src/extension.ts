// The extension's door: what the editor calls, and the commands.
import { promises as fs } from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { openSample } from "./documents";
import { Foretype } from "./foretype";
import { showMenu } from "./menu";
import { STORAGE_NOTE } from "./pure/cleanup";
import { warnOfRivals } from "./rivalNotice";
import { toggleAll, toggleLanguage, toggleWorkspace } from "./switches";

/** Milliseconds after which other extensions have mostly become active. */
const RIVALS_MS = 15_000;

let running: Foretype | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Foretype", { log: true });
  const foretype = new Foretype(context, log);
  running = foretype;
  const commands: Readonly<Record<string, () => unknown>> = {
    "foretype.showMenu": () => showMenu(foretype.current),
    "foretype.install": () => foretype.install(),
    "foretype.restart": () => foretype.restart(),
    "foretype.openLog": () => log.show(),
    "foretype.openSettings": () => vscode.commands.executeCommand("workbench.action.openSettings", `@ext:${context.extension.id}`),
    "foretype.showStatistics": () => foretype.showStatistics(),
    "foretype.explainLast": () => foretype.explainLast(),
    "foretype.setToken": () => foretype.token.ask(),
    "foretype.trySample": openSample,
    "foretype.toggle": toggleAll,
    "foretype.toggleWorkspace": toggleWorkspace,
    "foretype.toggleLanguage": () => {
      const language = vscode.window.activeTextEditor?.document.languageId;
      return language ? toggleLanguage(language) : vscode.window.showInformationMessage("Foretype: no file is open, so there is no language to switch.");
    },
  };
  const rivals = setTimeout(() => void warnOfRivals(context.globalState, log), RIVALS_MS);
  context.subscriptions.push(
    log,
    foretype,
    ...Object.entries(commands).map(([name, run]) => vscode.commands.registerCommand(name, run)),
    new vscode.Disposable(() => clearTimeout(rivals)),
  );
  // For the uninstall hook, which runs without the editor. An extension folder that cannot be written keeps its storage.
  void fs.writeFile(path.join(context.extensionPath, "dist", STORAGE_NOTE), context.globalStorageUri.fsPath).catch(() => undefined);
  void foretype.restart();
}

export async function deactivate(): Promise<void> {
  await running?.stop();
}

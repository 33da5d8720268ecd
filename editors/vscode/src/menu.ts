// The menu behind the status-bar item.
import * as vscode from "vscode";
import type { Status } from "./pure/statusText";
import { inspector } from "./settings";

interface Entry extends vscode.QuickPickItem {
  readonly command?: string;
}

export async function showMenu(status: Status): Promise<void> {
  const inspect = inspector();
  const language = vscode.window.activeTextEditor?.document.languageId;
  const disabled = inspect("disabledLanguages").user;
  const isDisabled = Array.isArray(disabled) && disabled.includes(language);
  const verb = (off: boolean): string => (off ? "Switch on" : "Switch off");
  const entries: Entry[] = [
    ...(status.state === "missing" ? [{ label: "$(cloud-download) Install the language server", command: "foretype.install" }] : []),
    { label: `$(circle-slash) ${verb(inspect("enabled").user === false)} everywhere`, command: "foretype.toggle" },
    ...(language ? [{ label: `$(file-code) ${verb(isDisabled)} for ${language}`, command: "foretype.toggleLanguage" }] : []),
    ...(vscode.workspace.workspaceFolders?.length
      ? [{ label: `$(root-folder) ${verb(inspect("enabled").workspace === false)} in this workspace`, command: "foretype.toggleWorkspace" }]
      : []),
    { label: "", kind: vscode.QuickPickItemKind.Separator },
    { label: "$(graph) Statistics", command: "foretype.showStatistics" },
    { label: "$(question) Explain the last suggestion", command: "foretype.explainLast" },
    { label: "$(debug-restart) Restart", command: "foretype.restart" },
    { label: "$(output) Open the log", command: "foretype.openLog" },
    { label: "$(gear) Settings", command: "foretype.openSettings" },
  ];
  const picked = await vscode.window.showQuickPick(entries, { title: "Foretype", placeHolder: status.detail });
  if (picked?.command) await vscode.commands.executeCommand(picked.command);
}

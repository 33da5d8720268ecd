// Switching suggestions off and on: for all, for a language, for this workspace.
import * as vscode from "vscode";
import { allowedLanguages } from "./pure/options";
import { inspector, SECTION } from "./settings";

/** Why suggestions are off in `document` by a setting of this editor; undefined if they are on. */
export function offBySetting(document: vscode.TextDocument | undefined): string | undefined {
  const inspect = inspector();
  if (inspect("enabled").user === false) return "Switched off by you (foretype.enabled).";
  if (inspect("enabled").workspace === false) return "Switched off in this workspace (foretype.enabled).";
  if (!document) return undefined;
  const allowed = allowedLanguages(inspect, [document.languageId]);
  return allowed && !allowed.includes(document.languageId) ? `Switched off for ${document.languageId}.` : undefined;
}

export async function toggleAll(): Promise<void> {
  const on = inspector()("enabled").user !== false;
  await write("enabled", on ? false : undefined, vscode.ConfigurationTarget.Global);
}

export async function toggleWorkspace(): Promise<void> {
  if (!vscode.workspace.workspaceFolders?.length) {
    void vscode.window.showInformationMessage("Foretype: no folder is open, so there is no workspace to switch off.");
    return;
  }
  const on = inspector()("enabled").workspace !== false;
  await write("enabled", on ? false : undefined, vscode.ConfigurationTarget.Workspace);
}

export async function toggleLanguage(language: string): Promise<void> {
  const value = inspector()("disabledLanguages").user;
  const disabled = new Set(Array.isArray(value) ? value.filter((id): id is string => typeof id === "string") : []);
  if (!disabled.delete(language)) disabled.add(language);
  await write("disabledLanguages", disabled.size > 0 ? [...disabled].sort() : undefined, vscode.ConfigurationTarget.Global);
}

async function write(key: string, value: unknown, target: vscode.ConfigurationTarget): Promise<void> {
  await vscode.workspace.getConfiguration(SECTION).update(key, value, target);
}

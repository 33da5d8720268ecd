// The status-bar item: one glance at where suggestions come from.
import * as vscode from "vscode";
import { statusText, type Status, type Suggestion } from "./pure/statusText";

export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;

  constructor(command: string) {
    this.item = vscode.window.createStatusBarItem("foretype.status", vscode.StatusBarAlignment.Right, 100);
    this.item.name = "Foretype";
    this.item.command = command;
  }

  show(status: Status, offHere: string | undefined, last: Suggestion | undefined): void {
    const { text, tooltip, spoken, tone } = statusText(status, offHere, last);
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label: spoken, role: "button" };
    this.item.backgroundColor = tone === "normal" ? undefined : new vscode.ThemeColor(`statusBarItem.${tone}Background`);
    this.item.show();
  }

  dispose(): void {
    this.item.dispose();
  }
}

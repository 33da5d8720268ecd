// The edge's token: kept by the editor's secret storage, given to the server in its environment, shown nowhere.
import * as vscode from "vscode";

const KEY = "foretype.edge.token";

export class Token {
  constructor(private readonly secrets: vscode.SecretStorage) {}

  async get(): Promise<string | undefined> {
    return this.secrets.get(KEY);
  }

  /** Ask the person for it; an empty entry removes it. */
  async ask(): Promise<void> {
    const value = await vscode.window.showInputBox({
      title: "Foretype: token of the edge",
      prompt: "It is kept in the editor's secret storage. Leave it empty to remove it.",
      password: true,
      ignoreFocusOut: true,
    });
    if (value === undefined) return;
    if (value.trim()) await this.secrets.store(KEY, value.trim());
    else await this.secrets.delete(KEY);
  }

  onDidChange(listener: () => void): vscode.Disposable {
    return this.secrets.onDidChange((event) => {
      if (event.key === KEY) listener();
    });
  }
}

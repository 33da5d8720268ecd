// Texts that the extension shows: statistics, and a sample to try it in.
import * as vscode from "vscode";

const SCHEME = "foretype";
const STATISTICS = vscode.Uri.from({ scheme: SCHEME, path: "/Foretype statistics.txt" });

const SAMPLE = `# Type below the last line and pause: the suggestion stands behind the cursor, in grey.
# Tab accepts it, Ctrl+Right (Cmd+Right on macOS) takes one word, Escape hides it.


def add(a, b):
    return a + b


def subtract(a, b):
    `;

export class Statistics implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private text = "";
  private readonly emitter = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.emitter.event;
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);

  provideTextDocumentContent(): string {
    return this.text;
  }

  async show(text: string): Promise<void> {
    this.text = text;
    this.emitter.fire(STATISTICS);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(STATISTICS), { preview: true });
  }

  dispose(): void {
    this.registration.dispose();
    this.emitter.dispose();
  }
}

export async function openSample(): Promise<void> {
  const document = await vscode.workspace.openTextDocument({ language: "python", content: SAMPLE });
  const editor = await vscode.window.showTextDocument(document);
  const end = document.lineAt(document.lineCount - 1).range.end;
  editor.selection = new vscode.Selection(end, end);
}

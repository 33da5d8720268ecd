// Inline completion as it passes: when no request is made, and what is remembered of the answers.
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import type { Remembered } from "./pure/explanation";
import { acceptedPart, type Shown } from "./pure/partial";

const DID_ACCEPT_PARTLY = "textDocument/didPartiallyAcceptCompletion";

/** What the server's command carries. */
interface Argument {
  readonly id: number;
  readonly source: string;
  readonly latencyMs: number;
}

type Next = Parameters<NonNullable<Middleware["provideInlineCompletionItems"]>>[4];
type Notify = (method: string, params: unknown) => void;

export class Inline implements vscode.Disposable {
  last: Remembered | undefined;
  private shown: (Shown & { readonly argument: Argument }) | undefined;
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidSuggest = this.changed.event;
  private readonly subscription: vscode.Disposable;

  /** `isOff` says whether suggestions are switched off in a document; `notify` reaches the server. */
  constructor(
    private readonly isOff: (document: vscode.TextDocument) => boolean,
    private readonly notify: Notify,
  ) {
    this.subscription = vscode.workspace.onDidChangeTextDocument((event) => this.edited(event));
  }

  readonly provide = async (
    document: vscode.TextDocument,
    position: vscode.Position,
    context: vscode.InlineCompletionContext,
    token: vscode.CancellationToken,
    next: Next,
  ): Promise<vscode.InlineCompletionItem[] | vscode.InlineCompletionList | null | undefined> => {
    if (this.isOff(document) || hasSelection(document)) return undefined;
    const invoked = context.triggerKind === vscode.InlineCompletionTriggerKind.Invoke;
    const answer = await next(document, position, context, token);
    if (!token.isCancellationRequested) this.remember(document, position, answer, invoked);
    return answer;
  };

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }

  private remember(
    document: vscode.TextDocument,
    position: vscode.Position,
    answer: vscode.InlineCompletionItem[] | vscode.InlineCompletionList | null | undefined,
    invoked: boolean,
  ): void {
    this.shown = undefined;
    const item = Array.isArray(answer) ? answer[0] : answer?.items[0];
    const argument: unknown = item?.command?.arguments?.[0];
    if (!item || typeof item.insertText !== "string" || !isArgument(argument)) return;
    const text = item.insertText;
    this.last = {
      source: argument.source,
      latencyMs: argument.latencyMs,
      characters: text.length,
      lines: text.split("\n").length,
      language: document.languageId,
      invoked,
    };
    // With an item of the menu selected the text replaces a range, and its parts cannot be told from typing.
    if (!item.range || (item.range instanceof vscode.Range && item.range.isEmpty)) {
      this.shown = { uri: document.uri.toString(), offset: document.offsetAt(position), text, argument };
    }
    this.changed.fire();
  }

  private edited(event: vscode.TextDocumentChangeEvent): void {
    const [change, ...others] = event.contentChanges;
    if (!change || others.length > 0 || event.reason !== undefined || !this.shown) return;
    const uri = event.document.uri.toString();
    if (uri !== this.shown.uri) return;
    const units = acceptedPart(this.shown, { uri, offset: change.rangeOffset, removed: change.rangeLength, inserted: change.text });
    const { argument, text } = this.shown;
    this.shown = undefined;
    if (units > 0) {
      const item = { insertText: text, command: { title: "", command: "foretype.accepted", arguments: [argument] } };
      this.notify(DID_ACCEPT_PARTLY, { item, acceptedLength: units });
    }
  }
}

/** Whether text is selected, or there are several cursors: what is typed then is not continued. */
function hasSelection(document: vscode.TextDocument): boolean {
  const editor = vscode.window.activeTextEditor;
  return editor?.document === document && (editor.selections.length > 1 || !editor.selection.isEmpty);
}

function isArgument(value: unknown): value is Argument {
  if (typeof value !== "object" || value === null) return false;
  const { id, source, latencyMs } = value as Record<string, unknown>;
  return typeof id === "number" && typeof source === "string" && typeof latencyMs === "number";
}

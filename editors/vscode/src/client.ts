// The connection to the language server: what it is given, and which documents it sees.
import * as vscode from "vscode";
import { LanguageClient, RevealOutputChannelOn, TransportKind, type LanguageClientOptions, type ServerOptions } from "vscode-languageclient/node";
import type { Inline } from "./inline";
import { initializationOptions, narrowing, TOKEN_VARIABLE } from "./pure/options";
import { inspector, SECTION } from "./settings";

/** Files (local, or of the remote machine where this runs), new ones, and the cells of notebooks. */
const DOCUMENTS = ["file", "untitled", "vscode-notebook-cell"].map((scheme) => ({ scheme }));

export interface ClientParts {
  readonly command: string;
  readonly token: string | undefined;
  readonly cwd: string;
  readonly log: vscode.LogOutputChannel;
  readonly inline: Inline;
}

export function makeClient(parts: ClientParts): LanguageClient {
  const server: ServerOptions = {
    command: parts.command,
    transport: TransportKind.stdio,
    // Of the extension's own: a program is not run in a folder that a repository fills.
    options: { cwd: parts.cwd, env: { ...process.env, ...(parts.token ? { [TOKEN_VARIABLE]: parts.token } : {}) } },
  };
  const options: LanguageClientOptions = {
    documentSelector: DOCUMENTS,
    outputChannel: parts.log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationOptions: initializationOptions(inspector(), vscode.env.isTelemetryEnabled),
    initializationFailedHandler: () => false,
    synchronize: { configurationSection: SECTION },
    middleware: {
      provideInlineCompletionItems: parts.inline.provide,
      workspace: {
        configuration: async (params) => {
          const told = narrowing(inspector(), await vscode.languages.getLanguages());
          return params.items.map((item) => (item.section === SECTION ? told : null));
        },
        // Only that something changed; the server asks for what it may know.
        didChangeConfiguration: async (_sections, next) => next([]),
      },
    },
  };
  return new LanguageClient(SECTION, "Foretype", server, options);
}

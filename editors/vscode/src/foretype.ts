// One window's Foretype: the server's life, its state, and what the person asks of it.
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { State as ClientState } from "vscode-languageclient/node";
import { makeClient } from "./client";
import { Environment, InstallError } from "./environment";
import { Inline } from "./inline";
import { explanation } from "./pure/explanation";
import { USER_KEYS } from "./pure/options";
import { readStatus, type Status } from "./pure/statusText";
import { statisticsText } from "./pure/statisticsText";
import { serverProgram } from "./serverProgram";
import { SECTION } from "./settings";
import { StatusBar } from "./statusBar";
import { Statistics } from "./documents";
import { offBySetting } from "./switches";
import { Token } from "./token";

/** Settings that take effect with a new server. */
const RESTARTING = [...Object.keys(USER_KEYS), "server.path"].map((key) => `${SECTION}.${key}`);
/** Milliseconds in which several changes of settings become one restart. */
const SETTLE_MS = 500;

const MISSING: Status = { state: "missing", detail: "The language server is not installed." };

export class Foretype implements vscode.Disposable {
  readonly token: Token;
  private client: LanguageClient | undefined;
  private status: Status = { state: "starting", detail: "Starting." };
  private readonly environment: Environment;
  private readonly bar = new StatusBar("foretype.showMenu");
  private readonly statistics = new Statistics();
  private readonly inline: Inline;
  private readonly subscriptions: vscode.Disposable[] = [];
  private turn: Promise<void> = Promise.resolve();
  private installing = false;
  private settling: NodeJS.Timeout | undefined;

  constructor(
    private readonly context: vscode.ExtensionContext,
    readonly log: vscode.LogOutputChannel,
  ) {
    this.token = new Token(context.secrets);
    this.environment = new Environment(this.storage, this.version, log);
    const isOff = (document: vscode.TextDocument): boolean => offBySetting(document) !== undefined;
    this.inline = new Inline(isOff, (method, params) => {
      if (this.client?.state === ClientState.Running) void this.client.sendNotification(method, params);
    });
    this.subscriptions.push(
      this.inline,
      this.inline.onDidSuggest(() => this.refresh()),
      vscode.window.onDidChangeActiveTextEditor(() => this.refresh()),
      vscode.workspace.onDidChangeConfiguration((event) => this.configured(event)),
      vscode.env.onDidChangeTelemetryEnabled(() => this.restartSoon()),
      this.token.onDidChange(() => this.restartSoon()),
    );
    this.refresh();
  }

  get current(): Status {
    return this.status;
  }

  private get storage(): string {
    return this.context.globalStorageUri.fsPath;
  }

  private get version(): string {
    return String((this.context.extension.packageJSON as { version: unknown }).version);
  }

  /** Stop the server if it runs, and start it anew. One call after the other. */
  restart(): Promise<void> {
    this.turn = this.turn.then(() => this.restartNow()).catch((error: unknown) => this.fail(String(error)));
    return this.turn;
  }

  /** Install the server anew, then start it; nothing if that is under way. */
  async install(): Promise<void> {
    if (this.installing) return;
    this.installing = true;
    try {
      await this.turn;
      await this.stop(); // on Windows, a program that runs cannot be replaced
      this.set({ state: "starting", detail: "The language server is being installed." });
      const marker = await this.environment.install();
      if (marker?.withoutLocal) {
        this.log.warn(marker.withoutLocal);
        void vscode.window.showWarningMessage(`Foretype: ${marker.withoutLocal}`);
      }
    } catch (error) {
      if (!(error instanceof InstallError)) throw error;
      this.fail(error.message);
      void this.tell(error.message);
      return;
    } finally {
      this.installing = false;
    }
    await this.restart();
  }

  async showStatistics(): Promise<void> {
    if (this.client?.state !== ClientState.Running) {
      void vscode.window.showInformationMessage("Foretype: the language server does not run, so there are no statistics.");
      return;
    }
    await this.statistics.show(statisticsText(await this.client.sendRequest("foretype/stats", {})));
  }

  explainLast(): void {
    void vscode.window.showInformationMessage(explanation(this.inline.last, this.status));
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    // A client that did not start rejects; there is nothing to stop then.
    await client?.dispose().catch((error: unknown) => this.log.info(`The server did not stop by itself: ${String(error)}`));
  }

  dispose(): void {
    clearTimeout(this.settling);
    vscode.Disposable.from(...this.subscriptions, this.bar, this.statistics).dispose();
  }

  private async restartNow(): Promise<void> {
    if (this.installing) return; // it ends with a restart of its own
    await this.stop();
    this.set({ state: "starting", detail: "The language server is starting." });
    await vscode.workspace.fs.createDirectory(this.context.globalStorageUri);
    const program = await serverProgram(this.environment, this.version, this.storage);
    if (!program) {
      this.set(MISSING);
      void this.offer();
      return;
    }
    if ("problem" in program) {
      this.fail(program.problem);
      void this.tell(program.problem);
      return;
    }
    const { log, inline } = this;
    const client = makeClient({ command: program.command, token: await this.token.get(), cwd: this.storage, log, inline });
    client.onNotification("foretype/status", (value: unknown) => {
      const status = readStatus(value);
      if (status && this.client === client) this.set(status);
    });
    client.onDidChangeState(({ newState }) => {
      if (newState === ClientState.Stopped && this.client === client) this.fail("The language server stopped. The log says why; restart it from this menu.");
    });
    this.client = client;
    try {
      await client.start();
    } catch (error) {
      this.fail(`The language server did not start: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async offer(): Promise<void> {
    const [install, choose] = ["Install", "Use one I have"];
    const picked = await vscode.window.showInformationMessage(
      "Foretype needs its language server. It can be installed now, into a Python environment of its own; nothing else is changed.",
      install,
      choose,
    );
    if (picked === install) await this.install();
    if (picked === choose) await vscode.commands.executeCommand("workbench.action.openSettings", "foretype.server.path");
  }

  private async tell(message: string): Promise<void> {
    const log = "Open the log";
    if ((await vscode.window.showErrorMessage(`Foretype: ${message}`, log)) === log) this.log.show();
  }

  private configured(event: vscode.ConfigurationChangeEvent): void {
    if (!event.affectsConfiguration(SECTION)) return;
    this.refresh();
    if (RESTARTING.some((key) => event.affectsConfiguration(key))) this.restartSoon();
  }

  private restartSoon(): void {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => void this.restart(), SETTLE_MS);
  }

  private fail(detail: string): void {
    this.log.error(detail);
    this.set({ state: "error", detail });
  }

  private set(status: Status): void {
    this.status = status;
    this.refresh();
  }

  private refresh(): void {
    this.bar.show(this.status, offBySetting(vscode.window.activeTextEditor?.document), this.inline.last);
  }
}

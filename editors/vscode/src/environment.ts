// The managed environment under the extension's storage: made by a plan, step by step, with progress.
import { existsSync, promises as fs, readFileSync } from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { run } from "./programs";
import { environmentServer, installPlan, MARKER, readMarker, whyNoPlan, withoutLocal, type Marker, type Wishes } from "./pure/installPlan";
import { howToGetPython, programOnPath } from "./pure/pythons";
import { findPython, isFile, machinePath } from "./python";
import { inspector, userText } from "./settings";

const COMPILERS = process.platform === "win32" ? ["cl", "clang++", "g++"] : ["c++", "g++", "clang++"];

/** Thrown where the environment cannot be made; the message is for the person. */
export class InstallError extends Error {}

export class Environment {
  private readonly folder: string;

  constructor(
    private readonly storage: string,
    private readonly version: string,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.folder = path.join(storage, "server");
  }

  /** What is installed; undefined if nothing is, or if it was left unfinished. */
  get marker(): Marker | undefined {
    try {
      return readMarker(readFileSync(path.join(this.folder, MARKER), "utf8"));
    } catch {
      return undefined;
    }
  }

  /** The server's program, whether or not it is there. */
  get server(): string {
    return environmentServer(this.folder, process.platform);
  }

  get isInstalled(): boolean {
    return this.marker !== undefined && existsSync(this.server);
  }

  /** Make it anew. Raises InstallError; undefined if the person cancelled. */
  async install(): Promise<Marker | undefined> {
    await fs.mkdir(this.storage, { recursive: true });
    const release = await this.lock();
    try {
      return await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: "Foretype", cancellable: true },
        async (progress, token) => {
          const cancel = new AbortController();
          token.onCancellationRequested(() => cancel.abort());
          return await this.make(progress, cancel.signal);
        },
      );
    } finally {
      await release();
    }
  }

  async remove(): Promise<void> {
    await fs.rm(this.folder, { recursive: true, force: true });
  }

  private async make(progress: vscode.Progress<{ message?: string }>, signal: AbortSignal): Promise<Marker | undefined> {
    progress.report({ message: "Looking for Python" });
    const python = await findPython(this.storage, signal);
    if (signal.aborted) return undefined;
    if ("rejected" in python) throw new InstallError(howToGetPython(process.platform, python.rejected));
    const wishes = this.wishes(python.found);
    const obstacle = whyNoPlan(wishes.wheels);
    if (obstacle) throw new InstallError(obstacle);
    const steps = installPlan(wishes);
    let hasLocal = wishes.local;
    const done = new Set<string>();
    await this.remove();
    for (const [index, step] of steps.entries()) {
      if (done.has(step.name) || (!hasLocal && step.name === "local")) continue;
      const title = `${step.title} (${index + 1} of ${steps.length})`;
      progress.report({ message: title });
      this.log.info(`${title}: ${[step.command, ...step.args].join(" ")}`);
      const onLine = (line: string): void => this.log.info(line);
      const { code } = await run(step.command, step.args, { signal, cwd: this.storage, onLine });
      if (signal.aborted) {
        await this.remove();
        this.log.info("The installation was cancelled; what was installed is removed.");
        return undefined;
      }
      if (code === 0) {
        if (step.replaces) done.add(step.replaces);
      } else if (step.onFailure === "stop") {
        await this.remove();
        throw new InstallError(`${step.title} failed. The log says why; without the network, name a folder of wheels in the setting foretype.server.wheels.`);
      } else if (step.onFailure === "edge-only") {
        hasLocal = false;
      }
    }
    const said = wishes.local && !hasLocal ? { withoutLocal: withoutLocal(wishes) } : {};
    const marker: Marker = { version: this.version, local: hasLocal, ...said };
    await fs.writeFile(path.join(this.folder, MARKER), JSON.stringify(marker));
    return marker;
  }

  private wishes(python: Wishes["python"]): Wishes {
    return {
      python,
      environment: this.folder,
      platform: process.platform,
      version: this.version,
      wheels: userText("server.wheels"),
      local: inspector()("local.enabled").user !== false,
      compiler: COMPILERS.some((name) => programOnPath(name, machinePath(), process.platform, isFile) !== undefined),
    };
  }

  /** Keeps other windows from installing at the same time; a lock whose window is gone does not count. */
  private async lock(): Promise<() => Promise<void>> {
    const file = path.join(this.storage, "installing.pid");
    try {
      await fs.writeFile(file, String(process.pid), { flag: "wx" });
    } catch {
      const holder = Number(await fs.readFile(file, "utf8").catch(() => ""));
      if (Number.isInteger(holder) && holder > 0 && holder !== process.pid && isAlive(holder)) {
        throw new InstallError("Another window is installing Foretype's language server. Wait for it, then restart Foretype here.");
      }
      if (holder === process.pid) throw new InstallError("Foretype's language server is being installed already.");
      await fs.writeFile(file, String(process.pid));
    }
    return async () => fs.rm(file, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

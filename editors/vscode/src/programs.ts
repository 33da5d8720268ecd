// Running a program to its end: output bounded, never through a shell, ended with its children when the person cancels.
import { spawn, type ChildProcess } from "node:child_process";

/** Characters of output that are kept; a compiler prints more. */
const MAX_OUTPUT = 65_536;

export interface Ended {
  /** null if it could not be started or was ended. */
  readonly code: number | null;
  readonly stdout: string;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  /** Each line of both outputs. */
  readonly onLine?: (line: string) => void;
}

/** Run `command`; never rejects. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve) => {
    if (options.signal?.aborted) {
      resolve({ code: null, stdout: "" });
      return;
    }
    let stdout = "";
    let rest = "";
    const child = spawn(command, args, {
      cwd: options.cwd,
      windowsHide: true,
      detached: process.platform !== "win32", // a group of its own, so that a compiler ends with the pip that started it
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PYTHONUTF8: "1" },
    });
    const stop = (): void => end(child);
    options.signal?.addEventListener("abort", stop, { once: true });
    const line = (chunk: string): void => {
      const lines = (rest + chunk).split(/\r?\n/);
      rest = (lines.pop() ?? "").slice(-MAX_OUTPUT);
      for (const each of lines) options.onLine?.(each);
    };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout = (stdout + chunk).slice(0, MAX_OUTPUT);
      line(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", line);
    child.on("error", (error) => {
      options.onLine?.(error.message);
      resolve({ code: null, stdout });
    });
    child.on("close", (code) => {
      options.signal?.removeEventListener("abort", stop);
      if (rest) options.onLine?.(rest);
      resolve({ code, stdout });
    });
  });
}

function end(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") {
    spawn("taskkill", ["/pid", String(child.pid), "/t", "/f"], { windowsHide: true, stdio: "ignore" }).on("error", () => child.kill());
    return;
  }
  try {
    process.kill(-child.pid, "SIGTERM");
  } catch {
    child.kill(); // it has just ended
  }
}

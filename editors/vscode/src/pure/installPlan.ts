// How the managed environment is made: the programs to run, one after another, and what a failure of each means.
import * as path from "node:path";
import type { Candidate } from "./pythons";

/** Where llama.cpp's Python project offers wheels for the CPU; nothing else is taken from there. */
export const LLAMA_WHEELS = "https://abetlen.github.io/llama-cpp-python/whl/cpu";

/** Kept in step with the extra `local` of pyproject.toml. */
export const LLAMA_REQUIREMENT = "llama-cpp-python>=0.3.36,<0.4";

/** Whether `foretype` on the package index is ours. Until it is, nothing of that name may be installed from there. */
export const PUBLISHED = false;

/** Said where only an unpublished server could be installed; undefined where the plan can be carried out. */
export function whyNoPlan(wheels: string, published: boolean = PUBLISHED): string | undefined {
  if (wheels || published) return undefined;
  return "The language server is not on the package index yet. Make its wheels in a clone of its repository (pip wheel '.[local]' -w FOLDER) " +
    "and name that folder in the setting foretype.server.wheels, or name a foretype-lsp that you have in foretype.server.path.";
}

/** The file that is written last: an environment without it is unfinished. */
export const MARKER = "foretype-environment.json";

/** "stop": nothing works without it. "edge-only": the local model does not. "try-next": the next step does it otherwise. */
export type OnFailure = "stop" | "edge-only" | "try-next";

export interface Step {
  /** For the progress notification. */
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly onFailure: OnFailure;
  /** After success of this step, the step of this name is left out. */
  readonly replaces?: string;
  readonly name: string;
}

export interface Wishes {
  readonly python: Candidate;
  /** The folder to be made. */
  readonly environment: string;
  readonly platform: NodeJS.Platform;
  /** Of the extension, whose server is of the same series. */
  readonly version: string;
  /** A folder of wheels; empty for the package index. */
  readonly wheels: string;
  /** Whether the local model is wanted. */
  readonly local: boolean;
  /** Whether a C++ compiler was found. */
  readonly compiler: boolean;
}

/** What is written into `MARKER`. */
export interface Marker {
  readonly version: string;
  readonly local: boolean;
  /** A sentence, if the local model was wanted and could not be installed. */
  readonly withoutLocal?: string;
}

export function environmentPython(environment: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? path.win32.join(environment, "Scripts", "python.exe") : path.posix.join(environment, "bin", "python");
}

export function environmentServer(environment: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? path.win32.join(environment, "Scripts", "foretype-lsp.exe") : path.posix.join(environment, "bin", "foretype-lsp");
}

/** `foretype` of the extension's series: 0.1.x for 0.1.3. */
export function requirement(version: string, extra = ""): string {
  const [major = "0", minor = "0"] = version.split(".");
  return `foretype${extra}~=${major}.${minor}.0`;
}

/** The steps, in order. */
export function installPlan(wishes: Wishes): Step[] {
  const python = environmentPython(wishes.environment, wishes.platform);
  // -I: nothing of the current folder, the user's site or PYTHONPATH gets in.
  const pip = (...args: string[]): readonly string[] => [
    "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off", ...args,
  ];
  const offline = wishes.wheels ? ["--no-index", "--find-links", wishes.wheels] : [];
  const steps: Step[] = [
    {
      name: "environment",
      title: "Making a Python environment",
      command: wishes.python.command,
      args: [...wishes.python.args, "-I", "-m", "venv", "--clear", wishes.environment],
      onFailure: "stop",
    },
    {
      name: "server",
      title: "Installing the language server",
      command: python,
      args: pip(...offline, "--only-binary", ":all:", requirement(wishes.version)),
      onFailure: "stop",
    },
  ];
  if (!wishes.local) return steps;
  if (!wishes.wheels) {
    steps.push({
      name: "prebuilt",
      title: "Installing llama.cpp, prebuilt",
      command: python,
      // Only this package, without what it depends on, may come from there.
      args: pip("--no-deps", "--only-binary", ":all:", "--index-url", LLAMA_WHEELS, LLAMA_REQUIREMENT),
      onFailure: wishes.compiler ? "try-next" : "edge-only",
      replaces: "compiled",
    });
    if (wishes.compiler) {
      steps.push({
        name: "compiled",
        title: "Compiling llama.cpp (some minutes)",
        command: python,
        args: pip("--prefer-binary", LLAMA_REQUIREMENT),
        onFailure: "edge-only",
      });
    }
  }
  steps.push({
    name: "local",
    title: "Installing the local model",
    command: python,
    args: pip(...offline, "--prefer-binary", requirement(wishes.version, "[local]")),
    onFailure: "edge-only",
  });
  return steps;
}

/** Said where the local model is missing, plainly. */
export function withoutLocal(wishes: Pick<Wishes, "wheels" | "compiler" | "platform">): string {
  const edge = "Suggestions can come from an edge only (foretype.edge.urls).";
  if (wishes.wheels) return `The local model was not installed: the folder of wheels has no llama-cpp-python that fits. ${edge}`;
  if (wishes.compiler) return `The local model was not installed: there is no prebuilt llama.cpp for this machine, and it did not compile; the log says why. ${edge}`;
  const how: Partial<Record<NodeJS.Platform, string>> = {
    darwin: "xcode-select --install",
    win32: "Visual Studio Build Tools with C++",
    linux: "sudo apt install g++",
  };
  return `The local model was not installed: there is no prebuilt llama.cpp for this machine and no C++ compiler (${how[wishes.platform] ?? how.linux}). ${edge}`;
}

/** The marker's contents, or undefined if it is none. */
export function readMarker(text: string): Marker | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("version" in value) || !("local" in value)) return undefined;
    return typeof value.version === "string" && typeof value.local === "boolean" ? (value as Marker) : undefined;
  } catch {
    return undefined;
  }
}

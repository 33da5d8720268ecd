// Which Python makes the environment: where it may be, and whether what it says of itself will do.
import * as path from "node:path";
import { compareVersions, OLDEST_PYTHON, versionIn } from "./versions";

/** A program with its first arguments. */
export interface Candidate {
  readonly command: string;
  readonly args: readonly string[];
}

/** Run by a candidate: its version, and an error if it has no `venv` or `ensurepip` (Debian packs them apart). */
export const PROBE = "import sys; print('%d.%d.%d' % sys.version_info[:3]); import venv, ensurepip";

/** Most programs that are tried: a long PATH must not cost the user minutes. */
const MAX_CANDIDATES = 40;

/** Newest first, but not the very newest: wheels of native packages come weeks after a Python. */
const NAMES = ["python3.13", "python3.12", "python3.11", "python3.14", "python3", "python"];

/** Absolute folders of `PATH`, without those inside `folders`: a repository must not bring the program that is run. */
export function searchPath(pathVariable: string, folders: readonly string[], platform: NodeJS.Platform): string[] {
  const dialect = platform === "win32" ? path.win32 : path.posix;
  const inside = (entry: string, folder: string): boolean => {
    const relative = dialect.relative(folder, entry);
    return relative === "" || (!relative.startsWith("..") && !dialect.isAbsolute(relative));
  };
  const entries = pathVariable.split(dialect.delimiter).map((entry) => entry.replace(/^"(.*)"$/, "$1"));
  const kept = entries.filter((entry) => dialect.isAbsolute(entry) && !folders.some((folder) => inside(entry, folder)));
  return [...new Set(kept.map((entry) => dialect.normalize(entry)))];
}

/** Where a Python may be, best first. With `configured` (from the settings) only that is tried. */
export function pythonCandidates(
  configured: string,
  directories: readonly string[],
  platform: NodeJS.Platform,
  exists: (file: string) => boolean,
): Candidate[] {
  if (configured) return [{ command: configured, args: [] }];
  const found: Candidate[] = [];
  if (platform === "win32") {
    const launcher = programOnPath("py", directories, platform, exists);
    if (launcher) found.push({ command: launcher, args: ["-3"] });
  }
  const common = platform === "darwin" ? ["/opt/homebrew/bin", "/usr/local/bin"] : platform === "win32" ? [] : ["/usr/bin", "/usr/local/bin"];
  const places = [...new Set([...directories, ...common])];
  for (const name of NAMES) {
    for (const directory of places) {
      const file = programOnPath(name, [directory], platform, exists);
      if (file) found.push({ command: file, args: [] });
    }
  }
  return found.slice(0, MAX_CANDIDATES);
}

/** The first file of that name in `directories`. */
export function programOnPath(
  name: string,
  directories: readonly string[],
  platform: NodeJS.Platform,
  exists: (file: string) => boolean,
): string | undefined {
  const dialect = platform === "win32" ? path.win32 : path.posix;
  const file = platform === "win32" ? `${name}.exe` : name;
  return directories.map((directory) => dialect.join(directory, file)).find(exists);
}

/** What is wrong with a Python that answered `PROBE` so: a sentence's end, or undefined if it will do. */
export function pythonProblem(exitCode: number | null, stdout: string): string | undefined {
  const version = versionIn(stdout);
  if (!version) return "it does not run";
  const name = `it is Python ${version.join(".")}`;
  if (compareVersions(version, OLDEST_PYTHON) < 0) return `${name}, and 3.11 or later is needed`;
  return exitCode === 0 ? undefined : `${name} without venv and pip`;
}

/** What a person without a Python that will do is to do, on this platform. */
export function howToGetPython(platform: NodeJS.Platform, rejected: readonly string[]): string {
  const how: Partial<Record<NodeJS.Platform, string>> = {
    darwin: "Install it with `brew install python@3.13` or from python.org",
    win32: "Install it with `winget install Python.Python.3.13` or from python.org",
    linux: "Install it with your package manager (Debian, Ubuntu: `sudo apt install python3 python3-venv`)",
  };
  const seen = rejected.length > 0 ? ` Found: ${rejected.slice(0, 3).join("; ")}.` : "";
  return `Foretype needs Python 3.11 or later on this machine.${seen} ${how[platform] ?? how.linux}, or name one in the setting foretype.python.path.`;
}

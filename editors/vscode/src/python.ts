// Finding a Python that will do, by asking each candidate.
import { statSync } from "node:fs";
import * as vscode from "vscode";
import { run } from "./programs";
import { PROBE, pythonCandidates, pythonProblem, searchPath, type Candidate } from "./pure/pythons";
import { userText } from "./settings";

/** Milliseconds after which a candidate that does not answer is given up: a stub of Windows opens a shop instead. */
const PROBE_MS = 10_000;

export type PythonSearch = { readonly found: Candidate } | { readonly rejected: string[] };

/** Folders of PATH that belong to the machine and not to an open workspace. */
export function machinePath(): string[] {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === "file").map((folder) => folder.uri.fsPath);
  return searchPath(process.env.PATH ?? "", folders, process.platform);
}

export function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

export async function findPython(cwd: string, cancelled: AbortSignal): Promise<PythonSearch> {
  const rejected: string[] = [];
  for (const candidate of pythonCandidates(userText("python.path"), machinePath(), process.platform, isFile)) {
    const signal = AbortSignal.any([cancelled, AbortSignal.timeout(PROBE_MS)]);
    const { code, stdout } = await run(candidate.command, [...candidate.args, "-I", "-c", PROBE], { signal, cwd });
    const problem = pythonProblem(code, stdout);
    if (!problem) return { found: candidate };
    rejected.push(`${candidate.command}: ${problem}`);
    if (cancelled.aborted) break;
  }
  return { rejected };
}

// Which program is the language server: the one in the settings, the managed one, or one on the machine's PATH.
import type { Environment } from "./environment";
import { run } from "./programs";
import { programOnPath } from "./pure/pythons";
import { serverProblem, versionIn } from "./pure/versions";
import { isFile, machinePath } from "./python";
import { userText } from "./settings";

/** Milliseconds the server may take to tell its version: a cold start from a slow disk. */
const VERSION_MS = 30_000;

export type ServerProgram = { readonly command: string } | { readonly problem: string } | undefined;

/** The program; a problem to tell; or undefined if there is none yet. */
export async function serverProgram(environment: Environment, version: string, cwd: string): Promise<ServerProgram> {
  const configured = userText("server.path");
  const managed = environment.isInstalled ? environment.server : undefined;
  const command = configured || managed || programOnPath("foretype-lsp", machinePath(), process.platform, isFile);
  if (!command) return undefined;
  const { code, stdout } = await run(command, ["--version"], { signal: AbortSignal.timeout(VERSION_MS), cwd });
  if (code === 0) {
    const problem = serverProblem(versionIn(stdout), versionIn(version) ?? []);
    if (!problem) return { command };
    return command === managed ? undefined : { problem: `${command} cannot be used: ${problem}. Update it, or clear foretype.server.path.` };
  }
  if (command === managed) return undefined;
  return { problem: `${command} cannot be run. Correct foretype.server.path, or clear it to have the server installed.` };
}

// Versions as dotted numbers: read from what a program prints, and compared.

export type Version = readonly number[];

/** The oldest Python that the language server runs on. */
export const OLDEST_PYTHON: Version = [3, 11];

/** The first dotted number in `text`, such as "foretype-lsp 0.1.0" or "Python 3.12.1"; undefined if there is none. */
export function versionIn(text: string): Version | undefined {
  const found = /\d+(?:\.\d+){0,3}/.exec(text);
  return found ? found[0].split(".").map(Number) : undefined;
}

/** Negative if `a` is older than `b`, 0 if they are the same, else positive. Missing parts count as 0. */
export function compareVersions(a: Version, b: Version): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What is wrong with a server of version `server` for an extension of version `extension`: a sentence, or undefined. */
export function serverProblem(server: Version | undefined, extension: Version): string | undefined {
  if (!server) return "it does not tell its version, so it is not foretype-lsp";
  // Before 1.0 each minor version may change what is said between the two.
  const series = (version: Version): Version => (version[0] === 0 ? [0, version[1] ?? 0] : [version[0] ?? 0]);
  if (compareVersions(series(server), series(extension)) === 0) return undefined;
  const [found, wanted] = [server.join("."), series(extension).join(".")];
  return `it is version ${found}, and this extension needs ${wanted}.x`;
}

// Which folder the uninstall hook may remove: the extension's own storage, and nothing that merely is named to it.
import * as path from "node:path";

/** In the extension's own folder: the path of its storage, for the hook, which is run without the editor. */
export const STORAGE_NOTE = "storage.txt";

/** The folder to remove, or undefined if the note does not name this extension's storage. */
export function removable(note: string, extensionId: string, dialect: path.PlatformPath = path): string | undefined {
  const folder = dialect.normalize(note.trim());
  const named = dialect.isAbsolute(folder) && dialect.basename(folder).toLowerCase() === extensionId.toLowerCase();
  return named && dialect.basename(dialect.dirname(folder)) === "globalStorage" ? folder : undefined;
}

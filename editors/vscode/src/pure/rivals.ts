// Other extensions that show ghost text: two at once hide each other's suggestions.

/** Extension identifiers in lower case, with the setting that turns off their ghost text where there is one. */
const RIVALS: Readonly<Record<string, string>> = {
  "github.copilot": "github.copilot.enable",
  "github.copilot-chat": "github.copilot.enable",
  "tabnine.tabnine-vscode": "",
  "codeium.codeium": "codeium.enableConfig",
  "continue.continue": "continue.enableTabAutocomplete",
  "tabbyml.vscode-tabby": "",
  "supermaven.supermaven": "",
  "sourcegraph.cody-ai": "cody.autocomplete.enabled",
  "amazonwebservices.amazon-q-vscode": "",
  "visualstudioexptteam.vscodeintellicode": "",
  "google.geminicodeassist": "",
  "twinny.twinny": "",
  "ggml-org.llama-vscode": "",
};

export interface Extension {
  readonly id: string;
  readonly name: string;
  readonly active: boolean;
}

/** The active ones among `extensions`. */
export function rivals(extensions: readonly Extension[]): Extension[] {
  return extensions.filter((extension) => extension.active && extension.id.toLowerCase() in RIVALS);
}

export function rivalWarning(found: readonly Extension[]): string {
  const names = found.map((extension) => extension.name).join(", ");
  const hints = found.map((extension) => RIVALS[extension.id.toLowerCase()] ?? "").filter(Boolean);
  const how = hints.length > 0 ? `Turn off its suggestions (${[...new Set(hints)].join(", ")}) or disable it` : "Disable it, or turn off its suggestions";
  return `Another extension shows inline suggestions too: ${names}. The editor shows one of them at a time, so Foretype's may stay hidden. ${how}.`;
}

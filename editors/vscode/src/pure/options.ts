// What the server is told of the editor's settings: only what a person set, and from a repository only what narrows.

/** One setting as the editor inspects it: what was set by whom. Defaults are left out on purpose. */
export interface Inspected {
  readonly user?: unknown;
  readonly workspace?: unknown;
}

export type Inspect = (key: string) => Inspected;

/** Settings of the extension that choose what the server does, by the server's own keys. All are the user's alone. */
export const USER_KEYS: Readonly<Record<string, string>> = {
  debounceMs: "debounce_ms",
  "edge.urls": "edge.urls",
  "edge.caFile": "edge.ca_file",
  "edge.clientCert": "edge.client_cert",
  "edge.clientKey": "edge.client_key",
  "local.enabled": "local.enabled",
  "local.model": "local.model",
  "completion.enabled": "completion.enabled",
  "telemetry.enabled": "telemetry.enabled",
};

/** The variable by which the server gets the token: not in its options, which a trace of the protocol would show. */
export const TOKEN_VARIABLE = "FORETYPE_EDGE_TOKEN";

/** An entry that is no language: an empty list would mean "all". */
const NO_LANGUAGE = "-";

/** `initializationOptions`. Without the editor's consent to telemetry none is sent, whatever any file says. */
export function initializationOptions(inspect: Inspect, telemetryAllowed: boolean): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [key, serverKey] of Object.entries(USER_KEYS)) {
    const value = inspect(key).user;
    if (value !== undefined && value !== null && value !== "") options[serverKey] = value;
  }
  if (!telemetryAllowed) options["telemetry.enabled"] = false;
  return options;
}

/**
 * The answer to `workspace/configuration`: what may change while the server runs. The server lets it only narrow, and
 * ranks it below `initializationOptions`; so these three keys are told here alone.
 */
export function narrowing(inspect: Inspect, allLanguages: readonly string[]): Record<string, unknown> {
  const told: Record<string, unknown> = {};
  const enabled = inspect("enabled");
  if (enabled.user === false || enabled.workspace === false) told.enabled = false;
  const languages = allowedLanguages(inspect, allLanguages);
  if (languages) told.languages = languages;
  const ignore = [...strings(inspect("ignore").user), ...strings(inspect("ignore").workspace)];
  if (ignore.length > 0) told.ignore = [...new Set(ignore)];
  return told;
}

/** The languages that are left, undefined for all. */
export function allowedLanguages(inspect: Inspect, allLanguages: readonly string[]): string[] | undefined {
  const allowing = [inspect("languages").user, inspect("languages").workspace].map(strings).filter((list) => list.length > 0);
  const disabled = new Set([inspect("disabledLanguages").user, inspect("disabledLanguages").workspace].flatMap(strings));
  const [first, ...others] = allowing;
  if (!first && disabled.size === 0) return undefined;
  const kept = (first ?? allLanguages).filter((id) => !disabled.has(id) && others.every((list) => list.includes(id)));
  return kept.length > 0 ? kept : [NO_LANGUAGE];
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

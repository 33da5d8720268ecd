// What the status-bar item shows, and what a screen reader says, for each state.

export type State = "online" | "local" | "off" | "error" | "starting" | "missing";

export interface Status {
  readonly state: State;
  /** One sentence. */
  readonly detail: string;
  readonly region?: string;
}

/** A suggestion as its command describes it. */
export interface Suggestion {
  readonly source: string;
  readonly latencyMs: number;
}

export interface StatusText {
  readonly text: string;
  readonly tooltip: string;
  readonly spoken: string;
  readonly tone: "normal" | "warning" | "error";
}

const LABELS: Readonly<Record<State, readonly [icon: string, label: string, meaning: string]>> = {
  online: ["$(cloud)", "online", "suggestions come from the edge"],
  local: ["$(device-desktop)", "local", "suggestions come from the model on this machine"],
  off: ["$(circle-slash)", "off", "no suggestions"],
  error: ["$(error)", "error", "no suggestions"],
  starting: ["$(loading~spin)", "starting", "no suggestions yet"],
  missing: ["$(cloud-download)", "not installed", "its language server is not installed"],
};

/** The text for `status`. `offHere` says why suggestions are off in this document, undefined where they are not. */
export function statusText(status: Status, offHere: string | undefined, last: Suggestion | undefined): StatusText {
  const suspended = offHere !== undefined && (status.state === "online" || status.state === "local");
  const [icon, label, meaning] = LABELS[suspended ? "off" : status.state];
  const place = status.state === "online" && !suspended ? regionOf(status) : "";
  const latency = status.state === "online" && !suspended && last?.source === "edge" ? `${Math.round(last.latencyMs)} ms` : "";
  const facts = [place, latency].filter(Boolean).join(", ");
  const detail = suspended ? offHere : status.detail;
  return {
    text: `${icon} Foretype${suspended || status.state !== "online" ? "" : facts ? `: ${facts}` : ": online"}`,
    tooltip: [`Foretype is ${label}. ${detail}`, ...(facts ? [facts] : []), "Select for the menu."].join("\n"),
    spoken: `Foretype, ${label}, ${suspended ? offHere : meaning}${facts ? `, ${facts}` : ""}. Opens the menu.`,
    tone: status.state === "error" ? "error" : status.state === "missing" ? "warning" : "normal",
  };
}

/** The region, or the host's name where the server does not tell one. */
export function regionOf(status: Status): string {
  if (status.region) return status.region;
  const host = /\bwss?:\/\/(\[[^\]]+\]|[^/:\s]+)/.exec(status.detail)?.[1] ?? "";
  return host.replace(/\.$/, "");
}

/** The notification `foretype/status`, checked; undefined if it is none. */
export function readStatus(value: unknown): Status | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { state, detail, region } = value as Record<string, unknown>;
  if (state !== "online" && state !== "local" && state !== "off" && state !== "error") return undefined;
  return { state, detail: typeof detail === "string" ? detail : "", ...(typeof region === "string" && region ? { region } : {}) };
}

// Why the last suggestion was what it was, in sentences.
import type { Status } from "./statusText";

export interface Remembered {
  readonly source: string;
  readonly latencyMs: number;
  readonly characters: number;
  readonly lines: number;
  readonly language: string;
  readonly invoked: boolean;
}

const FROM: Readonly<Record<string, string>> = {
  edge: "the edge",
  local: "the model on this machine",
  cache: "the cache: it had been generated before, and what you typed since agrees with it",
};

export function explanation(last: Remembered | undefined, status: Status): string {
  const now = `Foretype is ${status.state} now. ${status.detail}`;
  if (!last) return `There was no suggestion in this window yet. ${now}`;
  const asked = last.invoked ? "you asked for it" : "you typed";
  return (
    `The last suggestion (${last.lines} ${last.lines === 1 ? "line" : "lines"}, ${last.characters} characters of ${last.language}) ` +
    `came from ${FROM[last.source] ?? last.source}, ${Math.round(last.latencyMs)} ms after ${asked}. ${now}`
  );
}

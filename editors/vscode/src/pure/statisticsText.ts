// The answer to `foretype/stats` as plain text, which screen readers read line by line.

type Table = Readonly<Record<string, unknown>>;

const LINES: readonly (readonly [string, string])[] = [
  ["requests", "Requests of the editor"],
  ["given", "Answered with a suggestion"],
  ["shown", "Shown"],
  ["shown_inferred", "Shown (inferred)"],
  ["accepted", "Accepted"],
  ["accepted_partly", "Partly accepted"],
  ["typed_through_inferred", "Typed through (inferred)"],
  ["dismissed_inferred", "Dismissed (inferred)"],
  ["ignored_inferred", "Ignored (inferred)"],
  ["cache_hits", "Answered from the cache"],
  ["generations", "Generations asked for"],
  ["generations_cancelled", "Generations cancelled"],
  ["tokens_generated", "Tokens generated"],
];

const SOURCES: Readonly<Record<string, string>> = { edge: "Edge", local: "Local model", cache: "Cache" };

export function statisticsText(answer: unknown): string {
  const stats = table(answer);
  const lines = ["Foretype: statistics of this session", ""];
  for (const [key, label] of LINES) {
    const count = stats[key];
    if (typeof count === "number") lines.push(`${label}: ${count}`);
  }
  const times = Object.entries(table(stats.latency_ms)).flatMap(([what, bySource]) =>
    Object.entries(table(bySource)).map(([source, values]) => {
      const { p50, p95 } = table(values);
      return `${SOURCES[source] ?? source}, ${what.replaceAll("_", " ")}: median ${time(p50)}, 95th percentile ${time(p95)}`;
    }),
  );
  if (times.length > 0) lines.push("", "Times", ...times);
  if (lines.length === 2) lines.push("Nothing yet: type in a file.");
  return `${lines.join("\n")}\n\nAll days: foretype-lsp stats\n`;
}

function time(value: unknown): string {
  return typeof value === "number" ? `${Math.round(value)} ms` : "unknown";
}

function table(value: unknown): Table {
  return typeof value === "object" && value !== null ? (value as Table) : {};
}

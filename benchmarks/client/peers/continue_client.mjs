// Drives Continue's own CompletionProvider as its VS Code extension does, over JSON lines on standard input and output.
//
// In:  {"op":"open","uri","text"} {"op":"change","start","end","text"} (UTF-16 offsets) {"op":"cancel","id"}
//      {"op":"ask","id","line","character"} {"op":"shown","id"} {"op":"accept","id"}
// Out: {"id","text"} for each ask (text null: nothing), {"ready":true} at the start.
// The model behind it is an HTTP server on loopback: POST MODEL_URL {prefix, suffix} streams {"text"} lines.
import readline from "node:readline";
import { CompletionProvider } from "continue-autocomplete";

const modelUrl = process.argv[2];
if (!modelUrl) {
  console.error("continue_client: usage: node continue.mjs MODEL_URL");
  process.exit(2);
}
console.log = console.info = () => {}; // standard output is for answers alone
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const document = { uri: "", text: "" };

async function* streamFim(prefix, suffix, signal) {
  const response = await fetch(modelUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prefix, suffix, path: document.uri }),
    signal,
  });
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line).text;
  }
}

const model = {
  model: "oracle",
  providerName: "bench",
  title: "bench",
  uniqueId: "bench",
  contextLength: 2048,
  completionOptions: {},
  supportsFim: () => true,
  streamFim,
};
const answers = {
  readFile: async () => document.text,
  getWorkspaceDirs: async () => [document.uri.slice(0, document.uri.lastIndexOf("/"))],
  getIdeInfo: async () => ({ ideType: "vscode" }),
  getClipboardContent: async () => ({ text: "", copiedAt: "" }),
  getDiff: async () => [],
  getRepoName: async () => undefined,
  getUniqueId: async () => "bench",
  getLastFileSaveTimestamp: () => 1,
};
const ide = new Proxy(answers, { get: (own, name) => own[name] ?? (async () => undefined) });
const provider = new CompletionProvider(
  { loadConfig: async () => ({ config: {} }) },
  ide,
  async () => model,
  (error) => console.error(`continue: ${error?.message ?? error}`),
  async () => [],
);

const aborts = new Map();
const outcomes = new Map(); // what is shown, for the provider's own counts

async function ask({ id, line, character }) {
  const abort = new AbortController();
  aborts.set(id, abort);
  let outcome;
  try {
    outcome = await provider.provideInlineCompletionItems(
      {
        isUntitledFile: false,
        completionId: String(id),
        filepath: document.uri,
        pos: { line, character },
        recentlyEditedRanges: [],
        recentlyVisitedRanges: [],
      },
      abort.signal,
    );
  } finally {
    aborts.delete(id);
  }
  if (outcome) outcomes.set(id, outcome);
  say({ id, text: abort.signal.aborted ? null : (outcome?.completion ?? null) });
}

const operations = {
  open({ uri, text }) {
    Object.assign(document, { uri, text });
  },
  change({ start, end, text }) {
    document.text = document.text.slice(0, start) + text + document.text.slice(end);
  },
  ask,
  cancel: ({ id }) => aborts.get(id)?.abort(),
  shown({ id }) {
    if (outcomes.has(id)) provider.markDisplayed(String(id), outcomes.get(id));
    outcomes.clear();
  },
  accept: ({ id }) => provider.accept(String(id)),
};
process.on("unhandledRejection", (error) => console.error(`continue: ${error?.message ?? error}`));
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  operations[message.op](message);
}).on("close", () => process.exit(0));
say({ ready: true });

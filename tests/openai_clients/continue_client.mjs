// Continue's own autocomplete, over Continue's own OpenAI client, asks the API_BASE for a completion.
// Usage: node continue.mjs API_BASE API_KEY MODEL FILE LINE CHARACTER  -> one JSON line on standard output
import { readFileSync } from "node:fs";
import { CompletionProvider } from "continue-autocomplete";
import OpenAI from "continue-openai";

const [apiBase, apiKey, model, file, line, character] = process.argv.slice(2);
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
console.log = console.info = () => {}; // standard output is for the answer alone
const text = readFileSync(file, "utf-8");
const uri = `file://${file}`;

const sent = [];
const llm = new OpenAI({ model, apiBase, apiKey, contextLength: 2048, completionOptions: { maxTokens: 32 }, uniqueId: "test" });
const own = llm.fetch.bind(llm);
llm.fetch = (url, init) => {
  sent.push({ path: new URL(url).pathname, body: JSON.parse(init.body) });
  return own(url, init);
};

const answers = {
  readFile: async () => text,
  getWorkspaceDirs: async () => [uri.slice(0, uri.lastIndexOf("/"))],
  getIdeInfo: async () => ({ ideType: "vscode" }),
  getClipboardContent: async () => ({ text: "", copiedAt: "" }),
  getDiff: async () => [],
  getRepoName: async () => undefined,
  getUniqueId: async () => "test",
  getLastFileSaveTimestamp: () => 1,
};
const ide = new Proxy(answers, { get: (known, name) => known[name] ?? (async () => undefined) });
const errors = [];
const provider = new CompletionProvider(
  { loadConfig: async () => ({ config: {} }) },
  ide,
  async () => llm,
  (error) => errors.push(String(error?.message ?? error)),
  async () => [],
);
const outcome = await provider.provideInlineCompletionItems(
  {
    isUntitledFile: false,
    completionId: "1",
    filepath: uri,
    pos: { line: Number(line), character: Number(character) },
    recentlyEditedRanges: [],
    recentlyVisitedRanges: [],
  },
  new AbortController().signal,
);
let raw = "";
for await (const piece of llm.streamComplete("def add(a, b):\n    return ", new AbortController().signal, { raw: true, maxTokens: 12, stop: ["\n"] })) raw += piece;
let refusal = "";
try {
  for await (const _ of llm.streamComplete("x", new AbortController().signal, { raw: true, model: "no-such-model" })) refusal = "none";
} catch (error) {
  refusal = String(error.message);
}
say({ completion: outcome?.completion ?? null, raw, refusal, sent, errors });
process.exit(0);

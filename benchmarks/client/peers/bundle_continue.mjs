// Bundles the real autocomplete of @continuedev/core (dist/autocomplete) with continue_client.mjs, which drives it.
// Usage: node bundle_continue.mjs PACKAGE_FOLDER OUTPUT
//
// What the autocomplete itself is made of stays as it is. Only what lies outside it is replaced, and each is named here.
import { existsSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";

const [folder, outfile] = process.argv.slice(2);
if (!folder || !outfile) {
  console.error("bundle_continue: usage: node bundle_continue.mjs PACKAGE_FOLDER OUTPUT");
  process.exit(2);
}
const here = import.meta.dirname;

// Packages that are used as they are.
const REAL = new Set([
  "async-mutex", "diff", "fastest-levenshtein", "handlebars", "ignore", "js-tiktoken", "lru-cache", "quick-lru",
  "uri-js", "uuid", "js-tiktoken/lite", "base64-js", "neo-async", "source-map", "wordwrap", "uglify-js", "minimist",
]);
// The package's own files that autocomplete imports and does not need here: what is put in their place.
const REPLACED = [
  [/\/llm\/llms\/OpenAI\.js$/, "export default class OpenAI {}"],
  [/\/config\/onboarding(\.js)?$/, "export const TRIAL_FIM_MODEL = 'none';"],
  [/\/util\/posthog(\.js)?$/, "export class Telemetry {\n  static async capture() {}\n  static async getValueForFeatureFlag() { return undefined; }\n}\n" +
    "export const PosthogFeatureFlag = {};"],
  [/\/data\/log(\.js)?$/, "export class DataLogger { static getInstance() { return { logDevData() {} }; } }"],
  [/\/util\/paths(\.js)?$/,
    "export const getConfigJsonPath = () => '';\nexport const getTabAutocompleteCacheSqlitePath = () => ':memory:';\n" +
    "export const migrate = () => {};"],
  [/\/indexing\/refreshIndex(\.js)?$/, // the pattern's end, as much as SQLite takes
    "export const truncateSqliteLikePattern = (text) => Buffer.from(text).subarray(-50000).toString();"],
  // No grammars: import definitions and syntax-tree snippets find nothing in a workspace of one file anyway.
  [/\/util\/treeSitter(\.js)?$/,
    "export const getAst = async () => undefined;\nexport const getParserForFile = async () => undefined;\n" +
    "export const getQueryForFile = async () => undefined;\nexport const getFullLanguageName = () => 'none';\n" +
    "export const getSymbolsForFile = async () => [];\nexport const IGNORE_PATH_PATTERNS = {};\nexport const LanguageName = {};"],
  [/\/llm\/asyncEncoder(\.js)?$/, "export class GPTAsyncEncoder {}\nexport class LlamaAsyncEncoder {}"],
];
const ANYTHING = // any name imported from it exists; using one does nothing
  "const nothing = new Proxy(function () {}, { get: (_, name) => (name === '__esModule' ? false : name === 'prototype' ? {} : nothing)," +
  " apply: () => nothing, construct: () => nothing });\nmodule.exports = nothing;";

const outside = {
  name: "what lies outside autocomplete",
  setup(esbuild) {
    esbuild.onResolve({ filter: /.*/ }, (asked) => {
      if (asked.kind === "entry-point") return undefined;
      if (asked.path === "continue-autocomplete") {
        return { path: path.resolve(folder, "dist/autocomplete/CompletionProvider.js") };
      }
      if (asked.path === "sqlite") return { path: path.join(here, "sqlite_in_memory.mjs") };
      if (asked.path.startsWith("node:")) return { external: true };
      const own = asked.importer.includes(path.resolve(folder));
      if (!own) return undefined;
      if (asked.path.startsWith(".")) {
        const full = path.resolve(asked.resolveDir, asked.path);
        const replaced = REPLACED.find(([pattern]) => pattern.test(full));
        if (replaced) return { path: full, namespace: "replaced", pluginData: replaced[1] };
        const found = [full, `${full}.js`, `${full}/index.js`].find((file) => existsSync(file) && /\.js(on)?$/.test(file));
        return found ? { path: found } : { path: asked.path, namespace: "anything" };
      }
      if (REAL.has(asked.path)) return esbuild.resolve(asked.path, { kind: asked.kind, resolveDir: here });
      if (/^(fs|path|os|crypto|url|util|events|stream|http|https|child_process|worker_threads)$/.test(asked.path)) {
        return { external: true };
      }
      return { path: asked.path, namespace: "anything" };
    });
    esbuild.onLoad({ filter: /.*/, namespace: "replaced" }, (file) => ({ contents: file.pluginData, loader: "js" }));
    esbuild.onLoad({ filter: /.*/, namespace: "anything" }, () => ({ contents: ANYTHING, loader: "js" }));
  },
};

await build({
  entryPoints: [path.join(here, "continue_client.mjs")],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "error",
  // CommonJS packages inside an ES module want these.
  banner: {
    js: "import { createRequire } from 'node:module'; import { fileURLToPath as ownPath } from 'node:url';" +
      "const require = createRequire(import.meta.url); const __filename = ownPath(import.meta.url); const __dirname = '.';",
  },
  plugins: [outside],
});

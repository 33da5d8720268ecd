// Bundles @continuedev/core's autocomplete and its own OpenAI client with continue_client.mjs, which drives them.
// Usage: node bundle.mjs PACKAGE_FOLDER OUTPUT
//
// The autocomplete, its prompt templates and the client that speaks HTTP stay as they are. What lies outside them
// (settings, telemetry, databases, syntax trees) is replaced, and each is named here.
import { existsSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";

const [folder, outfile] = process.argv.slice(2);
if (!folder || !outfile) {
  console.error("bundle: usage: node bundle.mjs PACKAGE_FOLDER OUTPUT");
  process.exit(2);
}
const here = import.meta.dirname;
const whole = path.resolve(folder);

// Packages that are used as they are.
const REAL = new Set([
  "@continuedev/fetch", "@continuedev/llm-info", "@continuedev/openai-adapters", "async-mutex", "diff",
  "fastest-levenshtein", "handlebars", "ignore", "js-tiktoken", "js-tiktoken/lite", "lru-cache", "quick-lru", "uri-js", "uuid",
]);
// The package's own files that are not needed here, and what is put in their place.
const REPLACED = new Map(Object.entries({
  "config/onboarding.js": "export const TRIAL_FIM_MODEL = 'none';",
  "util/posthog.js": "export class Telemetry { static async capture() {} static async getValueForFeatureFlag() {} }" +
    "export const PosthogFeatureFlag = {};",
  "data/log.js": "export class DataLogger { static getInstance() { return { logDevData() {} }; } }",
  "data/devdataSqlite.js": "export class DevDataSqliteDb { static async logTokensGenerated() {} }",
  "util/paths.js": "export const getConfigJsonPath = () => ''; export const migrate = () => {};" +
    "export const getTabAutocompleteCacheSqlitePath = () => ':memory:';",
  "indexing/refreshIndex.js": "export const truncateSqliteLikePattern = (text) => text;",
  "autocomplete/util/AutocompleteLruCache.js": "const none = { get: async () => undefined, put: async () => {} };" +
    "export class AutocompleteLruCache { static async get() { return none; } } export default AutocompleteLruCache;",
  "util/treeSitter.js": "const none = async () => undefined; export { none as getAst, none as getParserForFile, none as getQueryForFile };" +
    "export const getFullLanguageName = () => 'none', getSymbolsForFile = async () => [], IGNORE_PATH_PATTERNS = {}, LanguageName = {};",
}).map(([file, source]) => [path.join(whole, "dist", file), source]));
const ANYTHING = // any name imported from it exists; using one does nothing
  "const nothing = new Proxy(function () {}, { get: (_, name) => (name === '__esModule' ? false : name === 'prototype' ? {} : nothing)," +
  " apply: () => nothing, construct: () => nothing }); module.exports = nothing;";

const ENTRIES = { "continue-autocomplete": "CompletionProvider.js", "continue-openai": "../llm/llms/OpenAI.js" };

const outside = {
  name: "what lies outside",
  setup(esbuild) {
    esbuild.onResolve({ filter: /.*/ }, (asked) => {
      if (asked.path in ENTRIES) return { path: path.join(whole, "dist/autocomplete", ENTRIES[asked.path]) };
      if (!asked.importer.startsWith(whole)) return undefined;
      if (asked.path.startsWith(".")) {
        const full = path.resolve(asked.resolveDir, asked.path);
        const found = [full, `${full}.js`, `${full}/index.js`].find((file) => existsSync(file) && /\.js(on)?$/.test(file));
        if (REPLACED.has(found)) return { path: found, namespace: "replaced" };
        return found ? { path: found } : { path: asked.path, namespace: "anything" };
      }
      if (REAL.has(asked.path)) return esbuild.resolve(asked.path, { kind: asked.kind, resolveDir: here });
      if (asked.path.startsWith("node:") || /^(fs|path|os|crypto|url|util|events|http|https|child_process)$/.test(asked.path)) {
        return { external: true };
      }
      return { path: asked.path, namespace: "anything" };
    });
    esbuild.onLoad({ filter: /.*/, namespace: "replaced" }, (file) => ({ contents: REPLACED.get(file.path), loader: "js" }));
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
  banner: { // CommonJS packages inside an ES module want these.
    js: "import { createRequire } from 'node:module'; import { fileURLToPath as ownPath } from 'node:url';" +
      "const require = createRequire(import.meta.url); const __filename = ownPath(import.meta.url); const __dirname = '.';",
  },
  plugins: [outside],
});

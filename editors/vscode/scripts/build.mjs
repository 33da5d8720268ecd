// Bundles the extension and its uninstall hook into dist/, or with --tests the tests into out/.
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { notices } from "./notices.mjs";

const tests = process.argv.includes("--tests");
const folder = tests ? "out" : "dist";
rmSync(folder, { recursive: true, force: true });

const { metafile } = await build({
  metafile: true,
  entryPoints: tests ? readdirSync("tests").filter((name) => name.endsWith(".test.ts")).map((name) => `tests/${name}`) : ["src/extension.ts", "src/uninstall.ts"],
  outdir: folder,
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
  minify: !tests,
  sourcemap: tests ? "inline" : false,
  legalComments: "none",
  logLevel: "warning",
});

if (!tests) writeFileSync("dist/NOTICES.txt", notices(Object.keys(metafile.inputs)));

// The licences of the packages that a bundle holds, as one text: their authors ask for that.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** `inputs`: the paths of the bundle's files, as esbuild's metafile has them. */
export function notices(inputs) {
  const folders = inputs.map((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]).filter(Boolean);
  return [...new Set(folders)].sort().map(notice).join("\n\n");
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${file ? readFileSync(path.join(folder, file), "utf8").trim() : "No licence file in the package."}`;
}

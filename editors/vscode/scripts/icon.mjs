// Draws media/icon.png (256 pixels, as the marketplace shows it) from media/icon.svg.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { initWasm, Resvg } from "@resvg/resvg-wasm";

const wasm = createRequire(import.meta.url).resolve("@resvg/resvg-wasm/index_bg.wasm");
await initWasm(readFileSync(wasm));
const drawing = new Resvg(readFileSync("media/icon.svg"), { fitTo: { mode: "width", value: 256 } });
writeFileSync("media/icon.png", drawing.render().asPng());

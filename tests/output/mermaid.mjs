// Reads flowcharts from standard input, separated by NUL, with Mermaid's own parser; prints what it understood as JSON.
// The folder that has `mermaid` and `jsdom` in its node_modules is the only argument.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/package.json`);
const { JSDOM } = require("jsdom");
const { window } = new JSDOM("");
globalThis.window = window;
globalThis.document = window.document;
const core = `${process.argv[2]}/node_modules/mermaid/dist/mermaid.core.mjs`;
const { default: mermaid } = await import(pathToFileURL(core));

mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
const read = [];
for (const text of readFileSync(0, "utf8").split("\0")) {
  const { type, db } = await mermaid.mermaidAPI.getDiagramFromText(text);
  read.push({
    type,
    direction: db.getDirection(),
    nodes: [...db.getVertices().values()].map(({ id, text, classes }) => [id, text, classes]),
    edges: db.getEdges().map(({ start, end, stroke, type, text }) => [start, end, stroke, type, text]),
    waves: db.getSubGraphs().map(({ title, nodes }) => [title, nodes]),
    classes: [...db.getClasses().keys()],
  });
}
console.log(JSON.stringify(read));

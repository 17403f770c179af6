// Talks to yaml-language-server as an editor does, about capability files that
// name the schema of `patchbay schema` in their first line: what it marks, what
// it offers while somebody types, and what it says about a key.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";

const [work, embedded] = process.argv.slice(2);
const modeline = "# yaml-language-server: $schema=capability.schema.json\n";

const server = spawn(process.execPath, ["node_modules/yaml-language-server/bin/yaml-language-server", "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const editor = createMessageConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
const settings = { yaml: { validate: true, completion: true, hover: true, schemaStore: { enable: false, url: "" } } };
editor.onRequest("workspace/configuration", ({ items }) => items.map(({ section }) => settings[section] ?? {}));
editor.onRequest("client/registerCapability", () => null);
const waiting = new Map();
editor.onNotification("textDocument/publishDiagnostics", ({ uri, diagnostics }) => waiting.get(uri)?.(diagnostics));
editor.listen();

await editor.sendRequest("initialize", {
  processId: process.pid,
  rootUri: pathToFileURL(work).href,
  workspaceFolders: [{ name: "work", uri: pathToFileURL(work).href }],
  capabilities: {
    workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true } },
    textDocument: {
      completion: { completionItem: { documentationFormat: ["markdown"], snippetSupport: true } },
      hover: { contentFormat: ["markdown"] },
      publishDiagnostics: {},
    },
  },
});
await editor.sendNotification("initialized", {});
await editor.sendNotification("workspace/didChangeConfiguration", { settings });

// open shows a text to the server and returns its address and what is marked in it.
let opened = 0;
async function open(text) {
  const uri = pathToFileURL(join(work, `file${++opened}.yaml`)).href;
  const marked = new Promise((resolve) => waiting.set(uri, resolve));
  await editor.sendNotification("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text } });
  return { uri, diagnostics: await marked };
}

// at opens a text without its cursor, "|", and returns the cursor's place.
async function at(text) {
  const whole = modeline + text;
  const before = whole.slice(0, whole.indexOf("|")).split("\n");
  const { uri } = await open(whole.replace("|", ""));
  return { textDocument: { uri }, position: { line: before.length - 1, character: before.at(-1).length } };
}

let checks = 0;
const failures = [];
async function check(name, run) {
  checks++;
  try {
    await run();
  } catch (error) {
    failures.push(`${name}: ${error.message}`);
  }
}

// offers wants some completions at the cursor, and others not.
const offers = (name, text, wanted, unwanted = []) =>
  check(name, async () => {
    const { items } = await editor.sendRequest("textDocument/completion", await at(text));
    const labels = items.map((item) => item.label);
    for (const label of wanted) assert(labels.includes(label), `${label} is not offered among ${labels.join(", ")}`);
    for (const label of unwanted) assert(!labels.includes(label), `${label} is offered among ${labels.join(", ")}`);
  });

// marks wants one mark for each "line: part of the message", and no others.
const marks = (name, text, wanted) =>
  check(name, async () => {
    const { diagnostics } = await open(modeline + text);
    const got = diagnostics.map((d) => `${d.range.start.line}: ${d.message}`);
    assert.equal(got.length, wanted.length, `marked are:\n  ${got.join("\n  ")}`);
    for (const [line, part] of wanted) {
      assert(got.some((g) => g.startsWith(`${line}: `) && g.includes(part)), `line ${line} is not marked with "${part}":\n  ${got.join("\n  ")}`);
    }
  });

const head = "naftiko: 1.0.0-alpha2\n";
const rest = `${head}capability:
  exposes:
  - type: rest
    namespace: ships-rest
    port: 8080
`;
const mcp = rest.replaceAll("rest", "mcp");

await marks("the embedded capability", readFileSync(embedded, "utf8"), []);
await marks("names as keys", `ikanos: 1.0.0-beta4
capability:
  consumes:
  - namespace: ships
    type: http
    baseUri: https://ships.test
    resources:
      ship:
        path: /ships/{imo}
        operations:
          get-ship: {method: GET}
  exposes:
  - type: mcp
    namespace: ships-mcp
    tools:
      look-up: {display: Look up, description: Look up a ship, call: ships.get-ship}
`, []);
await marks("a misspelt key", `${rest}    resuorces: []\n`, [[7, "resuorces"]]);
await marks("a key of another adapter", `${rest}    tools: []\n`, [[7, "tools"]]);
await marks("a word of a closed set", `${mcp}    transport: htpp\n`, [[7, "Valid values"]]);
await marks("an unknown type", rest.replace("type: rest", "type: soap"), [[4, "Valid values"]]);
await marks("a port out of range", rest.replace("8080", "80800"), [[6, "65535"]]);
await marks("a missing name", `${mcp}    tools:\n    - description: Look up a ship\n      call: ships.get\n`, [[8, "name"]]);
await marks("a spelling that is none of the format's", `${head}capability:
  consumes:
  - namespace: ships
    baseUri: https://ships.test
    auth: {type: bearer, token: '{{env.TOKEN}}'}
`, [[6, "write authentication"]]);
await marks("a list where text is due", `${head}info:\n  label: [a, b]\ncapability: {}\n`, [[3, "Text is due"]]);

await offers("sections of the document", `${head}|`, ["capability", "info", "consumes", "exposes", "binds", "aggregates"], ["ikanos2", "tools"]);
await offers("versions", "naftiko: |", ["1.0.0-alpha2"]);
await offers("keys of the capability", `${head}capability:\n  |`, ["consumes", "exposes", "aggregates"], ["tools"]);
await offers("types of adapters", `${head}capability:\n  exposes:\n  - type: |`, ["rest", "mcp", "skill", "control"]);
await offers("keys of a rest adapter", `${rest}    |`, ["resources", "authentication", "address"], ["tools", "transport", "skills", "auth"]);
await offers("keys of an mcp adapter", `${mcp}    |`, ["tools", "prompts", "transport"], ["inputParameters"]);
await offers("keys of a tool", `${mcp}    tools:\n    - name: look-up\n      |`, ["description", "call", "with", "hints", "inputParameters"], ["port", "precision"]);
await offers("keys of a tool below its name", `${mcp}    tools:\n      look-up:\n        |`, ["description", "call", "with", "hints"], ["port"]);
await offers("words of a hint", `${mcp}    tools:\n    - name: look-up\n      hints:\n        readOnly: |`, ["true", "false"]);
await offers("no words where text is due", `${mcp}    tools:\n    - name: |`, [], ["true", "false"]);
await offers("methods", `${rest}    resources:\n    - path: /ships\n      operations:\n      - method: |`, ["GET", "POST", "DELETE"]);
await offers("places of an input", `${rest}    inputParameters:\n    - name: a\n      in: |`, ["path", "query", "header", "cookie", "body"]);
await offers("types of an input", `${rest}    inputParameters:\n    - name: a\n      type: |`, ["string", "integer", "array"]);
await offers("schemes", `${rest}    authentication:\n      type: |`, ["basic", "bearer", "apikey"]);
await offers("keys of a scheme", `${rest}    authentication:\n      type: basic\n      |`, ["username", "password"], ["token", "placement"]);
await offers("kinds of steps", `${mcp}    tools:\n    - name: a\n      steps:\n      - type: |`, ["call", "lookup", "script"]);
await offers("keys of a lookup", `${mcp}    tools:\n    - name: a\n      steps:\n      - type: lookup\n        |`, ["index", "match", "lookupValue"], ["language"]);

await check("what a key means", async () => {
  const { contents } = await editor.sendRequest("textDocument/hover", await at(`${mcp}    tools:\n    - na|me: look-up\n`));
  assert.match(contents.value ?? contents, /agents call the tool/);
});

await editor.sendRequest("shutdown");
await editor.sendNotification("exit");
editor.dispose();
for (const failure of failures) console.error(failure);
console.log(`${checks - failures.length} of ${checks} checks passed`);
process.exitCode = failures.length ? 1 : 0;

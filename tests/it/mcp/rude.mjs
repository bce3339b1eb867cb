// An MCP server without manners, for tests: it does what its tools are called.
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const tools = ["die", "dieOnce", "hang", "meta", "flood", "wrong", "fail", "bad/name", "text", "big", "babble", "nonsense"];
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
const answer = (id, result) => send({ id, result });
const text = (id, text) => answer(id, { content: [{ type: "text", text }] });
const child = spawn("sleep", ["1000"], { stdio: "ignore" });
appendFileSync("pids", `${process.pid}\n${child.pid}\n`);
console.error("the rude server is up");
console.log("a stray line");

const calls = {
  die: () => process.exit(7),
  dieOnce(id) {
    if (existsSync("died")) return text(id, "alive");
    writeFileSync("died", "");
    process.exit(8);
  },
  hang() {},
  meta: (id, params) => answer(id, { content: [], structuredContent: params._meta }),
  flood: () => process.stdout.write("x".repeat(17 * 1024 * 1024)),
  wrong: (id) => send({ id, error: { code: -32602, message: "no such thing" } }),
  fail: (id) => answer(id, { content: [{ type: "text", text: "it is broken" }], isError: true }),
  babble: () => console.log("no { JSON at all"),
  nonsense: (id) => answer(id, { content: 5, isError: "perhaps" }),
  text: (id) => text(id, '{"a": 1}'),
  big: (id) => text(id, "y".repeat(2 * 1024 * 1024)),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  appendFileSync("heard", line + "\n");
  const { id, method, params } = JSON.parse(line);
  if (method === "initialize") {
    const { protocolVersion } = params;
    answer(id, { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "rude", version: "1" } });
  } else if (method === "tools/list") {
    answer(id, { tools: tools.map((name) => ({
      name, description: `It can ${name}.`, inputSchema: { type: "object" },
      annotations: { idempotentHint: true },
    })) });
  } else if (method === "tools/call") {
    calls[params.name](id, params);
  } else if (method === "ping" && !existsSync("deaf")) {
    answer(id, {});
  }
});
// Neither a closed stdin nor SIGTERM ends it.
setInterval(() => {}, 1000);
process.on("SIGTERM", () => {});

// A door before an MCP server over HTTP: it opens to the header that the file `accepted` holds.
import { createServer, request } from "node:http";
import { readFileSync } from "node:fs";

const [, , port] = process.argv;
const door = createServer((asked, answer) => {
  const { method, url: path, headers } = asked;
  if (headers.authorization !== readFileSync("accepted", "utf8").trim()) {
    // It says again what it was told, as servers do that want to help.
    answer.writeHead(401, { "content-type": "text/plain" });
    return answer.end(`not accepted: ${headers.authorization}`);
  }
  const passed = request({ host: "127.0.0.1", port, method, path, headers }, (got) => {
    answer.writeHead(got.statusCode, got.headers);
    got.pipe(answer);
  });
  passed.on("error", () => answer.destroy());
  answer.on("close", () => passed.destroy());
  asked.pipe(passed);
});
door.listen(0, "127.0.0.1", () => console.error(`listening on port ${door.address().port}`));

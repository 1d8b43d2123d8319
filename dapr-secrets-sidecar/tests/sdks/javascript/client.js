// Reads secrets through the SDK for JavaScript and prints a line of JSON for each. The SDK finds the sidecar and the token in
// the environment. Usage: client.js http|grpc STORE/NAME ... (one secret), STORE ... (all)
"use strict";

const { CommunicationProtocolEnum, DaprClient, LogLevel } = require("@dapr/dapr");

const [protocol, ...steps] = process.argv.slice(2);
const protocols = { http: CommunicationProtocolEnum.HTTP, grpc: CommunicationProtocolEnum.GRPC };

/** What the SDK gives for one secret, or for all. */
async function read(client, step) {
  const at = step.indexOf("/");
  return at < 0 ? client.secret.getBulk(step) : client.secret.get(step.slice(0, at), step.slice(at + 1));
}

/** Over HTTP the message is JSON, and the body is text in it. */
function overHttp(error) {
  const { error_msg: body, ...rest } = JSON.parse(error.message);
  return { ...rest, body: JSON.parse(body) };
}

function overGrpc(error) {
  const { name, code, message, details } = error;
  return { name, code, message, details: details.map((detail) => detail.type) };
}

async function main() {
  const client = new DaprClient({
    communicationProtocol: protocols[protocol],
    // It logs to stdout.
    logger: { level: LogLevel.Error },
  });
  for (const step of steps) {
    const line = { step };
    try {
      line.value = await read(client, step);
    } catch (error) {
      line.error = protocol === "http" ? overHttp(error) : overGrpc(error);
    }
    console.log(JSON.stringify(line));
  }
  await client.stop();
}

main().then(
  // An idle connection over HTTP/2 would keep the process for minutes.
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);

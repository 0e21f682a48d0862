// Claude Code and Codex as published: set up by the command, one turn with a tool call each, through their own
// provider's protocol and through translation (gateway-api §16, clients §4).

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { startBoth } from "../../node/harness.mjs";
import { Desk } from "../agent.mjs";

const COMMAND = "echo tool-ran > proof.txt && echo QX51";
const PROMPT = "Write the proof, please.";
let both, desk;

before(async () => {
  both = await startBoth();
});
after(() => both?.close());
afterEach(() => desk?.close());

/** The next request is answered with a call of the agent's shell. */
function callShell(name, input) {
  const call = { name, arguments: input };
  return both.simulator.scriptNext(null, { answer: { kind: "say", text: "I run it.", calls: [call] } });
}

/** The requests of this turn, which are those since the count before it. */
async function since(count) {
  return (await both.simulator.json("/__sim/requests")).slice(count);
}

const seenSoFar = async () => (await both.simulator.json("/__sim/requests")).length;

async function spent() {
  const headers = { authorization: `Bearer ${both.key}` };
  return Number((await (await fetch(`${both.gateway.url}/v1/credits`, { headers })).json()).total_used);
}

for (const model of ["anthropic/claude-haiku-4.5", "openai/gpt-5.4-mini"]) {
  test(`Claude Code runs a tool and reads its result with ${model}`, async () => {
    desk = new Desk("claude-code");
    await desk.setup("--url", both.gateway.url, "--key", both.key, "--model", model);
    const [count, money] = [await seenSoFar(), await spent()];
    await callShell("Bash", { command: COMMAND, description: "Write the proof" });
    const answer = JSON.parse(await desk.turn(PROMPT));
    assert.equal(answer.is_error, false);
    assert.equal(desk.made("proof.txt"), "tool-ran");
    assert.match(answer.result, /QX51/, "the tool's result reached the model");
    assert.ok(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0);
    const requests = await since(count);
    assert.ok(requests.length >= 2);
    if (model.startsWith("anthropic/")) assert.ok(requests.every((one) => one.target.startsWith("/v1/messages")));
    assert.ok((await spent()) > money, "the turn is in the ledger");
  });

  test(`Codex runs a tool and reads its result with ${model}`, async () => {
    desk = new Desk("codex");
    await desk.setup("--url", both.gateway.url, "--key", both.key, "--model", model);
    const [count, money] = [await seenSoFar(), await spent()];
    await callShell("exec_command", { cmd: COMMAND });
    const events = (await desk.turn(PROMPT)).trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(desk.made("proof.txt"), "tool-ran");
    const items = events.filter((event) => event.type === "item.completed").map((event) => event.item);
    const ran = items.find((item) => item.type === "command_execution");
    assert.equal(ran.exit_code, 0);
    const said = items.filter((item) => item.type === "agent_message").at(-1);
    assert.match(said.text, /QX51/, "the tool's result reached the model");
    const { usage } = events.find((event) => event.type === "turn.completed");
    assert.ok(usage.input_tokens > 0 && usage.output_tokens > 0);
    const requests = await since(count);
    assert.ok(requests.length >= 2);
    if (model.startsWith("openai/")) assert.ok(requests.every((one) => one.target === "/v1/responses"));
    assert.ok((await spent()) > money, "the turn is in the ledger");
  });
}

for (const agent of ["claude-code", "codex"]) {
  test(`${agent} reads the key from the variable that the command names`, async () => {
    desk = new Desk(agent);
    const model = agent === "codex" ? "openai/gpt-5.4-mini" : "anthropic/claude-haiku-4.5";
    const told = await desk.setup("--url", both.gateway.url, "--model", model);
    assert.match(told, /export TOLLGATE_KEY=/);
    const money = await spent();
    await desk.turn("Say hello.", { TOLLGATE_KEY: both.key });
    assert.ok((await spent()) > money, "the turn is in the ledger");
  });
}

test("Claude Code chooses a Claude model by its own name when none is named", async () => {
  desk = new Desk("claude-code");
  await desk.setup("--url", both.gateway.url, "--key", both.key);
  const answer = JSON.parse(await desk.turn("Say hello."));
  assert.equal(answer.is_error, false);
});

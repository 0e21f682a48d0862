// One turn of a coding agent in a home and a working folder of its own, set up by `tollgate agents setup`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { binary, cleanEnvironment } from "../node/harness.mjs";

const PATIENCE_MS = 120_000;
// Refuses at once whatever is not on loopback: the agents obey proxy variables.
const NOWHERE = "http://127.0.0.1:9";
const HERE = "127.0.0.1,localhost";
const MODULES = path.join(import.meta.dirname, "node_modules");

/** How each agent is started for one turn without a person; its starter finds the program for this machine. */
export const AGENTS = {
  "claude-code": {
    starter: path.join(MODULES, "@anthropic-ai/claude-code/cli-wrapper.cjs"),
    turn: (prompt) => ["-p", prompt, "--allowedTools", "Bash", "--output-format", "json"],
    quiet: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1", DISABLE_AUTOUPDATER: "1" },
    folder: ".claude",
  },
  codex: {
    starter: path.join(MODULES, "@openai/codex/bin/codex.js"),
    turn: (prompt) => [
      "exec",
      "--skip-git-repo-check",
      "--dangerously-bypass-approvals-and-sandbox",
      "--json",
      "--config",
      "check_for_update_on_startup=false",
      prompt,
    ],
    quiet: {},
    folder: ".codex",
  },
};

/** Runs a program to its end; its exit code and what it printed. */
async function run(program, args, options) {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (bytes) => (out += bytes));
  child.stderr.on("data", (bytes) => (err += bytes));
  const hard = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const [code] = await once(child, "close");
  clearTimeout(hard);
  return { code, out, err };
}

/** A home and a working folder for one agent. */
export class Desk {
  constructor(agent) {
    this.agent = agent;
    this.root = mkdtempSync(path.join(tmpdir(), "tollgate-agent-"));
    this.home = path.join(this.root, "home");
    this.work = path.join(this.root, "work");
    mkdirSync(this.home);
    mkdirSync(this.work);
  }

  environment(more = {}) {
    const proxies = { HTTP_PROXY: NOWHERE, HTTPS_PROXY: NOWHERE, http_proxy: NOWHERE, https_proxy: NOWHERE };
    return cleanEnvironment({
      HOME: this.home,
      NO_PROXY: HERE,
      no_proxy: HERE,
      ...proxies,
      ...AGENTS[this.agent].quiet,
      ...more,
    });
  }

  /** `tollgate agents setup … --write`. */
  async setup(...args) {
    const all = ["agents", "setup", this.agent, "--write", ...args];
    const done = await run(binary(), all, { cwd: this.work, env: this.environment() });
    if (done.code !== 0) throw new Error(`tollgate ${all[2]}: ${done.code}\n${done.out}\n${done.err}`);
    return done.out;
  }

  /** One turn; it must end well. */
  async turn(prompt, more = {}) {
    const { starter, turn } = AGENTS[this.agent];
    if (!existsSync(starter)) throw new Error(`${starter} is missing: run npm ci in e2e/agents`);
    const options = { cwd: this.work, env: this.environment(more) };
    const done = await run(process.execPath, [starter, ...turn(prompt)], options);
    if (done.code !== 0) throw new Error(`${this.agent} ended with ${done.code}\n${done.out}\n${done.err}`);
    return done.out;
  }

  /** A file that the agent's tool was to write; null when it did not. */
  made(name) {
    const file = path.join(this.work, name);
    return existsSync(file) ? readFileSync(file, "utf8").trim() : null;
  }

  close() {
    rmSync(this.root, { recursive: true, force: true });
  }
}

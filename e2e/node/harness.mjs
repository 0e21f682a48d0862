// Starts the real binary and the provider simulator, and stops them again.
// The Python harness beside this one does the same; the two share `tollgate.toml`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { crc32 } from "node:zlib";

const REPOSITORY = path.resolve(import.meta.dirname, "../..");
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const START_MS = 20_000;
const STOP_MS = 10_000;
const PROVIDER_KEYS = /^TOLLGATE_|(_API_KEY|_ACCESS_KEY_ID|_SECRET_ACCESS_KEY|_TOKEN|_proxy|_PROXY)$/;

/** The program under test: `TOLLGATE_BIN`, or the release build of this checkout. */
export function binary() {
  const file = path.resolve(process.env.TOLLGATE_BIN || path.join(REPOSITORY, "target/release/tollgate"));
  if (!existsSync(file)) {
    throw new Error(`${file} does not exist. Build it with \`cargo build --release -p tollgate\`.`);
  }
  return file;
}

/** A new, well-formed gateway key: `tgk_`, 34 random characters and their CRC-32 in base62. */
export function gatewayKey() {
  let key = "tgk_";
  while (key.length < 38) key += ALPHABET[randomInt(62)];
  let value = crc32(key);
  let checksum = "";
  for (let digit = 0; digit < 6; digit++) {
    checksum = ALPHABET[value % 62] + checksum;
    value = Math.floor(value / 62);
  }
  return key + checksum;
}

/** The environment without anything that would change what a program does. */
export function cleanEnvironment(more = {}) {
  const kept = Object.entries(process.env).filter(([key]) => !PROVIDER_KEYS.test(key));
  return { ...Object.fromEntries(kept), ...more };
}

/** A child process that prints the address it listens on. */
class Program {
  static async start(args, folder, name, environment = {}) {
    const program = new this();
    program.log = path.join(folder, `${name}.log`);
    const errors = openSync(program.log, "a");
    program.child = spawn(binary(), args, {
      cwd: folder,
      env: cleanEnvironment(environment),
      stdio: ["ignore", "pipe", errors],
    });
    closeSync(errors);
    program.ended = once(program.child, "exit");
    program.url = await program.address(name);
    return program;
  }

  async address(name) {
    let output = "";
    const found = new Promise((resolve) => {
      this.child.stdout.on("data", (bytes) => {
        output += bytes;
        const url = output.match(/http:\/\/127\.0\.0\.1:\d+(?=\D)/);
        if (url) resolve(url[0]);
      });
      this.child.on("exit", () => resolve(null));
      this.child.on("error", () => resolve(null));
    });
    const url = await Promise.race([found, pause(START_MS, null, { ref: false })]);
    if (url) return url;
    this.child.kill("SIGKILL");
    const errors = readFileSync(this.log, "utf8").slice(-2000);
    throw new Error(`${name} printed no http://127.0.0.1:PORT. Its output:\n${output}\n${errors}`);
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill("SIGTERM");
      const hard = setTimeout(() => this.child.kill("SIGKILL"), STOP_MS);
      await this.ended;
      clearTimeout(hard);
    }
  }
}

/** The provider simulator and its control interface. */
class Simulator extends Program {
  async json(route) {
    const response = await fetch(this.url + route);
    if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** The recorded requests whose body contains this text, oldest first. */
  async requests(marker) {
    const every = await this.json("/__sim/requests");
    return every.filter((one) => JSON.stringify(one.body).includes(marker));
  }

  /** The one recorded request whose body contains this text. */
  async request(marker) {
    const found = await this.requests(marker);
    if (found.length !== 1) throw new Error(`${found.length} requests with ${marker}, not one`);
    return found[0];
  }

  /** Lays out the behaviour for the next request with this `user` member. */
  async script(marker, behaviour) {
    await this.scriptNext({ member: ["user", marker] }, behaviour);
  }

  /** Lays out the behaviour for the next request that matches; any request matches null. */
  async scriptNext(matches, behaviour) {
    const body = JSON.stringify({ matches, behaviour });
    const response = await fetch(`${this.url}/__sim/script`, { method: "POST", body });
    if (!response.ok) throw new Error(await response.text());
  }

  /** Milliseconds from the receipt of that request until its client was gone; null while it is there. */
  async leftAfter(marker) {
    const { left_after_us: microseconds } = await this.request(marker);
    return microseconds === null ? null : microseconds / 1000;
  }
}

/** Simulator and gateway for one test file; `close` ends both. */
export async function startBoth() {
  const folder = mkdtempSync(path.join(tmpdir(), "tollgate-e2e-"));
  const started = [];
  const close = async () => {
    for (const program of started.reverse()) await program.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const simulator = await Simulator.start(["simulate", "--listen", "127.0.0.1:0"], folder, "simulator");
    started.push(simulator);
    const template = readFileSync(path.join(REPOSITORY, "e2e/tollgate.toml"), "utf8");
    const config = path.join(folder, "tollgate.toml");
    writeFileSync(config, template.replaceAll('"SIMULATOR', `"${simulator.url}`));
    const key = gatewayKey();
    const gateway = await Program.start(
      ["serve", "--config", config, "--listen", "127.0.0.1:0", "--data", path.join(folder, "data")],
      folder,
      "gateway",
      { TOLLGATE_BOOTSTRAP_KEY: key },
    );
    started.push(gateway);
    return { simulator, gateway, key, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Arguments of an SDK client; retries are off, so that a test sees the first answer. */
export function clientOptions({ gateway, key }, changes = {}) {
  return { baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0, timeout: 30_000, ...changes };
}

/** Polls until the condition holds; returns its value, or its last one. */
export async function waitUntil(condition, milliseconds) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value || Date.now() > end) return value;
    await pause(5);
  }
}

#!/usr/bin/env python3
"""Runs the same work against every named target in one interleaved run and prints ratios.

  run.py --bin DIR --targets FILE.toml [--only a,b] [--rounds 3] [--quick] [--out results.json] [--markdown FILE]
  run.py report results.json

DIR holds mock-upstream and gwload. Nothing but the standard library (Python >= 3.11) is used.
Pinning: the system under test on core 0, upstream + load generator + this script on core 1.
Exit code: 0 every target was measured, 1 a target had to be left out or the rig could not start.
"""
import argparse
import glob
import json
import os
import platform
import random
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time
import tomllib
from urllib.parse import urlsplit

GW_CORE, RIG_CORE = 0, 1
UP = 9100
HZ = os.sysconf("SC_CLK_TCK")
QUIET = 0.15  # foreign share of core 0 up to which a run counts as quiet


# ---------------------------------------------------------------- processes
def tree(root):
    kids = {}
    for d in glob.glob("/proc/[0-9]*/stat"):
        try:
            s = open(d).read()
        except OSError:
            continue
        pid = int(s.split(" ", 1)[0]); ppid = int(s.rsplit(")", 1)[1].split()[1])
        kids.setdefault(ppid, []).append(pid)
    out, todo = [], [root]
    while todo:
        p = todo.pop(); out.append(p); todo += kids.get(p, [])
    return out


def cpu_ns(pids):
    """CPU time of live threads: scheduler nanoseconds (10 ms ticks of /proc/PID/stat are too coarse)."""
    n = 0
    for p in pids:
        for f in glob.glob(f"/proc/{p}/task/*/schedstat"):
            try:
                n += int(open(f).read().split()[0])
            except (OSError, ValueError, IndexError):
                pass
    return n


def stat_ticks(pids):
    """utime+stime of the whole processes, threads that ended included; the cross-check of cpu_ns."""
    n = 0
    for p in pids:
        try:
            f = open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()
            n += int(f[11]) + int(f[12])
        except OSError:
            pass
    return n / HZ * 1e9


def rss(pids):
    n = 0
    for p in pids:
        try:
            for l in open(f"/proc/{p}/smaps_rollup"):
                if l.startswith("Pss:"):
                    n += int(l.split()[1]); break
        except OSError:
            pass
    return n / 1024  # MiB; Pss = Rss for one process, and does not count shared pages twice in a tree


def core_busy():
    out = {}
    for l in open("/proc/stat"):
        if l.startswith("cpu") and l[3].isdigit():
            f = [int(x) for x in l.split()[1:9]]
            out[int(l.split()[0][3:])] = (sum(f) - f[3] - f[4], sum(f), f[7])
    return out


def raw_post(url, body, headers, timeout=10.0):
    """Status of one POST over a fresh connection; 0 when it cannot be had."""
    u = urlsplit(url)
    try:
        with socket.create_connection((u.hostname, u.port), timeout=timeout) as s:
            s.settimeout(timeout)
            h = "".join(f"{k}: {v}\r\n" for k, v in headers)
            path = u.path + (f"?{u.query}" if u.query else "")
            s.sendall(f"POST {path} HTTP/1.1\r\nhost: {u.netloc}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {len(body)}\r\n{h}\r\n".encode() + body)
            b = b""
            while b"\r\n\r\n" not in b:
                x = s.recv(65536)
                if not x:
                    break
                b += x
            return (int(b.split(b" ", 2)[1]) if b.startswith(b"HTTP/") else 0), b
    except (OSError, ValueError):
        return 0, b""


def upstream_set(q):
    raw_post(f"http://127.0.0.1:{UP}/__mock/set?default&{q}", b"", [])


class Target:
    def __init__(self, d):
        self.__dict__.update(dict(chat="/v1/chat/completions", model="mock-1", key="", headers=[], start=None, env={}, cwd=".",
                                  slow=False, note="", ready_s=120, url="", url_file=""), **d)
        self.key, self.url = os.path.expandvars(self.key), os.path.expandvars(self.url)
        self.proc, self.cold = None, []

    def full(self):
        return self.url + self.chat

    def hdrs(self):
        h = [tuple(x.split(": ", 1)) for x in self.headers]
        return h + ([("authorization", f"Bearer {self.key}")] if self.key else [])

    def probe(self):
        if self.url_file:  # a target that picks its own port writes its base URL to a file
            try:
                self.url = open(os.path.expandvars(self.url_file)).read().strip()
            except OSError:
                return 0, b""
        return raw_post(self.full(), json.dumps({"model": self.model, "messages": [{"role": "user", "content": "hi"}]}).encode(), self.hdrs())

    def launch(self, log):
        if self.url_file and os.path.exists(os.path.expandvars(self.url_file)):
            os.unlink(os.path.expandvars(self.url_file))
        cwd = os.path.expandvars(self.cwd)
        env = dict(os.environ, **{k: os.path.expandvars(v) for k, v in self.env.items()})

        def pre():
            os.sched_setaffinity(0, {GW_CORE})
            os.setsid()
        t = time.monotonic()
        self.proc = subprocess.Popen([os.path.expandvars(a) for a in self.start], cwd=cwd, env=env, stdout=log, stderr=log, preexec_fn=pre)
        while time.monotonic() - t < self.ready_s:
            st, b = self.probe()
            if st == 200:
                return time.monotonic() - t
            if self.proc.poll() is not None:
                raise RuntimeError(f"{self.name}: exited {self.proc.returncode}")
            time.sleep(0.002 if time.monotonic() - t < 1 else 0.02)
        raise RuntimeError(f"{self.name}: no 200 in {self.ready_s} s (last {st} {b[-300:]!r})")

    def stop(self):
        if self.proc and self.proc.poll() is None:
            os.killpg(self.proc.pid, signal.SIGTERM)
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.proc.pid, signal.SIGKILL); self.proc.wait()
        self.proc = None

    def pids(self):
        return tree(self.proc.pid) if self.proc else []


def load(args, t, mode, extra, probe_hold=False):
    """One gwload run; the gateway's CPU is read at its MEASURE and END lines."""
    cmd = [f"{args.bin}/gwload", mode, "--url", t.full(), "--model", t.model] + extra
    if t.key:
        cmd += ["--key", t.key]
    for h in t.headers:
        cmd += ["--header", h]
    p = subprocess.Popen(cmd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {RIG_CORE}))
    pids, res, ready, mem = t.pids(), None, None, None
    c0 = c1 = s0 = s1 = 0
    for line in p.stdout:
        if line.startswith("READY"):
            ready = line.strip()
        elif line.startswith("MEASURE"):
            c0, s0, b0, w0 = cpu_ns(pids), stat_ticks(pids), core_busy(), time.monotonic()
            if probe_hold:
                time.sleep(2); mem = rss(pids)
        elif line.startswith("END"):
            c1, s1, b1, w1 = cpu_ns(pids), stat_ticks(pids), core_busy(), time.monotonic()
        elif line.startswith("{"):
            res = json.loads(line)
    p.wait()
    if not res:
        return None
    wall = w1 - w0
    use = max(c1 - c0, 0)
    busy = (b1[GW_CORE][0] - b0[GW_CORE][0]) / HZ
    res.update(gw_cpu_s=use / 1e9, gw_cpu_stat_s=(s1 - s0) / 1e9, gw_util=use / 1e9 / wall,
               foreign_core0=max(busy - use / 1e9, 0) / wall, rig_util=(b1[RIG_CORE][0] - b0[RIG_CORE][0]) / HZ / wall,
               steal=sum(b1[c][2] - b0[c][2] for c in b1) / HZ / wall)
    if ready:
        res["ready"] = ready
    if mem is not None:
        res["mem"] = mem
    return res


def per(res, what):
    return res["gw_cpu_s"] * 1e6 / res[what] if res and res[what] else None


def g(res, *path):
    for k in path:
        if res is None:
            return None
        res = res.get(k)
    return res


def med(xs):
    xs = [x for x in xs if x is not None]
    return statistics.median(xs) if xs else None


def spread(xs):
    xs = [x for x in xs if x is not None]
    return f"{min(xs):.4g}..{max(xs):.4g}" if xs else "-"


# ---------------------------------------------------------------- the work
def phases(args):
    S = str(args.secs)
    # name, mode, upstream parameters, options, also for slow targets
    return [
        ("max", "closed", "", ["--conns", "64", "--secs", S, "--warmup", "1"], True),
        ("low", "open", "", ["--rate", "25", "--conns", "64", "--secs", S, "--warmup", "0.5"], True),
        ("high", "open", "", ["--rate", "1000", "--conns", "128", "--secs", S, "--warmup", "0.5"], False),
        ("big", "closed", "", ["--conns", "8", "--secs", S, "--warmup", "0.5", "--prompt", "200000"], True),
        ("slow_stream", "open", "gap_ms=10&chunks=100", ["--stream", "--rate", "3", "--conns", "64", "--secs", S, "--warmup", "1.2"], True),
        ("fast_stream", "open", "gap_ms=10&chunks=100", ["--stream", "--rate", "40", "--conns", "256", "--secs", S, "--warmup", "1.2"], False),
        ("blast", "closed", "gap_ms=0&chunks=200", ["--stream", "--conns", "16", "--secs", S, "--warmup", "0.5"], True),
    ]


def options():
    ap = argparse.ArgumentParser()
    ap.add_argument("--bin", required=True)
    ap.add_argument("--targets", required=True)
    ap.add_argument("--only", default="")
    ap.add_argument("--phases", default="")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--secs", type=float, default=4)
    ap.add_argument("--cold", type=int, default=3)
    ap.add_argument("--streams", type=int, default=2000)
    ap.add_argument("--quick", action="store_true", help="one round, 2 s, one cold start, 500 streams")
    ap.add_argument("--nice", type=int, default=0, help="priority of everything started here; negative (root) against foreign load")
    ap.add_argument("--out", default="results.json")
    ap.add_argument("--markdown", default="", help="file for the tables, which go to standard output in any case")
    ap.add_argument("--logs", default="logs")
    args = ap.parse_args()
    if args.quick:
        args.rounds, args.secs, args.cold, args.streams = 1, 2, 1, 500
    return args


def say(text):
    print(f"# {text}", file=sys.stderr, flush=True)


def prepare(args):
    """Pins this process, raises its file limit and gives the targets their variables."""
    if os.cpu_count() < 2:
        sys.exit("the rig needs two cores: one for the system under test, one for upstream and load")
    os.sched_setaffinity(0, {RIG_CORE})
    if args.nice:
        os.setpriority(os.PRIO_PROCESS, 0, args.nice)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= 20000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (20000, hard))
    os.makedirs(args.logs, exist_ok=True)
    os.environ["TARGETS_DIR"] = os.path.dirname(os.path.abspath(args.targets))
    os.environ["LOGS"], os.environ["BIN"] = os.path.abspath(args.logs), os.path.abspath(args.bin)


def refuse_taken_ports(ports):
    """SO_REUSEPORT would let a second upstream share a port with whatever is there, and measure both."""
    for port in ports:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                sys.exit(f"port {port} of 127.0.0.1 is taken: stop what listens there, then run again")


def start_upstream(args):
    ups = subprocess.Popen([f"{args.bin}/mock-upstream", "--port", str(UP)], stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, {RIG_CORE}))
    for _ in range(200):
        if ups.poll() is not None:
            break
        if raw_post(f"http://127.0.0.1:{UP}/__mock/stats", b"", [])[0] == 200:
            return ups
        time.sleep(0.02)
    ups.kill()
    sys.exit(f"the mock upstream did not answer on port {UP} (exit code {ups.poll()})")


def bring_up(args, t, d):
    """Starts one target, with cold starts before the one that stays. False: it could not be started."""
    try:
        if t.start:
            log = open(f"{args.logs}/{t.name}.log", "ab")
            for i in range(args.cold):
                t.cold.append(t.launch(log))
                if i < args.cold - 1:
                    t.stop(); time.sleep(0.3)
            time.sleep(2)
            d["cold_s"], d["idle_mib"] = t.cold, rss(t.pids())
        st, b = t.probe()
        if st != 200:
            raise RuntimeError(f"probe gave {st}: {b[-300:]!r}")
    except Exception as e:
        d["failed"] = str(e); t.stop()
        say(f"{t.name} LEFT OUT: {e} (its output is in {args.logs}/{t.name}.log)")
        return False
    say(f"{t.name}: cold {['%.3f' % c for c in t.cold]} s, idle {d.get('idle_mib', 0):.1f} MiB")
    return True


def run_phases(args, live, data):
    for rnd in range(args.rounds):
        for name, mode, q, opts, slow_too in phases(args):
            if args.phases and name not in args.phases.split(","):
                continue
            for t in random.sample(live, len(live)):
                if t.slow and not slow_too:
                    continue
                upstream_set(q)
                r = load(args, t, mode, opts)
                data["targets"][t.name]["runs"].setdefault(name, []).append(r)
                say(f"r{rnd} {name:12} {t.name:14} rps={g(r, 'rps')} chunks/s={g(r, 'chunks_per_s')} err={g(r, 'errors')} util={g(r, 'gw_util') or 0:.2f} "
                    f"rig={g(r, 'rig_util') or 0:.2f} foreign={g(r, 'foreign_core0') or 0:.2f} {g(r, 'first_error') or ''}"[:260])
                time.sleep(0.2)


def run_hold(args, live, data):
    for t in live:  # memory, last: it leaves allocators grown
        upstream_set("gap_ms=5000&chunks=100000")
        before = rss(t.pids())
        r = load(args, t, "hold", ["--conns", str(args.streams), "--secs", "6"], probe_hold=True)
        if r:
            r["before_mib"] = before
        data["targets"][t.name]["hold"] = r
        say(f"hold {t.name}: {g(r, 'ready')} before {before:.1f} MiB held {g(r, 'mem') or 0:.1f} MiB err={g(r, 'errors')} {g(r, 'first_error')}")
        upstream_set(""); time.sleep(1)


def main():
    args = options()
    prepare(args)
    ts = [Target(d) for d in tomllib.load(open(args.targets, "rb"))["target"]]
    if args.only:
        unknown = set(args.only.split(",")) - {t.name for t in ts}
        if unknown:
            sys.exit(f"--only names {', '.join(sorted(unknown))}; the targets are {', '.join(t.name for t in ts)}")
        ts = [t for t in ts if t.name in args.only.split(",")]
    refuse_taken_ports([UP] + [urlsplit(t.url).port for t in ts if t.start and t.url])
    ups = start_upstream(args)
    data = {"date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(), "args": vars(args), "targets": {}}
    try:
        live = []
        for t in ts:
            d = data["targets"][t.name] = {"note": t.note, "slow": t.slow, "runs": {}}
            if bring_up(args, t, d):
                live.append(t)
        for t in live:  # warm up
            upstream_set(""); load(args, t, "closed", ["--conns", "16", "--secs", "1.5", "--warmup", "0.5"])
        run_phases(args, live, data)
        if not args.phases or "hold" in args.phases.split(","):
            run_hold(args, live, data)
    finally:
        for t in ts:
            t.stop()
        ups.terminate(); ups.wait()
        with open(args.out, "w") as f:
            json.dump(data, f, indent=1)
    text = report(data)
    print(text, end="")
    if args.markdown:
        with open(args.markdown, "w") as f:
            f.write(text)
    return 1 if any(d.get("failed") for d in data["targets"].values()) else 0


# ---------------------------------------------------------------- the tables
def machine():
    """What the figures were taken on, in one line."""
    cpu = "unknown CPU"
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def report(data):
    """The tables of one run as Markdown."""
    lines = []
    put = lines.append
    a = data["args"]
    put(f"# Benchmark of {data['date']}\n")
    put(f"{data.get('machine', 'unknown machine')}; {a['rounds']} round(s) of {a['secs']} s a phase, {a['streams']} held streams.")
    if a["quick"]:
        put("A quick run finds large mistakes; it is not good enough for a claim.")
    T = {n: d for n, d in data["targets"].items() if not d.get("failed")}
    for n, d in data["targets"].items():
        if d.get("failed"):
            put(f"- {n}: not measured ({d['failed']})")

    def runs(n, ph):  # runs with little foreign load on core 0, if there are such
        rs = [r for r in T[n]["runs"].get(ph, []) if r]
        return [r for r in rs if r["foreign_core0"] <= QUIET] or rs

    def col(n, ph, f):
        return med([f(r) for r in runs(n, ph)])

    def vs(n, ph, f):  # median of the ratios to nginx round by round: the clock drifts between rounds
        out = []
        for a, b in zip(T[n]["runs"].get(ph, []), T.get("nginx", {}).get("runs", {}).get(ph, [])):
            if a and b and f(a) and f(b):
                out.append((max(a["foreign_core0"], b["foreign_core0"]) <= QUIET, f(a) / f(b)))
        x = med([r for q, r in out if q] or [r for _, r in out])
        return "-" if x is None else f"{x:.2f}x"

    def fmt(x, nd=0):
        return "-" if x is None else f"{x:,.{nd}f}"
    rows = {}
    for n in T:
        us = lambda ph, *p: col(n, ph, lambda r: g(r, "us", *p))
        h = T[n].get("hold")
        held = None
        if h and h.get("ready") and h.get("mem"):
            k = int(h["ready"].split()[1]); held = (h["mem"], (h["mem"] - h["before_mib"]) * 1024 / max(k, 1), k)
        rows[n] = dict(
            max=col(n, "max", lambda r: r["rps"]), util=col(n, "max", lambda r: r["gw_util"]),
            cpu=col(n, "max", lambda r: per(r, "ok")), cpu_lo=col(n, "low", lambda r: per(r, "ok")),
            big=col(n, "big", lambda r: per(r, "ok")), bigrps=col(n, "big", lambda r: r["rps"]),
            p50l=us("low", "scheduled", "p50"), p99l=us("low", "scheduled", "p99"), p50h=us("high", "scheduled", "p50"), p99h=us("high", "scheduled", "p99"),
            ttft50=us("slow_stream", "ttft", "p50"), ttft99=us("slow_stream", "ttft", "p99"), ch50=us("slow_stream", "chunk_oneway", "p50"), ch99=us("slow_stream", "chunk_oneway", "p99"),
            ttft50f=us("fast_stream", "ttft", "p50"), ttft99f=us("fast_stream", "ttft", "p99"), ch50f=us("fast_stream", "chunk_oneway", "p50"), ch99f=us("fast_stream", "chunk_oneway", "p99"),
            cpuchunk=col(n, "slow_stream", lambda r: per(r, "chunks")), cpuchunkf=col(n, "fast_stream", lambda r: per(r, "chunks")),
            blast=col(n, "blast", lambda r: r["chunks_per_s"]), cpublast=col(n, "blast", lambda r: per(r, "chunks")),
            cold=med(T[n].get("cold_s", [])), idle=T[n].get("idle_mib"), held=held,
            err=sum(r["errors"] + r["unfinished"] for rs in T[n]["runs"].values() for r in rs if r))
    D = rows.get("direct")

    def diff(a, b):
        return "-" if a is None or b is None else f"{a - b:+,.0f}"
    put("\n### Requests (median of rounds)\n")
    put("| target | max rps (64 conns) | of nginx | gateway core busy | CPU us/request | vs nginx | 1e6/CPU = rps a core | CPU us/request, 25 rps | CPU us/request, 200 kB body | vs nginx | errors |")
    put("|---|---|---|---|---|---|---|---|---|---|---|")
    for n, r in rows.items():
        put(f"| {n} | {fmt(r['max'])} | {vs(n, 'max', lambda x: x['rps'])} | {fmt((r['util'] or 0) * 100)}% | {fmt(r['cpu'], 1)} | {vs(n, 'max', lambda x: per(x, 'ok'))} | {fmt(1e6 / r['cpu'] if r['cpu'] else None)} | {fmt(r['cpu_lo'], 1)} | {fmt(r['big'], 0)} | {vs(n, 'big', lambda x: per(x, 'ok'))} | {r['err']} |")
    put("\n### Added latency over direct, microseconds (from the scheduled arrival)\n")
    put("| target | p50 @25/s | p99 @25/s | p50 @1000/s | p99 @1000/s | added p50 @25/s | added p99 @25/s | added p50 @1000/s | added p99 @1000/s |")
    put("|---|---|---|---|---|---|---|---|---|")
    for n, r in rows.items():
        put(f"| {n} | {fmt(r['p50l'])} | {fmt(r['p99l'])} | {fmt(r['p50h'])} | {fmt(r['p99h'])} | " + " | ".join(diff(r[k], D and D[k]) for k in ("p50l", "p99l", "p50h", "p99h")) + " |")
    put("\n### Streaming: 100 chunks 10 ms apart (microseconds)\n")
    put("| target | TTFT p50 / p99 @3 streams/s | added p50 | chunk one-way p50 / p99 | added p50 | CPU us/chunk | TTFT p50 / p99 @40/s (4,000 chunks/s) | chunk p50 / p99 | CPU us/chunk | vs nginx | blast chunks/s | blast CPU us/chunk |")
    put("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for n, r in rows.items():
        put(f"| {n} | {fmt(r['ttft50'])} / {fmt(r['ttft99'])} | {diff(r['ttft50'], D and D['ttft50'])} | {fmt(r['ch50'])} / {fmt(r['ch99'])} | {diff(r['ch50'], D and D['ch50'])} | {fmt(r['cpuchunk'], 1)} | {fmt(r['ttft50f'])} / {fmt(r['ttft99f'])} | {fmt(r['ch50f'])} / {fmt(r['ch99f'])} | {fmt(r['cpuchunkf'], 1)} | {vs(n, 'fast_stream', lambda x: per(x, 'chunks'))} | {fmt(r['blast'])} | {fmt(r['cpublast'], 2)} |")
    put("\n### Memory and start\n")
    put("| target | cold start to first 200, ms | idle MiB (PSS) | MiB with open streams | streams really open | KiB per open stream |")
    put("|---|---|---|---|---|---|")
    for n, r in rows.items():
        h = r["held"]
        put(f"| {n} | {fmt(r['cold'] * 1000 if r['cold'] else None)} | {fmt(r['idle'], 1)} | {fmt(h and h[0], 1)} | {h[2] if h else '-'} | {fmt(h and h[1], 1)} |")
    put("\n### Spread (min..max over the rounds)\n")
    for n in T:
        f = lambda ph, fn: spread([fn(r) for r in T[n]["runs"].get(ph, []) if r])
        allr = [r for rs in T[n]["runs"].values() for r in rs if r]
        put(f"- {n}: quiet runs {sum(r['foreign_core0'] <= QUIET for r in allr)} of {len(allr)}; max rps {f('max', lambda r: r['rps'])}; CPU us/req {f('max', lambda r: per(r, 'ok'))}; p50@25 {f('low', lambda r: g(r, 'us', 'scheduled', 'p50'))}; chunk p50 {f('slow_stream', lambda r: g(r, 'us', 'chunk_oneway', 'p50'))}; core-0 foreign load {f('max', lambda r: r['foreign_core0'])}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "report":
        print(report(json.load(open(sys.argv[2]))), end="")
    else:
        sys.exit(main())

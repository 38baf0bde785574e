#!/usr/bin/env python3
"""Kills `collect` and `store compact` at hundreds of random moments, and compares what the store says in the end with what
the logs say: byte for byte.

    cargo build --release --locked && python3 tests/store_kill.py --kills 300
    python3 tests/store_kill.py --kills 300 --s3     # the store in a bucket: `pip install 'moto[s3,server]'`
    python3 tests/store_kill.py --disk               # a full disk instead, many times: needs root, to mount a tmpfs

After each kill the store must be that of some commit: every file that the log names is whole, and the events there are
those that the ledger counts, each once. Needs nothing but the program otherwise. Exit code 0 if all of it holds.
"""

import argparse
import csv
import io
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("BEDTRAIL", str(ROOT / "target" / "release" / "bedtrail"))
CORPUS = os.environ.get("CORPUS", "")
BUCKET = "acme-logs"
EVENTS = "SELECT * FROM events ORDER BY event_id, log_object, log_index"
SUMS = """SELECT (SELECT COUNT(*) FROM events) AS rows,
    (SELECT COUNT(*) FROM (SELECT DISTINCT event_id, log_object, log_index FROM events) AS once) AS rows_once,
    (SELECT SUM(kept) FROM objects) AS kept"""


def environment(endpoint):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BEDTRAIL_"))}
    kept["BEDTRAIL_NOW"] = "2026-11-01T00:00:00Z"
    if endpoint:
        kept |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "eu-central-1"}
        kept |= {"AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1"}
    return kept


class Trial:
    """Logs that come in waves, a store, and the commands over both."""

    def __init__(self, folder, corpus, seed, endpoint=None, store=None):
        self.logs, self.endpoint = folder / "logs", endpoint
        self.store = store or str(folder / "store")
        self.files = sorted(path for path in corpus.rglob("*.gz"))
        self.corpus, self.random = corpus, random.Random(seed)
        self.waves = 3
        self.wave_of = [self.random.randrange(self.waves) for _ in self.files]

    def arrive(self, wave):
        for path, at in zip(self.files, self.wave_of, strict=True):
            if at == wave:
                there = self.logs / path.relative_to(self.corpus)
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, there)

    def command(self, *arguments):
        more = ("--path-style",) if self.endpoint else ()
        return [PROGRAM, *arguments, *more]

    def collect(self):
        # Little memory, so that there are many commits to be killed between.
        return self.command("collect", "--quiet", "--memory-limit", "6M", "--store", self.store, "-s", str(self.logs))

    def start(self, command):
        return subprocess.Popen(command, env=environment(self.endpoint), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def run(self, *arguments, codes=(0,)):
        command = list(arguments) if arguments[0] == PROGRAM else self.command(*arguments)
        ran = subprocess.run(command, env=environment(self.endpoint), capture_output=True, text=True)
        if ran.returncode not in codes:
            sys.exit(f"{command} ended with {ran.returncode}:\n{ran.stderr}")
        return ran.stdout

    def sound(self):
        """The store is that of some commit, if there is one yet."""
        if "is no store" in subprocess.run(
            self.command("store", "info", self.store), env=environment(self.endpoint), capture_output=True, text=True
        ).stderr:
            return False
        # What a killed run left in `events/` is told of with exit code 3, and goes with the next run.
        checked = self.run("store", "info", "--check", self.store, codes=(0, 3))
        if "broken      " in checked:
            sys.exit(f"after a kill:\n{checked}")
        # Planning a query takes longer than all else here.
        if self.random.random() > 0.3:
            return True
        text = self.run("query", SUMS, "--format", "csv", "--quiet", "-s", self.store, codes=(0, 3))
        (row,) = csv.DictReader(io.StringIO(text))
        if not row["rows"] == row["rows_once"] == row["kept"]:
            sys.exit(f"after a kill the store is of no commit: {row}")
        return True

    def same(self):
        """Every answer over the store is that over the logs."""
        asked = [("query", EVENTS), ("query", "SELECT * FROM objects ORDER BY log_object")]
        asked += [("report", "usage-by-role-model")]
        for question in asked:
            answers = [
                self.run(*question, "--format", "csv", "--quiet", "-s", source, codes=(0, 1, 3))
                for source in (str(self.logs), self.store)
            ]
            if answers[0] != answers[1]:
                sys.exit(f"{question[1]}: the store does not say what the logs say")
        again = subprocess.run(
            [part for part in self.collect() if part != "--quiet"], env=environment(self.endpoint), capture_output=True, text=True
        )
        if " 0 new objects" not in again.stderr:
            sys.exit(f"a further run had something to do: {again.stderr}")
        # In a bucket, what killed runs left goes once it is an hour old.
        checked = self.run("store", "info", "--check", self.store, codes=(0, 3) if self.endpoint else (0,))
        if " 0 are broken" not in checked:
            sys.exit(checked)


class Killer:
    """Kills runs at random moments: about half of them come to their end, however fast the machine is just now."""

    def __init__(self, within):
        self.within, self.killed = within, 0

    def kill(self, trial, command):
        run = trial.start(command)
        time.sleep(trial.random.uniform(0, self.within))
        going = run.poll() is None
        run.send_signal(signal.SIGKILL)
        _, said = run.communicate()
        if not going and run.returncode not in (0, 3):
            sys.exit(f"{command} ended with {run.returncode}:\n{said.decode()}")
        self.killed += going
        self.within *= 1.2 if going else 0.85


def kills(corpus, wanted, seed, endpoint=None, client=None):
    collect, compact = Killer(1.0), Killer(0.5)
    checks = rounds = 0
    while collect.killed + compact.killed < wanted:
        rounds += 1
        with tempfile.TemporaryDirectory() as folder:
            trial = Trial(pathlib.Path(folder), corpus, seed + rounds, endpoint, store_of(client, f"round{rounds}"))
            for wave in range(trial.waves):
                trial.arrive(wave)
                for _ in range(8):
                    collect.kill(trial, trial.collect())
                    there = trial.sound()
                    checks += there
                    if there and trial.random.random() < 0.3:
                        compact.kill(trial, trial.command("store", "compact", trial.store))
                        checks += trial.sound()
            trial.run(*trial.collect())
            trial.same()
        told = f"{collect.killed} collects and {compact.killed} compacts killed, {checks} checks after them"
        print(f"{told}, {rounds} stores: the same as their logs", flush=True)


def disk(corpus, seed):
    """A disk that is full at every possible point: each store is begun on a larger one, and completed on one with room."""
    full = 0
    for megabytes in [0.25, 0.5, 0.75, *range(1, 40)]:
        with tempfile.TemporaryDirectory() as folder:
            trial = Trial(pathlib.Path(folder), corpus, seed)
            mount = pathlib.Path(folder) / "disk"
            mount.mkdir()
            size = int(megabytes * 1024)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", mount], check=True)
            try:
                trial.store = str(mount / "store")
                for wave in range(trial.waves):
                    trial.arrive(wave)
                run = trial.start(trial.collect())
                _, said = run.communicate()
                if run.returncode == 0:
                    print(f"{full} full disks: told, and completed once there was room")
                    return
                if run.returncode != 4 or b"No space left" not in said:
                    sys.exit(f"a full disk of {size} KiB ended with {run.returncode}: {said.decode()}")
                full += 1
                trial.sound()
                subprocess.run(["mount", "-o", "remount,size=512m", mount], check=True)
                trial.run(*trial.collect())
                trial.same()
            finally:
                subprocess.run(["umount", mount], check=True)


def store_of(client, name):
    return f"s3://{BUCKET}/{name}" if client else None


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=300)
    arguments.add_argument("--files", type=int, default=300)
    arguments.add_argument("--records", type=int, default=60)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--s3", action="store_true")
    arguments.add_argument("--disk", action="store_true")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = pathlib.Path(folder)
        made = [CORPUS] if CORPUS else ["cargo", "run", "--quiet", "--locked", "--example", "corpus", "--"]
        options = ["--out", folder, "--files", str(given.files), "--records", str(given.records), "--bedrock", "700", "--seed", str(given.seed)]
        subprocess.run(made + options, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        if given.disk:
            return disk(corpus, given.seed)
        if not given.s3:
            return kills(corpus, given.kills, given.seed)
        import logging

        import boto3
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        client = boto3.client("s3", endpoint_url=endpoint, region_name="eu-central-1")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        kills(corpus, given.kills, given.seed, endpoint, client)
        server.stop()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The same answers from a second, independent S3 server: moto (`pip install 'moto[s3,server]'`).

    cargo build --locked && python3 tests/s3_moto.py

Uploads the example trail, as it is and below a prefix, and compares what the program says of the bucket with what it
says of the folder. Exit code 0 if all is the same.
"""

import concurrent.futures
import logging
import os
import pathlib
import subprocess
import sys

import boto3
from moto.server import ThreadedMotoServer

ROOT = pathlib.Path(__file__).resolve().parent.parent
TRAIL = ROOT / "fixtures" / "trail"
PROGRAM = os.environ.get("BEDTRAIL", str(ROOT / "target" / "debug" / "bedtrail"))
BUCKET = "acme-logs"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}


def run(*arguments, code=0, endpoint=None):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BEDTRAIL_"))}
    environment |= KEYS | {"NO_PROXY": "127.0.0.1", "BEDTRAIL_NOW": "2026-11-01T00:00:00Z"}
    if endpoint:
        environment |= {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "eu-central-1"}
        arguments += ("--path-style",)
    ran = subprocess.run([PROGRAM, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    if ran.returncode != code:
        sys.exit(f"{arguments} ended with {ran.returncode}, not {code}:\n{ran.stderr}")
    return ran.stdout


def stores(endpoint):
    """A store and results in a bucket; two runs at once, of which S3 lets one make each commit."""
    store = f"s3://{BUCKET}/kept/store"
    collect = ("collect", "--store", store, "-s", str(TRAIL))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for run_at_once in [pool.submit(run, *collect, endpoint=endpoint) for _ in range(3)]:
            run_at_once.result()
    run("store", "compact", store, endpoint=endpoint)
    run("store", "info", "--check", store, endpoint=endpoint)
    ask = ("query", "SELECT * FROM events ORDER BY event_id, log_object, log_index", "--format", "csv", "--quiet")
    if run(*ask, "-s", store, endpoint=endpoint) != run(*ask, "-s", str(TRAIL)):
        sys.exit("the store in the bucket is not what the folder is")
    out = f"s3://{BUCKET}/reports"
    run("report", "usage-by-day", "-s", store, "--out", out, endpoint=endpoint)


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    os.environ |= KEYS
    client = boto3.client("s3", endpoint_url=endpoint, region_name="eu-central-1")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    # An object of a versioned bucket is what it is now.
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    files = sorted(path for path in TRAIL.rglob("*") if path.is_file())
    for path in files:
        key = path.relative_to(TRAIL).as_posix()
        client.put_object(Bucket=BUCKET, Key=f"security/{key}", Body=b"an older version")
        client.put_object(Bucket=BUCKET, Key=f"security/{key}", Body=path.read_bytes())
    gone = "security/AWSLogs/o-acme123456/111122223333/CloudTrail/eu-central-1/2026/10/05/deleted.json.gz"
    client.put_object(Bucket=BUCKET, Key=gone, Body=b"deleted since")
    client.delete_object(Bucket=BUCKET, Key=gone)

    policy = ("--policy", "fixtures/policy.toml")
    for report in ("usage-by-role-model", "violations", "not-assessed", "usage-by-day"):
        arguments = ("report", report, "--format", "csv", "--quiet", *policy)
        # Findings say in which object their samples stand.
        expected = run(*arguments, "-s", str(TRAIL)).replace(f"{TRAIL}/", f"s3://{BUCKET}/security/")
        for prefix in ("", "security", "security/AWSLogs/", "security/AWSLogs/o-acme123456/"):
            found = run(*arguments, "-s", f"s3://{BUCKET}/{prefix}", endpoint=endpoint)
            if found != expected:
                sys.exit(f"{report} of s3://{BUCKET}/{prefix} is not what it is of the folder")
    # By a role of another account, with session credentials of STS.
    usage = ("report", "usage-by-day", "--format", "csv", "--quiet")
    role = ("--role-arn", "arn:aws:iam::999988887777:role/audit", "--external-id", "acme")
    found = run(*usage, "-s", f"s3://{BUCKET}", *role, endpoint=endpoint)
    if found != run(*usage, "-s", str(TRAIL)):
        sys.exit("by a role, the bucket is not what the folder is")
    run("report", "usage-by-day", "-s", "s3://acme-lost", code=4, endpoint=endpoint)
    run("report", "usage-by-day", "-s", f"s3://{BUCKET}/nothing/", code=4, endpoint=endpoint)
    stores(endpoint)
    server.stop()
    print(f"{len(files)} objects: every report of the bucket is that of the folder")


if __name__ == "__main__":
    main()

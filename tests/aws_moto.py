#!/usr/bin/env python3
"""Athena as moto plays it (`pip install 'moto[athena,server]'`): an independent implementation of starting, polling and reading.

    cargo build --locked && python3 tests/aws_moto.py

moto runs no SQL: it answers with rows that it was given. It has no GetTableMetadata; this script adds that one operation.
Exit code 0 if the program says of the table what it says of the file.
"""

import json
import logging
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

from moto.athena.responses import AthenaResponse
from moto.server import ThreadedMotoServer

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("BEDTRAIL", str(ROOT / "target" / "debug" / "bedtrail"))
COLUMNS = {
    "eventversion": "string",
    "useridentity": "struct<type:string,principalid:string,arn:string,accountid:string,accesskeyid:string>",
    "eventtime": "string",
    "eventsource": "string",
    "eventname": "string",
    "awsregion": "string",
    "sourceipaddress": "string",
    "useragent": "string",
    "requestparameters": "string",
    "additionaleventdata": "string",
    "requestid": "string",
    "eventid": "string",
    "eventtype": "string",
    "recipientaccountid": "string",
    "eventcategory": "string",
}
RECORDS = [
    {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111122223333:user/ann",
                         "accountId": "111122223333", "accessKeyId": "AKIAEXAMPLE"},
        "eventTime": f"2026-10-05T00:{number // 60:02}:{number % 60:02}Z",
        "eventSource": "bedrock.amazonaws.com",
        "eventName": "Converse",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "Boto3/1.40",
        "requestParameters": {"modelId": "amazon.nova-pro-v1:0"},
        "additionalEventData": {"inputTokens": number, "outputTokens": 7},
        "requestID": f"r-{number}",
        "eventID": f"00000000-0000-4000-8000-{number:012}",
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }
    for number in range(2500)
]


def metadata(self):
    columns = [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()]
    return json.dumps({"TableMetadata": {"Name": "cloudtrail", "Columns": columns, "PartitionKeys": [], "Parameters": {}}})


def cell(path, record):
    for name in path.replace('"', "").split("."):
        record = next((value for key, value in record.items() if key.lower() == name), None)
        if record is None:
            return {}
    return {"VarCharValue": record if isinstance(record, str) else json.dumps(record)}


def run(*arguments, endpoint=None):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BEDTRAIL_"))}
    environment |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true",
                    "AWS_REGION": "eu-west-1", "NO_PROXY": "127.0.0.1", "BEDTRAIL_NOW": "2026-11-01T00:00:00Z"}
    if endpoint:
        environment["AWS_ENDPOINT_URL_ATHENA"] = endpoint
    ran = subprocess.run([PROGRAM, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{arguments} ended with {ran.returncode}:\n{ran.stderr}")
    return ran.stdout, ran.stderr


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    AthenaResponse.get_table_metadata = metadata
    statements = []
    start = AthenaResponse.start_query_execution

    def started(self):
        statement = self._get_param("QueryString")
        statements.append(statement)
        listed = statement.removeprefix("SELECT ").split(" FROM ")[0]
        paths = [re.sub(r" AS c\d+$", "", item) for item in listed.split(", ")]
        head = {"Data": [{"VarCharValue": f"c{at}"} for at in range(len(paths))]}
        rows = [head] + [{"Data": [cell(path, record) for path in paths]} for record in RECORDS]
        info = [{"Name": f"c{at}", "Type": "varchar"} for at in range(len(paths))]
        body = json.dumps({"region": "eu-west-1", "results": [{"rows": rows, "column_info": info}]})
        target = f"{endpoint}/moto-api/static/athena/query-results"
        urllib.request.urlopen(urllib.request.Request(target, body.encode(), {"Content-Type": "application/json"}))
        return start(self)

    AthenaResponse.start_query_execution = started
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    columns = ("event_id, event_time, event_name, account_id, principal, model_id, input_tokens, output_tokens, "
               "request_parameters, additional_event_data, credential, client")
    ask = ("query", f"SELECT {columns} FROM events ORDER BY event_id", "--format", "csv", "--from", "2026-10-05")
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "day.json"
        file.write_text(json.dumps({"Records": RECORDS}, separators=(",", ":")))
        expected, _ = run(*ask, "-s", str(file))
    rows = lambda text: [line.replace(" ", "") for line in text.splitlines()]
    output = ("--athena-output", "s3://acme-results/")
    found, said = run(*ask, "-s", "athena:logs.cloudtrail", *output, endpoint=endpoint)
    server.stop()
    if rows(found) != rows(expected):
        sys.exit(f"the table's {len(rows(found))} lines are not the file's {len(rows(expected))}\n{said}")
    print(f"{len(rows(found)) - 1} events, the same; {len(statements)} statement")


if __name__ == "__main__":
    main()

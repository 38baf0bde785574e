"""A small Athena and the bucket it writes to: the API's operations over HTTP, statements run on DuckDB (see duck.py).

What it knows of AWS is what the program uses: workgroups, table metadata, queries and their rows, DDL in the few forms that
the program writes, and of S3 objects put, listed and deleted.
"""

import json
import re
import tempfile
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb

import duck
import records

ROOT = Path(__file__).resolve().parents[2]
CTAS = re.compile(r'CREATE TABLE (\S+) WITH \(([^)]*)\) AS\n(.*)\Z', re.S)
EXTERNAL = re.compile(r"CREATE EXTERNAL TABLE (\S+) \((.*)\) STORED AS PARQUET LOCATION '([^']*)'\Z", re.S)
DROP = re.compile(r"DROP TABLE IF EXISTS (\S+)\Z")
LOCATION = re.compile(r"external_location = '([^']*)'")
# Athena's limit for one statement.
LONGEST = 262_144


def columns_of(sql):
    """Name and Hive type of each column of queries/athena/table.sql, as a catalogue tells them."""
    body = re.sub(r"\s+", " ", sql.split("(\n", 1)[1].split("\n)\nPARTITIONED", 1)[0])
    found, depth, start = [], 0, 0
    for at, sign in enumerate(body + ","):
        depth += {"<": 1, ">": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            name, kind = body[start:at].strip().split(" ", 1)
            found.append({"Name": name, "Type": re.sub(r"\s+", "", kind).lower()})
            start = at + 1
    return found


TABLE = columns_of("\n".join(line for line in (ROOT / "queries/athena/table.sql").read_text().split("\n") if not line.startswith("--")))


class Athena:
    """One catalogue, one bucket; `without` are columns that the user's table lacks."""

    def __init__(self, folder, without=()):
        self.lock, self.work, self.started = threading.Lock(), ThreadPoolExecutor(1), {}
        self.queries, self.objects, self.tables, self.statements, self.longest = {}, {}, {}, [], 0
        self.without = set(without)
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        for statement in duck.MACROS.split(";\n"):
            if statement.strip():
                self.connection.execute(statement)
        self.connection.execute('CREATE SCHEMA "logs"')
        with tempfile.TemporaryDirectory() as place:
            records.load(self.connection, "raw", records.rows(folder, ROOT), place)
        dropped = ", ".join(sorted(self.without))
        # Partitions, as projected from where CloudTrail writes.
        self.connection.execute(
            'CREATE TABLE "logs"."cloudtrail" AS SELECT *' + (f" EXCLUDE ({dropped})" if dropped else "")
            + ", recipientaccountid AS account, 'CloudTrail' AS folder, awsregion AS region, "
            "replace(substr(eventtime, 1, 10), '-', '/') AS day FROM raw"
        )

    def run(self, statement):
        """Rows as texts, the names first."""
        if match := CTAS.match(statement):
            name, options, select = match.groups()
            self.connection.execute(f"CREATE TABLE {name} AS {duck.duckdb(select)}")
            location = LOCATION.search(options)
            self.tables[name] = location.group(1) if location else f"s3://results/tables/{len(self.statements)}/"
            self.put(self.tables[name] + "part-0", b"rows")
            return []
        if match := EXTERNAL.match(statement):
            name, _, location = match.groups()
            name = name.replace("`", '"')
            bodies = [body for key, body in self.objects.items() if key.startswith(location)]
            with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
                file.write(bodies[0])
                file.flush()
                self.connection.execute(f"CREATE TABLE {name} AS SELECT * FROM read_parquet('{file.name}')")
            self.tables[name] = location
            return []
        if match := DROP.match(statement):
            name = match.group(1).replace("`", '"')
            self.connection.execute(f"DROP TABLE IF EXISTS {name}")
            self.tables.pop(name, None)
            return []
        answer = self.connection.execute(duck.duckdb(statement))
        names = [column[0] for column in answer.description]
        return [names] + [[text(cell) for cell in row] for row in answer.fetchall()]

    def put(self, url, body):
        self.objects[url] = body

    # ---- the API

    def start(self, body):
        statement, token = body["QueryString"], body["ClientRequestToken"]
        with self.lock:
            # A call that is sent again starts nothing new.
            if token not in self.started:
                self.longest = max(self.longest, len(statement.encode()))
                self.statements.append(statement)
                self.started[token] = identity = f"q-{len(self.statements)}"
                self.queries[identity] = ("RUNNING", "", [])
                self.work.submit(self.finish, identity, statement)
            return {"QueryExecutionId": self.started[token]}

    def finish(self, identity, statement):
        try:
            if len(statement.encode()) > LONGEST:
                raise ValueError("the statement is too long")
            self.queries[identity] = ("SUCCEEDED", "", self.run(statement))
        except Exception as error:
            self.queries[identity] = ("FAILED", f"{type(error).__name__}: {error}"[:2000], [])
            print(f"{identity} failed: {str(error)[:600]}\n{statement[-1500:]}", flush=True)

    def answer(self, operation, body):
        if operation == "StartQueryExecution":
            return self.start(body)
        if operation == "GetWorkGroup":
            output = {"OutputLocation": "s3://results/x/"}
            configuration = {"EnforceWorkGroupConfiguration": False, "ResultConfiguration": output}
            return {"WorkGroup": {"Name": body["WorkGroup"], "Configuration": configuration}}
        if operation == "GetTableMetadata":
            name = f'"{body["DatabaseName"]}"."{body["TableName"]}"'
            if name == '"logs"."cloudtrail"':
                columns = [column for column in TABLE if column["Name"] not in self.without]
                keys = [{"Name": key, "Type": "string"} for key in ("account", "folder", "region", "day")]
                return {"TableMetadata": {"Name": "cloudtrail", "TableType": "EXTERNAL_TABLE", "Columns": columns, "PartitionKeys": keys,
                                          "Parameters": {"projection.enabled": "true", "projection.day.format": "yyyy/MM/dd"}}}
            if name in self.tables:
                return {"TableMetadata": {"Name": body["TableName"], "Parameters": {"location": self.tables[name]}}}
            raise KeyError("EntityNotFoundException: no such table")
        identity = body["QueryExecutionId"]
        state, reason, rows = self.queries[identity]
        if operation == "GetQueryExecution":
            return {"QueryExecution": {"QueryExecutionId": identity, "Status": {"State": state, "StateChangeReason": reason},
                                       "Statistics": {"DataScannedInBytes": 1000}}}
        if operation == "GetQueryResults":
            at = int(body.get("NextToken") or 0)
            page = [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in rows[at:at + 100]]
            names = [{"Name": name, "Type": "varchar"} for name in (rows[0] if rows else [])]
            more = {"NextToken": str(at + 100)} if at + 100 < len(rows) else {}
            return {"ResultSet": {"Rows": page, "ResultSetMetadata": {"ColumnInfo": names}}, **more}
        if operation == "StopQueryExecution":
            return {}
        raise KeyError(operation)


def text(cell):
    """A value as GetQueryResults writes it."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S.") + f"{cell.microsecond // 1000:03}"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return repr(cell)
    return str(cell)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    athena = None

    def log_message(self, *_):
        pass

    def body(self):
        # The SDK writes chunks with a trailer where it adds a checksum.
        data = b""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return data
        plain, rest = b"", data
        while rest:
            head, _, rest = rest.partition(b"\r\n")
            size = int(head.split(b";")[0], 16)
            if not size:
                break
            plain, rest = plain + rest[:size], rest[size + 2:]
        return plain

    def reply(self, status, body=b"", kind="application/x-amz-json-1.1"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self):
        operation = self.headers["x-amz-target"].rsplit(".", 1)[-1]
        body = json.loads(self.body() or b"{}")
        try:
            self.reply(200, json.dumps(self.athena.answer(operation, body)).encode())
        except KeyError as error:
            self.reply(400, json.dumps({"__type": "MetadataException", "message": str(error)}).encode())

    def url(self):
        return "s3:/" + urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)

    def do_HEAD(self):
        self.reply(200)

    def do_PUT(self):
        self.athena.put(self.url(), self.body())
        self.reply(200)

    def do_DELETE(self):
        self.athena.objects.pop(self.url(), None)
        self.reply(204)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        bucket = self.url().removeprefix("s3://").strip("/")
        prefix = f"s3://{bucket}/{query['prefix'][0]}"
        keys = [key.removeprefix(f"s3://{bucket}/") for key in self.athena.objects if key.startswith(prefix)]
        listed = "".join(f"<Contents><Key>{key}</Key><Size>1</Size></Contents>" for key in keys)
        self.reply(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>".encode(), "application/xml")


class Server:
    """A server that runs until it is closed."""

    def __init__(self, athena):
        handler = type("Own", (Handler,), {"athena": athena})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def environment(self):
        return {"AWS_ENDPOINT_URL_ATHENA": self.url, "AWS_ENDPOINT_URL_S3": self.url, "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "eu-west-1",
                "NO_PROXY": "127.0.0.1", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}

    def close(self):
        self.server.shutdown()

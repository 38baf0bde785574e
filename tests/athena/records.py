"""CloudTrail files as Athena's table shows them: one row per record, in the columns and types of queries/athena/table.sql."""

import gzip
import json
from pathlib import Path

# Free-form parts are text as logged.
TEXTS = ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "edgeDeviceDetails"]
IDENTITY = {
    "type": "VARCHAR", "principalid": "VARCHAR", "arn": "VARCHAR", "accountid": "VARCHAR", "invokedby": "VARCHAR",
    "accesskeyid": "VARCHAR", "username": "VARCHAR", "identityprovider": "VARCHAR", "credentialid": "VARCHAR",
    "onbehalfof": {"userid": "VARCHAR", "identitystorearn": "VARCHAR"},
    "inscopeof": {"sourcearn": "VARCHAR", "sourceaccount": "VARCHAR", "issuertype": "VARCHAR", "credentialsissuedto": "VARCHAR"},
    "invokedbydelegate": {"accountid": "VARCHAR"},
    "sessioncontext": {
        "sourceidentity": "VARCHAR",
        "ec2roledelivery": "VARCHAR",
        "attributes": {"mfaauthenticated": "VARCHAR", "creationdate": "VARCHAR"},
        "sessionissuer": {"type": "VARCHAR", "principalid": "VARCHAR", "arn": "VARCHAR", "accountid": "VARCHAR", "username": "VARCHAR"},
    },
}
COLUMNS = {
    "eventversion": "VARCHAR", "useridentity": IDENTITY, "eventtime": "VARCHAR", "eventsource": "VARCHAR", "eventname": "VARCHAR",
    "awsregion": "VARCHAR", "sourceipaddress": "VARCHAR", "useragent": "VARCHAR", "errorcode": "VARCHAR", "errormessage": "VARCHAR",
    "requestparameters": "VARCHAR", "responseelements": "VARCHAR", "additionaleventdata": "VARCHAR", "requestid": "VARCHAR",
    "eventid": "VARCHAR", "readonly": "VARCHAR", "resources": [{"arn": "VARCHAR", "accountid": "VARCHAR", "type": "VARCHAR"}],
    "eventtype": "VARCHAR", "apiversion": "VARCHAR", "managementevent": "VARCHAR", "recipientaccountid": "VARCHAR",
    "serviceeventdetails": "VARCHAR", "sharedeventid": "VARCHAR", "vpcendpointid": "VARCHAR", "vpcendpointaccountid": "VARCHAR",
    "eventcategory": "VARCHAR",
    "addendum": {"reason": "VARCHAR", "updatedfields": "VARCHAR", "originalrequestid": "VARCHAR", "originaleventid": "VARCHAR"},
    "sessioncredentialfromconsole": "VARCHAR", "edgedevicedetails": "VARCHAR",
    "tlsdetails": {"tlsversion": "VARCHAR", "ciphersuite": "VARCHAR", "clientprovidedhostheader": "VARCHAR"},
    "$path": "VARCHAR",
}


def type_text(kind):
    if isinstance(kind, str):
        return kind
    if isinstance(kind, list):
        return type_text(kind[0]) + "[]"
    return "STRUCT(" + ", ".join(f'"{name}" {type_text(inner)}' for name, inner in kind.items()) + ")"


def fit(value, kind):
    """A JSON value as the SerDe reads it into that type: names in any case, scalars as text."""
    if value is None:
        return None
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            return None
        lower = {name.lower(): inner for name, inner in value.items()}
        return {name: fit(lower.get(name), inner) for name, inner in kind.items()}
    if isinstance(kind, list):
        return [fit(inner, kind[0]) for inner in value] if isinstance(value, list) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def spans(text, start):
    """The members of the object at `start` as (name, value's text), and where it ends."""
    decoder, at, found = json.JSONDecoder(), start + 1, []

    def space(at):
        while text[at] in " \t\r\n":
            at += 1
        return at

    at = space(at)
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        at = space(space(at) + 1)
        value, end = decoder.raw_decode(text, at)
        found.append((name, text[at:end], value))
        at = space(end)
        if text[at] == ",":
            at = space(at + 1)
    return found, at + 1


def record_texts(text):
    """The text of each record of a file: {"Records": […]} only, the one form that CloudTrail delivers."""
    start = text.index("[", text.index('"Records"')) + 1
    decoder = json.JSONDecoder()
    while True:
        while text[start] in " \t\r\n,":
            start += 1
        if text[start] == "]":
            return
        _, end = decoder.raw_decode(text, start)
        yield start
        start = end


def rows(folder, root):
    """Every record below a folder; `$path` is the path as seen from `root`."""
    files = sorted(path for path in Path(folder).rglob("*") if path.name.endswith((".json", ".json.gz")))
    for path in files:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        text = content.decode()
        if '"Records"' not in text[:200] or "CloudTrail-Insight" in str(path):
            continue
        for start in record_texts(text):
            members, _ = spans(text, start)
            row = {}
            for name, raw, value in members:
                lower = name.lower()
                if lower not in COLUMNS:
                    continue
                if name in TEXTS:
                    row[lower] = None if raw == "null" else raw
                else:
                    row[lower] = fit(value, COLUMNS[lower])
            row["$path"] = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
            yield row


def load(connection, table, records, folder):
    """A DuckDB table of these rows."""
    file = Path(folder) / f"{table}.ndjson"
    with open(file, "w", encoding="utf-8") as out:
        for row in records:
            out.write(json.dumps(row) + "\n")
    columns = ", ".join(f"'{name}': '{type_text(kind)}'" for name, kind in COLUMNS.items())
    connection.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM read_json('{file}', format = 'newline_delimited', "
        f"maximum_object_size = 100000000, columns = {{{columns}}})"
    )

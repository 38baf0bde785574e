"""Generated corpora (benches/corpus): organisations that nobody wrote by hand, their records spelt as nobody expects."""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

# Some 1,650 records of each are ours; 3,300 take the program in its unoptimised build a minute to be asked all about.
SEEDS = (1, 2)
SIZE = ["--files", "12", "--records", "150", "--bedrock", "900", "--hostile"]
# Where records lie is shown in answers: the same records have the same place in every run.
PLACE = Path(__file__).resolve().parents[2] / "target/athena/corpora"


def write(bedtrail):
    """(name, folder of logs) of each corpus, written by the generator that was built beside the program."""
    program = Path(bedtrail).resolve().parent / "examples/corpus"
    if not program.exists():
        sys.exit(f"{program} is not there: cargo build --locked --example corpus")
    PLACE.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS:
        name = f"corpus_{seed}"
        with tempfile.TemporaryDirectory(dir=PLACE) as folder:
            subprocess.run([program, "--out", f"{folder}/made", "--seed", str(seed), *SIZE], check=True, stdout=subprocess.DEVNULL)
            content = hashlib.sha256()
            for path in sorted(Path(f"{folder}/made").rglob("*")):
                if path.is_file():
                    content.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
            place = PLACE / f"{name}-{content.hexdigest()[:12]}"
            if not place.exists():
                Path(f"{folder}/made").rename(place)
        yield name, place / "AWSLogs"

"""Generated corpora (benches/corpus): organisations that nobody wrote by hand, their records spelt as nobody expects."""

import subprocess
import sys
from pathlib import Path

# Some 1,650 records of each are ours; 3,300 take the program in its unoptimised build a minute to be asked all about.
SEEDS = (1, 2)
SIZE = ["--files", "12", "--records", "150", "--bedrock", "900", "--hostile"]


def write(bedtrail, folder):
    """(name, folder of logs) of each corpus, written below `folder` by the generator that was built beside the program."""
    program = Path(bedtrail).resolve().parent / "examples/corpus"
    if not program.exists():
        sys.exit(f"{program} is not there: cargo build --locked --example corpus")
    for seed in SEEDS:
        name = f"corpus_{seed}"
        subprocess.run([program, "--out", Path(folder) / name, "--seed", str(seed), *SIZE], check=True, stdout=subprocess.DEVNULL)
        yield name, Path(folder) / name / "AWSLogs"

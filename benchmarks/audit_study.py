"""How often `graft audit` calls clean vectors and graphs a leak, and how often it finds one: a table over many sets.

    build/venv/bin/python benchmarks/audit_study.py --graft build/release/graft --sets 100 --out audit_study.md

Every set is new: planted data of another seed, or with `--data DIR --features FILE` the interactions of a real set
under another random 8:1:1 split. Of each set's training rows and of a share of its held-out ones it makes user vectors
(the mean of the items' vectors; *noisy*: a random vector as long as the mean is added) and graphs (the whole
refinement, without the record that would give them away), and audits them. A row counts the sets of which such an input
was called a leak.

Needs NumPy and SciPy.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from refinement_campaign import read_inter

SHARES = (0.0, 0.01, 0.02, 0.05)
TOLERANCES = (0.01, 0.0)  # the default, none
TRAIN = 0


@dataclass
class Split:
    """A data set as `graft` reads it, in memory."""

    directory: Path
    rows: np.ndarray  # [interactions, 3]: userID, itemID, x_label
    features: np.ndarray  # [items, dims]

    def leaking(self, share: float, random: np.random.Generator) -> np.ndarray:
        """The training rows and a share of the held-out ones, as training rows."""
        taken = (self.rows[:, 2] == TRAIN) | (random.random(len(self.rows)) < share)
        rows = self.rows[taken].copy()
        rows[:, 2] = TRAIN
        return rows


def write_inter(file: Path, rows: np.ndarray) -> None:
    np.savetxt(file, rows, fmt="%d", delimiter="\t", header="userID\titemID\tx_label", comments="")


def planted(graft: str, options: list[str], seed: int, scratch: Path) -> Split:
    directory = scratch / f"set{seed}"
    command = [graft, "prepare", "synth", *options, "--image-dims", "0", "--seed", str(seed), "--threads", "1"]
    subprocess.run([*command, "--out", directory, "--quiet"], check=True)
    rows = read_inter(directory / f"{directory.name}.inter")
    return Split(directory, rows, np.load(directory / "text_feat.npy"))


def split_anew(source: Path, features: np.ndarray, seed: int, scratch: Path) -> Split:
    """The interactions of a set, each user's shuffled: a tenth, one at least, for validation, as many for the test."""
    random = np.random.default_rng(seed)
    rows = read_inter(source / f"{source.name}.inter")
    rows = rows[np.lexsort((random.random(len(rows)), rows[:, 0]))]
    start = np.flatnonzero(np.r_[True, np.diff(rows[:, 0]) > 0])
    count = np.diff(np.r_[start, len(rows)])
    place = np.arange(len(rows)) - np.repeat(start, count)
    held = np.repeat(np.where(count >= 3, np.maximum(count // 10, 1), 0), count)
    rows[:, 2] = np.where(place < held, 1, np.where(place < 2 * held, 2, TRAIN))
    directory = scratch / f"set{seed}"
    directory.mkdir()
    write_inter(directory / f"{directory.name}.inter", rows)
    np.save(directory / "text_feat.npy", features)
    return Split(directory, rows, features)


def profiles(split: Split, share: float, noise: float, random: np.random.Generator) -> np.ndarray:
    rows = split.leaking(share, random)
    users, (items, dims) = split.rows[:, 0].max() + 1, split.features.shape
    lengths = np.linalg.norm(split.features, axis=1, keepdims=True)
    chosen = sp.coo_array((np.ones(len(rows)), (rows[:, 0], rows[:, 1])), shape=(users, items)).tocsr()
    result = chosen @ (split.features / np.maximum(lengths, 1e-30))
    result /= np.maximum(np.linalg.norm(result, axis=1, keepdims=True), 1e-30)
    return (result + noise / np.sqrt(dims) * random.standard_normal((users, dims))).astype(np.float32)


def graph(graft: str, split: Split, share: float, random: np.random.Generator, out: Path) -> None:
    inter = out.with_suffix(".inter")
    write_inter(inter, split.leaking(share, random))
    command = [graft, "refine", "--features", split.directory / "text_feat.npy", "--interactions", inter]
    subprocess.run([*command, "--out", out, "--threads", "1", "--quiet"], check=True)
    sp.save_npz(out, sp.load_npz(out))  # leaves the record behind


@dataclass
class Tally:
    """What the audits of one kind of input at one tolerance gave, a number a set."""

    leaks: list[bool] = field(default_factory=list)
    p_values: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)


def audits(graft: str, split: Split, seed: int) -> Iterator[tuple[tuple[str, float], float, dict]]:
    """(kind of input, share put in), tolerance, and what the audit says."""
    for share in SHARES:
        random = np.random.default_rng([seed, round(1000 * share)])
        inputs: list[tuple[str, str, Path]] = []
        for kind, noise in (("mean", 0.0), ("mean, noisy", 1.0)):
            file = split.directory / f"{kind}.npy"
            np.save(file, profiles(split, share, noise, random))
            inputs.append((kind, "--user-features", file))
        graph(graft, split, share, random, split.directory / "refined.npz")
        inputs.append(("refined graph", "--graph", split.directory / "refined.npz"))
        for kind, option, file in inputs:
            for tolerance in TOLERANCES:
                command = [graft, "audit", "--data", split.directory, option, file, "--tolerance", str(tolerance)]
                command += ["--threads", "1", "--seed", str(seed), "--json", "-", "--quiet"]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                yield (kind, share), tolerance, json.loads(done.stdout)


def table(tallies: dict[tuple[str, float], dict[float, Tally]]) -> str:
    """A row a kind of input and share put in."""
    lines = [
        "| input | put in | flagged | tolerance 0 | tolerance 0, alpha 0.05 | share found: median, range |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for (kind, share), by_tolerance in sorted(tallies.items(), key=lambda entry: entry[0]):
        usual, strict = (by_tolerance[tolerance] for tolerance in TOLERANCES)
        flagged = (sum(usual.leaks), sum(strict.leaks), sum(p < 0.05 for p in strict.p_values))
        found = 100 * np.array(usual.shares)
        cells = [f"{100 * share:g} %", *(f"{count} of {found.size}" for count in flagged)]
        cells.append(f"{np.nanmedian(found):.1f} %, {np.nanmin(found):.1f} to {np.nanmax(found):.1f}")
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graft", default="build/release/graft", help="the program")
    parser.add_argument("--sets", type=int, default=100, help="how many data sets")
    parser.add_argument("--synth", default="--users 2000 --items 1000 --interactions 16000 --dims 64", help="planted")
    parser.add_argument("--data", type=Path, help="directory of a real set, in place of planted ones")
    parser.add_argument("--features", help="its item features, a file in it")
    parser.add_argument("--jobs", type=int, default=1, help="sets at once")
    parser.add_argument("--out", type=Path, required=True, help="the table to write")
    arguments = parser.parse_args()
    if arguments.data is not None and arguments.features is None:
        parser.error("--features: needed with --data")
    real = None
    if arguments.data is not None:
        real = np.nan_to_num(np.load(arguments.data / arguments.features).astype(np.float32))

    def study(seed: int) -> list[tuple[tuple[str, float], float, dict]]:
        with tempfile.TemporaryDirectory() as scratch:
            if real is None:
                split = planted(arguments.graft, arguments.synth.split(), seed, Path(scratch))
            else:
                split = split_anew(arguments.data, real, seed, Path(scratch))
            return list(audits(arguments.graft, split, seed))

    tallies: dict[tuple[str, float], dict[float, Tally]] = defaultdict(lambda: defaultdict(Tally))
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for found in pool.map(study, range(1, arguments.sets + 1)):
            for kind, tolerance, said in found:
                tally = tallies[kind][tolerance]
                tally.leaks.append(said["verdict"] == "leak")
                tally.p_values.append(said["p_value"])
                tally.shares.append(said["share"] if said["share"] is not None else np.nan)
            arguments.out.write_text(table(tallies))


if __name__ == "__main__":
    main()

"""Trains the published baselines on the published splits and sets the results beside the published numbers.

Each point of a model's grid is one `graft train` in a run directory of its own, so the script can be stopped and
started again: what finished runs gave is a line each of the results file, and is not made again; others go on from
their checkpoints. The point is chosen on VALIDATION Recall@20; its test numbers are reported. The published numbers
were chosen on the test set (the code that made them does), which favours them a little.

    python3 benchmarks/published_baselines.py --data DATA --runs build/runs --out benchmarks/BASELINES.md

DATA holds one directory a set (baby, sports, clothing) with the published split, and for FREEDOM the ready neighbours
knn10_text.npz and knn10_image.npz. `--table` only writes the table of the runs that are there.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import csv
import json
import platform
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")

# Test numbers: recall@10, recall@20, ndcg@10, ndcg@20; MLLMRec (Dang et al.), Table 1. LIRDRec's table has other
# numbers for Clothing.
PUBLISHED = {
    ("bpr", "baby"): [(0.0357, 0.0575, 0.0192, 0.0249)],
    ("bpr", "sports"): [(0.0432, 0.0653, 0.0241, 0.0298)],
    ("bpr", "clothing"): [(0.0187, 0.0279, 0.0103, 0.0126), (0.0206, 0.0303, 0.0114, 0.0138)],
    ("lightgcn", "baby"): [(0.0479, 0.0754, 0.0257, 0.0328)],
    ("lightgcn", "sports"): [(0.0569, 0.0864, 0.0311, 0.0387)],
    ("lightgcn", "clothing"): [(0.0340, 0.0526, 0.0188, 0.0236), (0.0361, 0.0544, 0.0197, 0.0243)],
    ("freedom", "baby"): [(0.0627, 0.0992, 0.0330, 0.0424)],
    ("freedom", "sports"): [(0.0717, 0.1089, 0.0385, 0.0481)],
}

# At most eight points a model and set. BPR: the published grid. LightGCN: eight of its twenty. FREEDOM: the two with
# reg_weight 0, which need no features.
GRIDS = {
    "bpr": [{"reg_weight": value} for value in ("1", "1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "2")],
    "lightgcn": [
        {"n_layers": layers, "reg_weight": value} for value in ("1e-4", "1e-2") for layers in ("2", "3", "4", "1")
    ],
    "freedom": [{"reg_weight": "0", "dropout": value} for value in ("0.8", "0.9")],
}


@dataclass(frozen=True)
class Point:
    """One run: a model, a set and the settings that differ from the defaults."""

    model: str
    data: str
    settings: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return "-".join([self.model, self.data, *(f"{key}_{value}" for key, value in self.settings)])

    def command(self, graft: str, data: Path, runs: Path, threads: int) -> list[str]:
        directory = data / self.data
        command = [graft, "train", "--model", self.model, "--data", str(directory), "--out", str(runs / self.name)]
        if self.model == "freedom":
            for modality in ("text", "image"):
                command += ["--similarity", f"{modality}={directory / f'knn10_{modality}.npz'}"]
        for key, value in self.settings:
            command += ["--set", f"{key}={value}"]
        return [*command, "--seed", "999", "--threads", str(threads), "--resume"]


@dataclass(frozen=True)
class Result:
    """What a finished run tells."""

    point: Point
    metrics: dict  # of metrics.json: those of METRICS, and what the tables tell of the training
    minutes: float

    def line(self) -> str:
        return json.dumps({"run": self.point.name, "minutes": round(self.minutes, 2), "metrics": self.metrics})


def points(models: list[str], sets: list[str]) -> list[Point]:
    """The first points of every grid before the second ones, so that a stopped campaign covers all sets."""
    longest = max(len(GRIDS[model]) for model in models)
    return [
        Point(model, data, tuple(GRIDS[model][rank].items()))
        for rank in range(longest)
        for model in models
        for data in sets
        if rank < len(GRIDS[model]) and (model, data) in PUBLISHED
    ]


def train(point: Point, known: dict[str, Result], arguments: argparse.Namespace) -> str:
    if point.name in known:
        return f"{point.name}: known"
    log = arguments.runs / f"{point.name}.txt"
    with log.open("a") as output:
        command = point.command(arguments.graft, arguments.data, arguments.runs, arguments.threads)
        code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
    return f"{point.name}: {'done' if code == 0 else f'exit code {code}, see {log}'}"


def result(point: Point, runs: Path) -> Result | None:
    """Of a run that ended by itself: one that was interrupted has metrics too."""
    directory = runs / point.name
    if not (directory / "metrics.json").exists():
        return None
    metrics = json.loads((directory / "metrics.json").read_text())
    if metrics["stopped"] not in ("patience", "epochs"):
        return None
    with (directory / "log.csv").open(newline="") as file:
        seconds = sum(float(row["train_seconds"]) + float(row["evaluation_seconds"]) for row in csv.DictReader(file))
    kept = {name: metrics[name] for name in ("best_epoch", "epochs", "seconds_per_epoch")}
    for split in ("valid", "test"):
        kept[split] = {name: round(metrics[split][name], 8) for name in METRICS}
    return Result(point, kept, seconds / 60)


def known_results(file: Path, every: list[Point]) -> dict[str, Result]:
    """By the name of the run."""
    if not file.exists():
        return {}
    lines = {line["run"]: line for line in map(json.loads, file.read_text().splitlines())}
    named = {point.name: point for point in every}
    return {
        name: Result(named[name], line["metrics"], line["minutes"]) for name, line in lines.items() if name in named
    }


def settings_text(point: Point) -> str:
    return ", ".join(f"{key} {value}" for key, value in point.settings)


def summary_lines(results: list[Result]) -> list[str]:
    lines = [
        "| model | set | point (by validation) | R@10 | R@20 | N@10 | N@20 | published R@20 | difference | points |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (model, data), published in PUBLISHED.items():
        runs = [run for run in results if (run.point.model, run.point.data) == (model, data)]
        if not runs:
            continue
        best = max(runs, key=lambda run: run.metrics["valid"]["recall@20"])
        test = best.metrics["test"]
        known = " or ".join(f"{row[1]:.4f}" for row in published)
        change = " or ".join(f"{test['recall@20'] / row[1] - 1:+.1%}" for row in published)
        values = " | ".join(f"{test[name]:.4f}" for name in METRICS)
        grid = f"{len(runs)} of {len(GRIDS[model])}"
        lines.append(f"| {model} | {data} | {settings_text(best.point)} | {values} | {known} | {change} | {grid} |")
    return lines


def run_lines(results: list[Result]) -> list[str]:
    lines = [
        "| model | set | settings | valid R@20 | test R@20 | test N@20 | best epoch | epochs | s/epoch | minutes |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for run in sorted(results, key=lambda run: (run.point.model, run.point.data, run.point.settings)):
        metrics = run.metrics
        cells = [
            run.point.model,
            run.point.data,
            settings_text(run.point),
            f"{metrics['valid']['recall@20']:.4f}",
            f"{metrics['test']['recall@20']:.4f}",
            f"{metrics['test']['ndcg@20']:.4f}",
            str(metrics["best_epoch"]),
            str(metrics["epochs"]),
            f"{metrics['seconds_per_epoch']:.2f}",
            f"{run.minutes:.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def page(results: list[Result], arguments: argparse.Namespace) -> str:
    shown = Point("freedom", "baby", tuple(GRIDS["freedom"][0].items()))
    command = shlex.join(shown.command("graft", Path("DATA"), Path("RUNS"), arguments.threads))
    return "\n".join(
        [
            "# The published baselines, trained here",
            "",
            "Made by [published_baselines.py](published_baselines.py):",
            "",
            "```sh",
            "python3 benchmarks/published_baselines.py --data DATA --runs build/runs --out benchmarks/BASELINES.md",
            "```",
            "",
            f"One seed (999), {arguments.threads} thread(s) a run, {platform.machine()}. Points are chosen on "
            "validation Recall@20; the published numbers were chosen on the test set. Two published runs of one model "
            "on one set differ by 1 to 3 %. Published: MLLMRec, Table 1; the second number for Clothing is LIRDRec's.",
            "",
            *summary_lines(results),
            "",
            "## Every run",
            "",
            " ".join(["Minutes include evaluation after every epoch.", *arguments.remark, "One run, for example:"]),
            "",
            "```sh",
            command,
            "```",
            "",
            *run_lines(results),
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graft", default="build/release/graft", help="the program")
    parser.add_argument("--data", type=Path, help="directory of the sets")
    parser.add_argument("--runs", type=Path, required=True, help="directory of the runs")
    parser.add_argument(
        "--results", type=Path, default=Path("benchmarks/baseline_results.jsonl"), help="a line a finished run"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/BASELINES.md"), help="the page to write")
    parser.add_argument("--models", nargs="+", default=list(GRIDS), choices=list(GRIDS))
    parser.add_argument("--sets", nargs="+", default=["baby", "sports", "clothing"])
    parser.add_argument("--threads", type=int, default=1, help="threads of a run")
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time")
    parser.add_argument(
        "--remark", action="append", default=[], help="a sentence on how the runs were made; repeatable"
    )
    parser.add_argument("--table", action="store_true", help="only write the page of the runs that are there")
    arguments = parser.parse_args()
    arguments.runs.mkdir(parents=True, exist_ok=True)
    every = points(list(GRIDS), ["baby", "sports", "clothing"])
    known = known_results(arguments.results, every)
    if not arguments.table:
        if arguments.data is None:
            parser.error("--data: needed to train")
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for line in pool.map(
                lambda point: train(point, known, arguments), points(arguments.models, arguments.sets)
            ):
                print(line, file=sys.stderr, flush=True)
    made = (known.get(point.name) or result(point, arguments.runs) for point in every)
    results = [found for found in made if found is not None]
    arguments.results.write_text("".join(found.line() + "\n" for found in results))
    arguments.out.write_text(page(results, arguments))


if __name__ == "__main__":
    main()

"""Does the refined graph help? Trains hosts with their own graph and with graft's, and compares them.

For every host and data set: a small search on one seed, chosen on VALIDATION Recall@20, then five other seeds of what
was chosen, beside the same five seeds of the host's own graph. Every run is one `graft train`; what it gave is a line
of the results file, and a line that is there is not made again, so the script can be stopped and started.

    build/venv/bin/python benchmarks/refinement_campaign.py --data DATA --runs build/campaign

DATA holds one directory a set, as benchmarks/README.md lists them. `--table` only writes the page from the results.
Needs NumPy and SciPy.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from refinement_page import SEARCH_SEED, page

SEEDS = (1, 2, 3, 4, 5)
CUTOFF = 20

Settings = dict[str, str]

# Not a setting of the trainer: the file of user vectors that were made from all interactions, held-out ones included.
LEAKING = "leaking_profile"


@dataclass(frozen=True)
class Host:
    """A model on a data set, with everything that is not under test."""

    model: str
    data: str
    settings: Settings = field(default_factory=dict)
    similarities: tuple[str, ...] = ()  # modalities with ready neighbours
    features: tuple[tuple[str, str], ...] = ()  # modality and file
    profile: str = ""
    without: Settings = field(default_factory=dict)  # what leaves the item graph out
    grid: dict[str, tuple[str, ...]] = field(default_factory=dict)  # settings to choose, with the host's own graph
    further: Settings = field(default_factory=dict)  # compared on top of the form with both graphs
    thresholds: tuple[str, ...] = ()  # alpha, "q0.1" for a quantile
    short: bool = False  # a smaller search, and the whole forms alone over the seeds
    synth: tuple[str, ...] = ()  # options of `graft prepare synth`: a data set a seed is planted, none is read
    arms: tuple[Settings, ...] = ()  # what is compared where nothing is searched
    cold: bool = False  # items are held out, a fifth of all, others each seed; ranked among themselves

    @property
    def name(self) -> str:
        return f"{self.model}-{self.data}" + ("-cold" if self.cold else "")

    def directory(self, data: Path, runs: Path, seed: int) -> Path:
        if self.cold:
            return runs / f"{self.data}-cold-{seed}"
        return runs / f"{self.data}-{seed}" if self.synth else data / self.data

    def command(self, graft: str, directory: Path, out: Path, seed: int, arm: Settings, threads: int) -> list[str]:
        command = [graft, "train", "--model", self.model, "--data", str(directory), "--out", str(out)]
        for modality in self.similarities:
            command += ["--similarity", f"{modality}={directory / f'knn10_{modality}.npz'}"]
        for modality, file in self.features:
            command += ["--features", f"{modality}={directory / file}"]
        if LEAKING in arm:
            command += ["--user-profile", arm[LEAKING], "--user-history", "all"]
        elif self.profile and "user_vectors" not in arm:
            command += ["--user-profile", self.profile]
        if any(key.startswith("gr_") for key in arm):
            command += ["--graph", "refined"]
        settings = {**self.settings, **({"candidates": "cold"} if self.cold else {}), **arm}
        for key, value in settings.items():
            if key != LEAKING:
                command += ["--set", f"{key}={value}"]
        return [*command, "--seed", str(seed), "--threads", str(threads), "--resume"]


GRAPHS = ("text", "image")
PLANTED = (
    *("--users", "3000", "--items", "2000", "--interactions", "24000"),
    *("--dims", "128", "--image-dims", "0", "--noisy-items", "0.5", "--bridges", "0.5"),
)
NO_LAYER = {"n_mm_layers": "0"}
NO_GCN = {"gcn_ii": "false"}
MLLMREC_SPORTS = Host(
    "mllmrec",
    "sports",
    features=(("text", "derived_keywords_svd64_f16.npy"),),
    profile="mean",
    without=NO_GCN,
    thresholds=("0.5", "q0.1", "q0.3"),
    short=True,
)
HOSTS = [
    Host("freedom", "baby", {"reg_weight": "0"}, GRAPHS, thresholds=("0.5", "0.6", "0.7", "q0.05", "q0.1", "q0.3")),
    Host(
        "lightgcn",
        "baby",
        {"reg_weight": "1e-4", "n_mm_layers": "1"},
        GRAPHS,
        without=NO_LAYER,
        thresholds=("0.6", "q0.1"),
    ),
    Host(
        "lattice",
        "tiktok",
        features=(("image", "image_feat.npy"),),
        grid={"reg_weight": ("0", "1e-5", "1e-4", "1e-3"), "learning_rate": ("5e-4", "1e-3")},
        thresholds=("q0.1", "q0.3"),
        further={"gr_learned": "true"},
        short=True,
    ),
    Host(
        "mllmrec",
        "tiktok",
        features=(("image", "image_feat.npy"),),
        profile="mean",
        without=NO_GCN,
        thresholds=("q0.1", "q0.3", "q0.5"),
    ),
    Host("freedom", "sports", {"reg_weight": "0"}, GRAPHS, thresholds=("0.6", "q0.1"), short=True),
    Host("freedom", "microlens", {"reg_weight": "0"}, GRAPHS, thresholds=("0.6", "q0.1"), short=True),
    MLLMREC_SPORTS,
    Host("freedom", "baby", {"reg_weight": "0"}, GRAPHS, thresholds=("0.6", "q0.1", "q0.3"), cold=True),
    replace(MLLMREC_SPORTS, cold=True),
    Host(
        "mllmrec",
        "planted",
        {"train_batch_size": "1024", "learning_rate": "3e-3"},
        profile="mean",
        synth=PLANTED,
        arms=(
            NO_GCN,
            {"gr_threshold": "0.55", "gr_jaccard_k": "0"},
            {"gr_threshold": "0.55", "gr_jaccard_k": "10"},
            {"gr_threshold": "-1", "gr_normalize_parts": "true", "gr_jaccard_k": "10"},
            {"gr_threshold": "0.55", "gr_normalize_parts": "true", "gr_jaccard_k": "10"},
            {"gr_threshold": "0.55", "gr_normalize_parts": "true", "gr_jaccard_k": "10", "gr_min_support": "2"},
            {"gr_threshold": "0.55", "gr_normalize_parts": "true", "gr_jaccard_k": "10", "user_vectors": "random"},
        ),
    ),
]


def threshold_settings(threshold: str) -> Settings:
    if threshold.startswith("q"):
        return {"gr_threshold_quantile": threshold[1:]}
    return {"gr_threshold": threshold}


@dataclass
class Result:
    """One finished run."""

    host: str
    seed: int
    arm: Settings
    valid: dict[str, float]
    test: dict[str, float]
    best_epoch: int
    epochs: int
    minutes: float
    graphs: str
    against_vanilla: dict[str, float] | None = None  # over users, of the same seed: see paired_over_users

    @property
    def key(self) -> str:
        return run_key(self.host, self.seed, self.arm)


def run_key(host: str, seed: int, arm: Settings) -> str:
    text = "_".join(f"{key.removeprefix('gr_')}={value}" for key, value in arm.items()) or "vanilla"
    return f"{host}-{text}-seed{seed}"


class Campaign:
    """Runs what is missing and remembers what is there."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.results: dict[str, Result] = {}
        if arguments.results.exists():
            for line in arguments.results.read_text().splitlines():
                found = Result(**json.loads(line))
                self.results[found.key] = found

    def run(self, host: Host, seed: int, arm: Settings, *, paired: bool = False) -> Result:
        """The result of a run, made unless it is there. `paired`: compared with the host's own graph over users."""
        key = run_key(host.name, seed, arm)
        found = self.results.get(key)
        if found is not None and (not paired or found.against_vanilla is not None):
            return found
        directory = self.train(host, seed, arm)
        result = self.read(host, seed, arm, directory)
        if paired:
            mine = self.recalls(host, seed, arm)
            result.against_vanilla = paired_over_users(mine, self.recalls(host, seed, {}))
        self.keep(result)
        return result

    def train(self, host: Host, seed: int, arm: Settings) -> Path:
        """The directory of a run that has ended by itself."""
        arguments = self.arguments
        directory = arguments.runs / run_key(host.name, seed, arm)
        data = host.directory(arguments.data, arguments.runs, seed)
        if host.synth and not data.exists():
            plant = [arguments.graft, "prepare", "synth", *host.synth, "--seed", str(seed), "--out", str(data)]
            subprocess.run([*plant, "--quiet"], check=True)
        if host.cold and not data.exists():
            self.hold_items_out(host, seed, data)
        if LEAKING in arm:
            self.write_leaking_profiles(host, arguments.runs / arm[LEAKING])
            arm = {**arm, LEAKING: str(arguments.runs / arm[LEAKING])}
        command = host.command(arguments.graft, data, directory, seed, arm, arguments.threads)
        begin = time.monotonic()
        with (arguments.runs / f"{directory.name}.txt").open("a") as log:
            code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
        if code != 0:
            sys.exit(f"exit code {code}: {shlex.join(command)}")
        seconds = time.monotonic() - begin
        if seconds > 1:  # else it was there
            print(f"{directory.name}: {seconds:.0f} s", file=sys.stderr, flush=True)
        return directory

    def hold_items_out(self, host: Host, seed: int, out: Path) -> None:
        """The set with cold items: the split by `graft prepare`, features and neighbours in the order of its ids."""
        source = self.arguments.data / host.data
        temporary = out.with_suffix(".tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        command = [self.arguments.graft, "prepare", "split", str(source / f"{host.data}.inter"), "--format", "tsv"]
        command += ["--user", "userID", "--item", "itemID", "--k-core", "0", "--protocol", "cold-item"]
        command += ["--seed", str(seed), "--name", out.name, "--out", str(temporary), "--quiet"]
        subprocess.run(command, check=True)
        ids = np.loadtxt(temporary / "i_id_mapping.csv", np.int64, delimiter="\t", skiprows=1)
        order = ids[np.argsort(ids[:, 1]), 0]
        for modality in host.similarities:
            graph = sp.csr_matrix(sp.load_npz(source / f"knn10_{modality}.npz"))
            sp.save_npz(temporary / f"knn10_{modality}.npz", graph[order][:, order])
        for _, file in host.features:
            np.save(temporary / file, np.load(source / file)[order])
        temporary.rename(out)

    def write_leaking_profiles(self, host: Host, file: Path) -> None:
        """The mean of the normalised vectors of all items of a user, those of validation and test included."""
        if file.exists():
            return
        directory = self.arguments.data / host.data
        vectors = np.load(directory / host.features[0][1]).astype(np.float64)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
        data = read_inter(directory / f"{host.data}.inter")
        sums = np.zeros((int(data[:, 0].max()) + 1, vectors.shape[1]))
        np.add.at(sums, data[:, 0], vectors[data[:, 1]])
        np.save(file, (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-30)).astype(np.float32))

    def read(self, host: Host, seed: int, arm: Settings, directory: Path) -> Result:
        metrics = json.loads((directory / "metrics.json").read_text())
        header, *rows = (line.split(",") for line in (directory / "log.csv").read_text().splitlines())
        spent = [header.index("train_seconds"), header.index("evaluation_seconds")]
        kept = [name for name in metrics["valid"] if name.split("@")[0] in ("recall", "ndcg")]
        return Result(
            host=host.name,
            seed=seed,
            arm=arm,
            valid={name: round(metrics["valid"][name], 8) for name in kept},
            test={name: round(metrics["test"][name], 8) for name in kept},
            best_epoch=metrics["best_epoch"],
            epochs=metrics["epochs"],
            minutes=round(sum(float(row[place]) for row in rows for place in spent) / 60, 2),
            graphs=graph_descriptions(metrics),
        )

    def recalls(self, host: Host, seed: int, arm: Settings) -> np.ndarray:
        """Test Recall@20 of every user with test items, by userID; NaN for the others."""
        directory = self.arguments.runs / run_key(host.name, seed, arm)
        file = directory / "recall20.npy"
        if not file.exists():
            self.train(host, seed, arm)  # a run that is over is not made again
            held = host.directory(self.arguments.data, self.arguments.runs, seed)
            if host.cold:
                np.save(file, cold_user_recalls(held / f"{held.name}.inter", directory))
            else:
                lists = directory / "lists.tsv"
                command = [self.arguments.graft, "recommend", "--run", str(directory), "--all", "--out", str(lists)]
                subprocess.run([*command, "-k", str(CUTOFF), "--quiet"], check=True)
                np.save(file, user_recalls(held / f"{held.name}.inter", lists))
                lists.unlink()
            (directory / "checkpoint.bin").unlink(missing_ok=True)
        return np.load(file)

    def keep(self, result: Result) -> None:
        self.results[result.key] = result
        lines = [json.dumps(vars(found), separators=(",", ":")) for found in self.results.values()]
        temporary = self.arguments.results.with_suffix(".tmp")
        temporary.write_text("\n".join(lines) + "\n")
        shutil.move(temporary, self.arguments.results)


def graph_descriptions(metrics: dict) -> str:
    return " | ".join(f"{graph['name']}: {graph['description']}" for graph in metrics.get("graphs", []))


def read_inter(file: Path) -> np.ndarray:
    """userID, itemID and x_label of every row."""
    header, *rows = (line.split("\t") for line in file.read_text().splitlines())
    columns = [header.index(name) for name in ("userID", "itemID", "x_label")]
    return np.array([[int(row[c]) for c in columns] for row in rows])


def user_recalls(inter: Path, lists: Path) -> np.ndarray:
    data = read_inter(inter)
    users = int(data[:, 0].max()) + 1
    stride = int(data[:, 1].max()) + 1
    trained = np.zeros(users, dtype=bool)
    trained[data[data[:, 2] == 0, 0]] = True
    test = data[(data[:, 2] == 2) & trained[data[:, 0]]]
    listed = np.loadtxt(lists, dtype=np.int64, delimiter="\t", skiprows=1, usecols=(0, 1))
    hit = np.isin(test[:, 0] * stride + test[:, 1], listed[:, 0] * stride + listed[:, 1])
    wanted = np.bincount(test[:, 0], minlength=users)
    with np.errstate(invalid="ignore"):
        return (np.bincount(test[:, 0], weights=hit, minlength=users) / wanted).astype(np.float32)


def cold_user_recalls(inter: Path, run: Path) -> np.ndarray:
    """As user_recalls, of the test items ranked among themselves."""
    data = read_inter(inter)
    users, items = (np.load(run / f"{kind}_embeddings.npy") for kind in ("user", "item"))
    trained = np.zeros(len(users), dtype=bool)
    trained[data[data[:, 2] == 0, 0]] = True
    test = data[(data[:, 2] == 2) & trained[data[:, 0]]]
    candidates = np.unique(test[:, 1])
    wanted = np.zeros((len(users), len(candidates)), dtype=bool)
    wanted[test[:, 0], np.searchsorted(candidates, test[:, 1])] = True
    best = np.argsort(-(users @ items[candidates].T), axis=1, kind="stable")[:, :CUTOFF]
    with np.errstate(invalid="ignore"):
        return (np.take_along_axis(wanted, best, axis=1).sum(axis=1) / wanted.sum(axis=1)).astype(np.float32)


def paired_over_users(mine: np.ndarray, vanilla: np.ndarray) -> dict[str, float]:
    """Difference of two runs of one seed: mean and standard error over users, in Recall@20."""
    difference = (mine - vanilla)[~np.isnan(mine)].astype(np.float64)
    return {
        "users": int(difference.size),
        "mean": float(difference.mean()),
        "standard_error": float(difference.std(ddof=1) / math.sqrt(difference.size)),
    }


def best(results: list[Result]) -> Result:
    return max(results, key=lambda result: result.valid[f"recall@{CUTOFF}"])


def searched(host: Host, run: Callable[[Settings], Result]) -> tuple[Settings, ...]:
    """What validation chooses for each kind of graph: one question after the other, on one seed."""
    run({})
    audience = ("10",) if host.short else ("5", "10", "20")
    weights = ("1",) if host.short else ("0.5", "1", "2")
    supports = ("1", "2") if host.short else ("1", "2", "3", "5")

    def pick(candidates: Iterator[Settings]) -> Settings:
        return best([run(candidate) for candidate in candidates]).arm

    denoise = pick({**threshold_settings(t), "gr_jaccard_k": "0"} for t in host.thresholds)
    alpha = {key: value for key, value in denoise.items() if key != "gr_jaccard_k"}
    total = pick({**alpha, "gr_jaccard_k": k} for k in audience)
    if not host.short:
        options = [{"gr_weights": "cosine"}]
        options += [{"gr_after_mix": "true"}] if len(host.similarities) > 1 else []
        total = pick(iter([total, *({**total, **option} for option in options)]))
    enhance = pick({"gr_threshold": "-1", "gr_normalize_parts": "true", "gr_jaccard_k": k} for k in ("10", "20"))
    enhance = pick({**enhance, "gr_enhancement_weight": w} if w != "1" else enhance for w in weights)
    enhance = pick({**enhance, "gr_min_support": s} if s != "1" else enhance for s in supports)
    k = {key: value for key, value in enhance.items() if key != "gr_threshold"}
    both = pick(iter([{**alpha, **k}]))
    arms = [total, both] if host.short else [denoise, total, enhance, both]
    if host.further:
        arms.append({**both, **host.further})
    if host.without:
        arms.append(host.without)
    if host.profile and not host.cold:
        arms.append({LEAKING: f"{host.name}-leaking.npy"})
    return tuple(arms)


def tuned(host: Host, run: Callable[[Settings], Result]) -> Host:
    """The host with the point of its grid that validation chooses for its own graph."""
    if not host.grid:
        return host
    points = itertools.product(*host.grid.values())
    chosen = best([run(dict(zip(host.grid, point, strict=True))) for point in points]).arm
    return replace(host, settings={**host.settings, **chosen})


def work(campaign: Campaign, host: Host, seeds: list[int]) -> None:
    host = tuned(host, lambda arm: campaign.run(host, SEARCH_SEED, arm))
    arms = host.arms or searched(host, lambda arm: campaign.run(host, SEARCH_SEED, arm))
    for seed in seeds:
        campaign.run(host, seed, {})
        for arm in arms:
            campaign.run(host, seed, arm, paired=True)


def main() -> None:
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graft", default="build/release/graft", help="the program")
    parser.add_argument("--data", type=Path, help="directory of the sets")
    parser.add_argument("--runs", type=Path, default=Path("build/campaign"), help="directory of the runs")
    parser.add_argument("--results", type=Path, default=here / "refinement_results.jsonl", help="a line a run")
    parser.add_argument("--out", type=Path, default=here / "REFINEMENT.md", help="the page to write")
    parser.add_argument("--hosts", nargs="+", default=[host.name for host in HOSTS], metavar="HOST")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS), help="those to make, of the five")
    parser.add_argument("--threads", type=int, default=1, help="threads of a run")
    parser.add_argument("--table", action="store_true", help="only write the page")
    arguments = parser.parse_args()
    campaign = Campaign(arguments)
    if not arguments.table:
        if arguments.data is None:
            parser.error("--data: needed to train")
        arguments.runs.mkdir(parents=True, exist_ok=True)
        for host in HOSTS:
            if host.name in arguments.hosts:
                work(campaign, host, arguments.seeds)
    order = [host.name for host in HOSTS]
    results = sorted(campaign.results.values(), key=lambda result: order.index(result.host))
    arguments.out.write_text(page(results, (here / "refinement_remarks.md").read_text()))


if __name__ == "__main__":
    main()

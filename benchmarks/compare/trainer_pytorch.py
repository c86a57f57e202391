"""Times LightGCN, FREEDOM and MLLMRec in plain PyTorch on the CPU: what a training epoch costs where graft is not used.

    python benchmarks/compare/trainer_pytorch.py --data DIR --model freedom --epochs 3 --out freedom.json

DIR is a dataset directory with a .inter file. Features are random, of the sizes that the published ones have: the time
does not depend on their values. The protocol is graft's: batches of 2048 training rows, one negative each, dense Adam,
and after training one full-ranking evaluation of the validation and test users. PyTorch gets what is best for it on
this machine: negatives are drawn for a whole epoch at once, Adam is the fused one, and short trials choose the layout
of sparse matrices and whether FREEDOM and MLLMRec project whole feature tables or the rows of the batch. MLLMRec reads
frozen vectors of users, as its published code does; item features stand for those that its item graph has smoothed.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

DIMS, LAYERS, BATCH = 64, 2, 2048
FEATURES = {"image": 4096, "text": 384}
IMAGE_WEIGHT, KNN_K, DROPOUT = 0.1, 10, 0.8
MODELS = ("freedom", "lightgcn", "mllmrec")
REG_WEIGHT = {"lightgcn": 1e-4, "freedom": 1e-3}
SLOPE = 0.01
CUTOFFS = (5, 10, 20, 50)
EVALUATED_AT_ONCE = 4096  # users
EPSILON = 1e-7
Product = Callable[[torch.Tensor], torch.Tensor]


def mebibytes(kibibytes: int) -> int:
    return round(kibibytes / 1024)


def peak_memory() -> int:
    return mebibytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


@dataclass
class Data:
    """Rows of a dataset directory; held-out rows are keys user * items + item, sorted."""

    users: int
    items: int
    train: np.ndarray  # [2, rows]
    train_keys: np.ndarray
    held_out: dict[str, np.ndarray]

    @classmethod
    def read(cls, directory: Path) -> Data:
        path = directory / f"{directory.resolve().name}.inter"
        header = path.open().readline().rstrip("\n").split("\t")
        columns = [header.index(name) for name in ("userID", "itemID", "x_label")]
        user, item, label = np.loadtxt(path, dtype=np.int64, skiprows=1, usecols=columns, delimiter="\t", unpack=True)
        users, items = int(user.max()) + 1, int(item.max()) + 1
        keys = user * items + item
        held_out = {split: np.sort(keys[label == number]) for split, number in (("valid", 1), ("test", 2))}
        train = label == 0
        return cls(users, items, np.stack([user[train], item[train]]), np.unique(keys[train]), held_out)


def contained(keys: np.ndarray, in_sorted: np.ndarray) -> np.ndarray:
    place = np.minimum(np.searchsorted(in_sorted, keys), len(in_sorted) - 1)
    return in_sorted[place] == keys


class Sampler:
    """Shuffled rows with a negative each: uniform over the items of training, none that the user has there."""

    def __init__(self, data: Data, random: np.random.Generator) -> None:
        self.data, self.random = data, random
        self.pool = np.unique(data.train[1])

    def epoch(self) -> list[torch.Tensor]:
        """Batches [3, rows] of users, positives, negatives."""
        users, positives = self.data.train[:, self.random.permutation(self.data.train.shape[1])]
        negatives = self.random.choice(self.pool, len(users))
        redraw = np.flatnonzero(contained(users * self.data.items + negatives, self.data.train_keys))
        while len(redraw) > 0:
            negatives[redraw] = self.random.choice(self.pool, len(redraw))
            again = contained(users[redraw] * self.data.items + negatives[redraw], self.data.train_keys)
            redraw = redraw[again]
        rows = torch.from_numpy(np.stack([users, positives, negatives]))
        return [batch.contiguous() for batch in rows.split(BATCH, dim=1)]


class SparseProduct(torch.autograd.Function):
    """matrix @ x, with the transpose at hand for the way back."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, matrix: torch.Tensor, transposed: torch.Tensor) -> torch.Tensor:
        ctx.transposed = transposed
        return torch.sparse.mm(matrix, x)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return torch.sparse.mm(ctx.transposed, gradients[0]), None, None


def product(coo: torch.Tensor, layout: str, symmetric: bool = False) -> Product:
    """What multiplies by the matrix in the layout."""
    matrix = coo.coalesce()
    transposed = matrix if symmetric else matrix.t().coalesce()
    if layout == "csr":
        matrix, transposed = matrix.to_sparse_csr(), transposed.to_sparse_csr()
    return lambda x: SparseProduct.apply(x, matrix, transposed)


def user_item_graph(data: Data, pairs: torch.Tensor) -> torch.Tensor:
    """Symmetric bipartite matrix [users + items]², value 1 / sqrt((d_u + eps) (d_i + eps))."""
    user, item = pairs
    user_degree = torch.bincount(user, minlength=data.users) + EPSILON
    item_degree = torch.bincount(item, minlength=data.items) + EPSILON
    values = (user_degree[user] * item_degree[item]).rsqrt().float()
    upper = torch.stack([user, item + data.users])
    both = torch.cat([upper, upper.flip(0)], dim=1)
    size = data.users + data.items
    return torch.sparse_coo_tensor(both, values.repeat(2), (size, size))


def features_of(items: int, modality: str) -> torch.Tensor:
    dims = FEATURES[modality]
    return torch.randn(items, dims, generator=torch.Generator().manual_seed(dims))


def neighbours(features: torch.Tensor) -> torch.Tensor:
    """[items, items]: 1 / (K + eps) at the K nearest by cosine, self among them."""
    rows = functional.normalize(features)
    best = torch.cat([(block @ rows.T).topk(KNN_K).indices for block in rows.split(1024)])
    items = len(rows)
    places = torch.stack([torch.arange(items).repeat_interleave(KNN_K), best.flatten()])
    values = torch.full((items * KNN_K,), 1 / (KNN_K + EPSILON))
    return torch.sparse_coo_tensor(places, values, (items, items))


@functools.cache
def item_graph(items: int) -> torch.Tensor:
    """FREEDOM's mixed graph of the features that training begins with."""
    image, text = (neighbours(features_of(items, name)) for name in ("image", "text"))
    return IMAGE_WEIGHT * image + (1 - IMAGE_WEIGHT) * text


def bpr(users: torch.Tensor, positives: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    return functional.softplus(-(users * (positives - negatives)).sum(1)).mean()


class LightGCN(nn.Module):
    """Linear propagation over the user-item graph, the mean of all layers."""

    def __init__(self, data: Data, layout: str) -> None:
        super().__init__()
        self.data, self.layout = data, layout
        self.users = nn.Parameter(nn.init.xavier_uniform_(torch.empty(data.users, DIMS)))
        self.items = nn.Parameter(nn.init.xavier_uniform_(torch.empty(data.items, DIMS)))
        self.pairs = torch.from_numpy(np.stack(np.divmod(data.train_keys, data.items)))
        self.full = product(user_item_graph(data, self.pairs), layout, symmetric=True)

    def begin_epoch(self) -> None:
        """Nothing is sampled."""

    def propagate(self, adjacency: Product) -> tuple[torch.Tensor, torch.Tensor]:
        layer = torch.cat([self.users, self.items])
        layers = [layer]
        for _ in range(LAYERS):
            layer = adjacency(layer)
            layers.append(layer)
        users, items = torch.stack(layers).mean(0).split([self.data.users, self.data.items])
        return users, items

    def represent(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.propagate(self.full)

    def loss(self, batch: torch.Tensor) -> torch.Tensor:
        user, positive, negative = batch
        users, items = self.propagate(self.full)
        ego = (self.users[user], self.items[positive], self.items[negative])
        norms = torch.stack([part.norm() for part in ego]).sum() / len(user)
        return bpr(users[user], items[positive], items[negative]) + REG_WEIGHT["lightgcn"] * norms


class Freedom(LightGCN):
    """A frozen item graph, a user-item graph pruned anew every epoch, trainable features."""

    def __init__(self, data: Data, layout: str, whole_tables: bool) -> None:
        super().__init__(data, layout)
        self.whole_tables = whole_tables
        self.item_graph = product(item_graph(data.items), layout)
        self.features = nn.ParameterDict({name: nn.Parameter(features_of(data.items, name)) for name in FEATURES})
        self.linears = nn.ModuleDict({name: nn.Linear(dims, DIMS) for name, dims in FEATURES.items()})
        user, item = self.pairs
        degrees = (torch.bincount(user) + EPSILON)[user] * (torch.bincount(item) + EPSILON)[item]
        self.keep_weight = degrees.rsqrt()
        self.sampled = self.full

    def begin_epoch(self) -> None:
        """Keeps a share of the edges, drawn without replacement in proportion to their weights."""
        keys = torch.empty_like(self.keep_weight).exponential_() / self.keep_weight
        kept = keys.topk(int(len(keys) * (1 - DROPOUT)), largest=False, sorted=False).indices
        self.sampled = product(user_item_graph(self.data, self.pairs[:, kept]), self.layout, symmetric=True)

    def with_item_graph(self, adjacency: Product) -> tuple[torch.Tensor, torch.Tensor]:
        users, items = self.propagate(adjacency)
        return users, items + self.item_graph(self.items)

    def represent(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.with_item_graph(self.full)

    def projected(self, name: str, items: torch.Tensor) -> torch.Tensor:
        if self.whole_tables:
            return self.linears[name](self.features[name])[items]
        return self.linears[name](self.features[name][items])

    def loss(self, batch: torch.Tensor) -> torch.Tensor:
        user, positive, negative = batch
        users, items = self.with_item_graph(self.sampled)
        users = users[user]
        total = bpr(users, items[positive], items[negative])
        for name in FEATURES:
            both = self.projected(name, torch.cat([positive, negative]))
            total = total + REG_WEIGHT["freedom"] * bpr(users, *both.split(len(user)))
        return total


def tower() -> nn.Module:
    return nn.Sequential(nn.Linear(FEATURES["text"], 4 * DIMS), nn.LeakyReLU(SLOPE), nn.Linear(4 * DIMS, DIMS))


class Mllmrec(nn.Module):
    """Two MLPs over frozen vectors of users and items."""

    def __init__(self, data: Data, whole_tables: bool) -> None:
        super().__init__()
        self.whole_tables = whole_tables
        self.items = features_of(data.items, "text")
        self.users = functional.normalize(torch.randn(data.users, FEATURES["text"]))
        self.item_tower, self.user_tower = tower(), tower()

    def begin_epoch(self) -> None:
        """Nothing is sampled."""

    def represent(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.user_tower(self.users), self.item_tower(self.items)

    def loss(self, batch: torch.Tensor) -> torch.Tensor:
        user, positive, negative = batch
        if self.whole_tables:
            users, items = self.represent()
            return bpr(users[user], items[positive], items[negative])
        both = self.item_tower(self.items[torch.cat([positive, negative])])
        return bpr(self.user_tower(self.users[user]), *both.split(len(user)))


Model = LightGCN | Mllmrec


class Training:
    """A model with its optimiser."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def step(self, batch: torch.Tensor) -> float:
        self.optimizer.zero_grad()
        loss = self.model.loss(batch)
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def epoch(self, sampler: Sampler) -> tuple[float, float, float]:
        """Seconds, those of sampling among them, and the mean loss."""
        begin = time.perf_counter()
        batches = sampler.epoch()
        sampled = time.perf_counter()
        self.model.begin_epoch()
        losses = [self.step(batch) for batch in batches]
        return time.perf_counter() - begin, sampled - begin, statistics.fmean(losses)


def variants(name: str) -> list[dict[str, str]]:
    """Ways to write the model, with equal results."""
    layouts = [{"sparse": layout} for layout in ("coo", "csr")]
    forms = [{"features": form} for form in ("whole tables", "rows of the batch")]
    if name == "lightgcn":
        return layouts
    return forms if name == "mllmrec" else [{**layout, **form} for layout in layouts for form in forms]


def made(name: str, data: Data, variant: dict[str, str]) -> Model:
    torch.manual_seed(0)
    if name == "mllmrec":
        return Mllmrec(data, variant["features"] == "whole tables")
    if name == "lightgcn":
        return LightGCN(data, variant["sparse"])
    return Freedom(data, variant["sparse"], variant["features"] == "whole tables")


def prepare(threads: int) -> None:
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    torch.sparse.check_sparse_tensor_invariants.disable()
    torch.set_num_threads(threads)


def step_seconds(name: str, data: Data, variant: dict[str, str], trials: int = 3) -> float:
    batches = Sampler(data, np.random.default_rng(0)).epoch()
    training = Training(made(name, data, variant))
    training.model.begin_epoch()
    seconds = []
    for batch in batches[: 1 + trials]:
        begin = time.perf_counter()
        training.step(batch)
        seconds.append(time.perf_counter() - begin)
    return min(seconds[1:])


def fastest(name: str, data: Data, threads: int) -> dict[str, str]:
    """The variant with the least time of a step; for a process of its own, whose memory nobody counts."""
    prepare(threads)
    times = [step_seconds(name, data, variant) for variant in variants(name)]
    for variant, seconds in zip(variants(name), times, strict=True):
        print(f"{name}, {', '.join(variant.values())}: {1e3 * seconds:.0f} ms a step", file=sys.stderr, flush=True)
    return variants(name)[int(np.argmin(times))]


def ranked(data: Data, users: torch.Tensor, items: torch.Tensor) -> np.ndarray:
    """[users, max cutoff] best items without training items, from dense scores by blocks of users."""
    lists = []
    train_user, train_item = (torch.from_numpy(part) for part in np.divmod(data.train_keys, data.items))
    for begin in range(0, data.users, EVALUATED_AT_ONCE):
        scores = users[begin : begin + EVALUATED_AT_ONCE] @ items.T
        here = (train_user >= begin) & (train_user < begin + len(scores))
        scores[train_user[here] - begin, train_item[here]] = -torch.inf
        lists.append(scores.topk(max(CUTOFFS)).indices)
    return torch.cat(lists).numpy()


def metrics_of(data: Data, lists: np.ndarray, held_out: np.ndarray) -> dict[str, float]:
    """Means over the users of the split."""
    users, positives = np.unique(held_out // data.items, return_counts=True)
    hits = contained(users[:, None] * data.items + lists[users], held_out).astype(np.float64)
    discounts = 1 / np.log2(np.arange(2, max(CUTOFFS) + 2))
    ideal = np.concatenate([[0], np.cumsum(discounts)])
    upto = np.cumsum(hits, axis=1)
    result = {}
    for k in CUTOFFS:
        found, at_most = hits[:, :k], np.minimum(k, positives)
        result[f"recall@{k}"] = float(np.mean(found.sum(1) / positives))
        result[f"ndcg@{k}"] = float(np.mean(found @ discounts[:k] / ideal[at_most]))
        result[f"precision@{k}"] = float(np.mean(found.sum(1) / k))
        result[f"map@{k}"] = float(np.mean((found * upto[:, :k] / np.arange(1, k + 1)).sum(1) / at_most))
    return result


def evaluate(data: Data, model: Model) -> tuple[float, dict[str, dict[str, float]]]:
    begin = time.perf_counter()
    with torch.inference_mode():
        lists = ranked(data, *model.represent())
    found = {split: metrics_of(data, lists, rows) for split, rows in data.held_out.items()}
    return time.perf_counter() - begin, found


def measure(name: str, data: Data, variant: dict[str, str], epochs: int) -> dict[str, Any]:
    sampler = Sampler(data, np.random.default_rng(0))
    training = Training(made(name, data, variant))
    seconds, sampling, losses = zip(*(training.epoch(sampler) for _ in range(epochs)), strict=True)
    evaluation_seconds, found = evaluate(data, training.model)
    return {
        "model": name,
        **variant,
        "seconds_per_epoch": statistics.median(seconds),
        "sampling_seconds_per_epoch": statistics.median(sampling),
        "epoch_seconds": seconds,
        "evaluation_seconds": evaluation_seconds,
        "peak_mib": peak_memory(),
        "loss": losses,
        "parameters": sum(parameter.numel() for parameter in training.model.parameters()),
        **found,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="dataset directory with a .inter file")
    parser.add_argument("--model", choices=MODELS, required=True, help="one a run: its peak memory counts")
    parser.add_argument("--epochs", type=int, default=3, help="timed epochs (default 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="default: one a core")
    parser.add_argument("--out", type=Path, help="JSON file; standard output if absent")
    args = parser.parse_args()
    prepare(args.threads)
    after_import = peak_memory()
    data = Data.read(args.data)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        variant = pool.apply(fastest, (args.model, data, args.threads))
    result = {
        "data": {"users": data.users, "items": data.items, "train_rows": data.train.shape[1]},
        "threads": args.threads,
        "torch": torch.__version__,
        "mib_after_import": after_import,
        **measure(args.model, data, variant, args.epochs),
    }
    text = json.dumps(result, indent=2) + "\n"
    if args.out:
        args.out.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()

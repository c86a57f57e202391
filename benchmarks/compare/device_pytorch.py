"""PyTorch on the same GPU, for scripts/gpu-check: dense and row-blocked similarity with topk, dense Jaccard.

Prints tab-separated rows: what, shape, items, dims, seconds. Features are random: the time does not depend on them.
"""

import sys
import time
from functools import partial

import torch

SHAPES = {
    "baby": (19445, 7050, 118551),
    "sports": (35598, 18357, 218409),
    "clothing": (39387, 23033, 197338),
    "electronics": (192403, 63001, 1689188),
}
BLOCK = 4096
K = 10
REPEATS = 3


def least_seconds(work):
    work()
    torch.cuda.synchronize()
    least = float("inf")
    for _ in range(REPEATS):
        begin = time.perf_counter()
        work()
        torch.cuda.synchronize()
        least = min(least, time.perf_counter() - begin)
    return least


def dense(features):
    unit = torch.nn.functional.normalize(features)
    return torch.topk(unit @ unit.T, K + 1, dim=1)


def blocked(features):
    unit = torch.nn.functional.normalize(features)
    return [torch.topk(unit[begin : begin + BLOCK] @ unit.T, K + 1, dim=1) for begin in range(0, len(unit), BLOCK)]


def jaccard(users, items, count):
    pairs = torch.stack([torch.randint(users, (count,)), torch.randint(items, (count,))]).cuda()
    ones = torch.ones(count, device="cuda")
    matrix = torch.sparse_coo_tensor(pairs, ones, (users, items)).coalesce()

    def work():
        common = torch.sparse.mm(matrix.t(), matrix.to_dense())
        degrees = common.diagonal()
        union = degrees[:, None] + degrees[None, :] - common
        return torch.topk(common / union.clamp(min=1), K + 1, dim=1)

    return work


def report(what, shape, items, dims, work):
    try:
        print(what, shape, items, dims, f"{least_seconds(work):.6f}", sep="\t", flush=True)
    except torch.cuda.OutOfMemoryError:
        print(what, shape, items, dims, "out of memory", sep="\t", flush=True)
    torch.cuda.empty_cache()


def main():
    most = int(sys.argv[1]) if len(sys.argv) > 1 else sys.maxsize
    print("what", "shape", "items", "dims", "seconds", sep="\t")
    torch.set_float32_matmul_precision("highest")
    for shape, (users, items, count) in SHAPES.items():
        if items > most:
            continue
        for dims in (384, 4096):
            features = torch.randn(items, dims, device="cuda")
            report("dense similarity + topk, float32", shape, items, dims, partial(dense, features))
            report("row-blocked similarity + topk, float32", shape, items, dims, partial(blocked, features))
        if items <= 25000:
            report("dense Jaccard + topk", shape, items, 0, jaccard(users, items, count))
    if most >= 1_000_000:
        features = torch.randn(1_000_000, 384, device="cuda")
        report("row-blocked similarity + topk, float32", "million", 1_000_000, 384, partial(blocked, features))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A FREEDOM-style recommender in plain PyTorch: with the item graph it was published with, and with the refined one.

    freedom_style.py [--epochs N] [DIRECTORY]

DIRECTORY is a data set: NAME/NAME.inter, text_feat.npy and image_feat.npy. Without one, a planted data set is made, in
which some items have features that lie and some are bought together for reasons that no feature shows.

The model: LightGCN over the user-item graph (of which an epoch sees a sample that prefers edges of low degree), plus
one step over the item graph; BPR loss. Only the line marked <-- knows which item graph it is. One seed and planted
data: it shows how to change the graph, not what that gains elsewhere.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

import graft

try:
    import torch
    from torch.nn.functional import logsigmoid
except ImportError:
    sys.exit("This example needs PyTorch: pip install torch")

SEED, DIMS, LAYERS, DROPOUT, BATCH, LEARNING_RATE = 999, 64, 2, 0.8, 512, 1e-3


def user_item_graph(users, items, shape):
    """The symmetrically normalised bipartite graph of the given edges, users first."""
    items = items + shape[0]
    rows, columns = torch.cat([users, items]), torch.cat([items, users])
    degrees = torch.bincount(rows, minlength=sum(shape)) + 1e-7
    values = (degrees[rows] * degrees[columns]) ** -0.5
    edges, size = torch.stack([rows, columns]), (sum(shape), sum(shape))
    return torch.sparse_coo_tensor(edges, values, size, check_invariants=False).coalesce()


class Freedom(torch.nn.Module):
    """User and item embeddings; the item graph is frozen."""

    def __init__(self, shape, mm_adj):
        super().__init__()
        self.shape, self.mm_adj = shape, mm_adj
        self.users, self.items = (torch.nn.Parameter(torch.empty(size, DIMS)) for size in shape)
        for table in (self.users, self.items):
            torch.nn.init.xavier_uniform_(table)

    def forward(self, adjacency):
        layers = [torch.cat([self.users, self.items])]
        for _ in range(LAYERS):
            layers.append(torch.sparse.mm(adjacency, layers[-1]))
        users, items = torch.stack(layers).mean(dim=0).split(self.shape)
        return users, items + torch.sparse.mm(self.mm_adj, self.items)


def negatives(users, known, shape):
    """An item a user that is not among the user's own; `known` holds user * items + item."""
    drawn = torch.randint(shape[1], users.shape)
    while (taken := torch.isin(users * shape[1] + drawn, known)).any():
        drawn[taken] = torch.randint(shape[1], (int(taken.sum()),))
    return drawn


def train_model(train, mm_adj, epochs):
    """Final user and item vectors."""
    torch.manual_seed(SEED)
    shape = train.shape
    users = torch.from_numpy(np.repeat(np.arange(shape[0]), np.diff(train.user_offsets)))
    items = torch.from_numpy(train.user_items.astype(np.int64))
    known = users * shape[1] + items
    low_degree = (torch.bincount(users)[users] * torch.bincount(items)[items]) ** -0.5
    model = Freedom(shape, mm_adj)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in range(epochs):
        sample = torch.multinomial(low_degree, int(len(users) * (1 - DROPOUT)))
        adjacency = user_item_graph(users[sample], items[sample], shape)
        for batch in torch.randperm(len(users)).split(BATCH):
            user_vectors, item_vectors = model(adjacency)
            difference = item_vectors[items[batch]] - item_vectors[negatives(users[batch], known, shape)]
            loss = -logsigmoid((user_vectors[users[batch]] * difference).sum(dim=1)).mean()
            model.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return [vectors.numpy() for vectors in model(user_item_graph(users, items, shape))]


def recall(train, test, user_vectors, item_vectors, k=20):
    """Mean share of a user's test items among the k best that are not training items."""
    ranking = graft.top_k_scores(user_vectors, item_vectors, k=k, exclude=train)
    tested = [user for user in range(test.users) if len(test.history(user)) > 0]
    return np.mean([np.isin(test.history(user), ranking.row_ids(user)).mean() for user in tested])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, nargs="?")
    parser.add_argument("--epochs", type=int, default=40)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the matrices are small
    with tempfile.TemporaryDirectory() as folder:
        directory = arguments.directory or Path(folder) / "planted"
        if arguments.directory is None:
            graft.prepare.synth(directory)
        text, image = (graft.read_npy(directory / f"{name}_feat.npy") for name in ("text", "image"))
        inter = directory / f"{directory.resolve().name}.inter"
        train, test = (graft.read_inter(inter, split=split, items=len(text)) for split in ("train", "test"))
    print(f"{train.users} users, {train.items} items, {train.size} training interactions, {arguments.epochs} epochs")
    for graph in ("vanilla", "refined"):
        mm_adj = graft.recipes.freedom(train, text=text, image=image, graph=graph, threshold=0.5)  # <--
        print(f"{graph:8} {mm_adj.values().numel()} item-item edges, test Recall@20", end=" ", flush=True)
        print(f"{recall(train, test, *train_model(train, mm_adj, arguments.epochs)):.4f}")


if __name__ == "__main__":
    main()

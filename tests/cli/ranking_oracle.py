"""Ranking quality from its definition, a user at a time, on NumPy arrays."""

import numpy as np

MEASURES = ("recall", "ndcg", "precision", "map")


def histories(users, items, labels, label):
    """The items of each user in the rows of one label, users in order of first appearance, repeats kept."""
    result = {}
    for user, item, own in zip(users, items, labels):
        if own == label:
            result.setdefault(int(user), []).append(int(item))
    return result


def best_items(scores, excluded):
    """All other items by descending score, the lower id first among equals."""
    order = np.lexsort((np.arange(len(scores)), -scores))
    return [int(item) for item in order if int(item) not in excluded]


def user_metrics(ranked, held, cutoffs):
    """One user's metrics; every held-out row counts, also a repeated one."""
    positives = len(held)
    wanted = set(held)
    values = {}
    for k in cutoffs:
        hits = [int(item in wanted) for item in ranked[:k]]
        gains = [hit / np.log2(j + 2) for j, hit in enumerate(hits)]
        ideal = [1 / np.log2(j + 2) for j in range(min(k, positives))]
        precisions = [hit * sum(hits[: j + 1]) / (j + 1) for j, hit in enumerate(hits)]
        values[f"recall@{k}"] = sum(hits) / positives
        values[f"ndcg@{k}"] = sum(gains) / sum(ideal)
        values[f"precision@{k}"] = sum(hits) / k
        values[f"map@{k}"] = sum(precisions) / min(k, positives)
    return values


def mean_metrics(rankings, held, cutoffs):
    """Means over the users of a split: {user: held-out items}."""
    each = [user_metrics(rankings[user], items, cutoffs) for user, items in held.items()]
    return {name: sum(values[name] for values in each) / len(each) for name in each[0]}


def catalogue_metrics(rankings, items, cutoffs):
    """Coverage, and the Gini coefficient as half the relative mean absolute difference of two different items."""
    values = {}
    for k in cutoffs:
        counts = np.zeros(items)
        for ranked in rankings.values():
            np.add.at(counts, ranked[:k], 1)
        values[f"coverage@{k}"] = np.count_nonzero(counts) / items
        values[f"gini@{k}"] = np.abs(counts[:, None] - counts).sum() / (2 * (items - 1) * counts.sum())
    return values

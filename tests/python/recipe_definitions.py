"""What recipes make, by its definition: dense, in float64, slow."""

import numpy as np


def cosine(features):
    unit = features.astype(np.float64) / np.linalg.norm(features.astype(np.float64), axis=1)[:, None]
    return unit @ unit.T


def best(values, k, self):
    """The columns that each row keeps, by value descending, then column ascending; self first, or not at all."""
    values = values.copy()
    np.fill_diagonal(values, np.inf if self else -np.inf)
    order = np.argsort(-values, axis=1, kind="stable")
    chosen = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(chosen, order[:, :k], True, axis=1)
    return chosen


def normal(weights, epsilon=0.0):
    sums = weights.sum(axis=1)
    factor = np.where(sums > 0, 1 / np.sqrt(np.where(sums > 0, sums + epsilon, 1)), 0)
    return factor[:, None] * weights * factor


def neighbours(features, k, threshold=-1.0, weights="similarity", self=True):
    similarity = cosine(features)
    np.fill_diagonal(similarity, 1)
    kept = best(similarity, k, self) & (similarity >= threshold)
    return np.where(kept, similarity if weights == "similarity" else 1.0, 0)


def audiences(history, k, preset, min_support=1):
    """Top-k Jaccard of "reference" (identical audiences of two users and more dropped) or "noself"."""
    counts = history.T.astype(np.int64) @ history.astype(np.int64)
    degrees = counts.diagonal()
    union = degrees[:, None] + degrees - counts
    jaccard = np.divide(counts, union, out=np.zeros(counts.shape), where=union > 0)
    jaccard[counts < min_support] = 0
    if preset == "reference":
        jaccard[(counts == union) & (union >= 2)] = 0
        values = jaccard.copy()  # the diagonal of a single-user item stays and takes part
        order = np.argsort(-values, axis=1, kind="stable")
        chosen = np.zeros(values.shape, dtype=bool)
        np.put_along_axis(chosen, order[:, :k], True, axis=1)
    else:
        chosen = best(jaccard, k, self=False)
    return np.where(chosen, jaccard, 0)


def refined(
    features,
    history,
    *,
    k,
    threshold,
    jaccard_k,
    min_support=1,
    preset="reference",
    weights="binary",
    epsilon=0.0,
    normalize_parts=False,
    enhancement_weight=1.0,
):
    similar = neighbours(features, k, threshold, weights, self=preset == "reference")
    enhancement = audiences(history, jaccard_k, preset, min_support) if jaccard_k else np.zeros(similar.shape)
    if normalize_parts:
        return normal(similar, epsilon) + enhancement_weight * normal(enhancement, epsilon)
    return normal(similar + enhancement_weight * enhancement, epsilon)


def interest(history, contents, k):
    """I_m before normalisation, a user at a time."""
    similarities = [cosine(x) for x in contents]
    sums = [np.zeros(s.shape) for s in similarities]
    for user in range(len(history)):
        own = np.flatnonzero(history[user])
        near = [np.argsort(-s[own].sum(axis=0), kind="stable")[:k] for s in similarities]
        for b in np.union1d(*near):
            for total, similarity in zip(sums, similarities):
                total[own, b] += similarity[own, b]
    return sums

"""Real data sets. The folder is GRAFT_DATA, or shared/data beside the repository; without it the tests are skipped."""

import os
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

import oracle
from conftest import REPOSITORY, save_graph

DATA = Path(os.environ.get("GRAFT_DATA") or REPOSITORY.parent / "shared" / "data")
TOLERANCE = 2e-6


def data_set(name):
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"data set {name}: {folder} is not there (set GRAFT_DATA)")
    return folder


def interactions_of(path, split=0):
    users, items, labels = np.loadtxt(path, dtype=np.int64, skiprows=1, delimiter="\t", unpack=True)
    return users[labels == split], items[labels == split]


@pytest.mark.parametrize("name, items", [("clothing", 23033), ("microlens", 17228), ("baby", 7050), ("sports", 18357)])
def test_jaccard_graph_equals_the_exact_oracle(refine, tmp_path, name, items):
    path = data_set(name) / f"{name}.inter"
    empty = save_graph(tmp_path / "empty.npz", sp.csr_matrix((items, items), dtype=np.float32))
    actual = refine(path, graphs=[empty], jaccard_k=10, normalization="none")
    users, train_items = interactions_of(path)
    oracle.assert_same_graph(actual, oracle.jaccard_top_k(users, train_items, items, 10))


@pytest.mark.parametrize("name", ["baby", "sports"])
def test_published_neighbours(refine, name):
    folder = data_set(name)
    interactions = folder / f"{name}.inter"
    graphs = [folder / "knn10_text.npz", folder / "knn10_image.npz"]
    users, train_items = interactions_of(interactions)
    parts = [oracle.denoised(sp.load_npz(path), 10, alpha) for path, alpha in zip(graphs, [0.6, 0.5])]
    jaccard = oracle.jaccard_top_k(users, train_items, parts[0].shape[0], 10)
    expected = oracle.normalized(0.9 * parts[0].astype(np.float64) + 0.1 * parts[1].astype(np.float64) + jaccard)
    actual = refine(interactions, graphs=[f"{graphs[0]}:0.9:0.6", f"{graphs[1]}:0.1"], threshold=0.5, jaccard_k=10)
    assert actual.nnz == expected.nnz
    assert oracle.largest_difference(actual, expected) <= TOLERANCE


@pytest.mark.parametrize("name", ["baby", "sports"])
def test_published_neighbours_with_self_in_the_first_place(refine, name):
    folder = data_set(name)
    interactions = folder / f"{name}.inter"
    similarity = sp.load_npz(folder / "knn10_text.npz")
    self_loops = sp.eye_array(similarity.shape[0], format="csr", dtype=np.float32)
    graphs = [folder / "knn10_text.npz"]
    actual = refine(interactions, graphs=graphs, preset="reference", jaccard_k=0, normalization="none")
    oracle.assert_same_graph(actual, self_loops + oracle.denoised(similarity, 9, 0.5))


def cosine_top_k_values(features, k, rows_at_once=1000):
    """Each row's k largest cosines to other rows, descending; -inf where there are none."""
    features = features.astype(np.float64)
    norms = np.linalg.norm(features, axis=1)
    valid = norms > 0
    unit = np.zeros_like(features)
    unit[valid] = features[valid] / norms[valid, None]
    best = np.full((len(unit), k), -np.inf)
    for begin in range(0, len(unit), rows_at_once):
        rows = np.arange(begin, min(begin + rows_at_once, len(unit)))
        cosines = unit[rows] @ unit.T
        cosines[:, ~valid] = -np.inf
        cosines[~valid[rows]] = -np.inf
        cosines[np.arange(len(rows)), rows] = -np.inf
        best[rows] = -np.sort(-np.partition(cosines, -k, axis=1)[:, -k:], axis=1)
    return best


def assert_cosine_graph(graph, features, k):
    """Values are compared, not columns: near ties may be ordered either way."""
    expected = cosine_top_k_values(features, k)
    assert graph.nnz == np.isfinite(expected).sum()
    for row in range(graph.shape[0]):
        actual = -np.sort(-graph.data[graph.indptr[row] : graph.indptr[row + 1]])
        np.testing.assert_allclose(actual, expected[row][np.isfinite(expected[row])], rtol=0, atol=1e-5)


def test_tiktok_from_raw_features(refine):
    folder = data_set("tiktok")
    interactions = folder / "tiktok.inter"
    files = [folder / "image_feat.npy", folder / "audio_feat.npy"]
    parts = []
    for path in files:
        values = refine(interactions, [path], threshold=-1, jaccard_k=0, weights="similarity", normalization="none")
        assert_cosine_graph(values, np.load(path), 10)
        parts.append(refine(interactions, [path], threshold=0.5, jaccard_k=0, normalization="none"))
        oracle.assert_same_graph(parts[-1], oracle.denoised(values, 10, 0.5))
    users, train_items = interactions_of(interactions)
    jaccard = oracle.jaccard_top_k(users, train_items, parts[0].shape[0], 10)
    expected = oracle.normalized(0.5 * parts[0].astype(np.float64) + 0.5 * parts[1].astype(np.float64) + jaccard)
    actual = refine(interactions, files)
    assert oracle.largest_difference(actual, expected) <= TOLERANCE


def test_sports_derived_features_with_zero_rows(refine):
    folder = data_set("sports")
    interactions = folder / "sports.inter"
    path = folder / "derived_keywords_svd64_f16.npy"
    features = np.load(path)
    zero = ~features.any(axis=1)
    assert zero.any()
    graph = refine(interactions, [path], threshold=-1, jaccard_k=0, weights="similarity", normalization="none")
    assert np.diff(graph.indptr)[zero].sum() == 0
    assert not zero[graph.indices].any()
    assert_cosine_graph(graph, features, 10)


def test_held_out_rows_of_baby_change_no_byte(refine, tmp_path):
    folder = data_set("baby")
    lines = (folder / "baby.inter").read_text().splitlines()
    (tmp_path / "baby.inter").write_text("\n".join(line for line in lines if not line.endswith(("\t1", "\t2"))) + "\n")
    refine(folder / "baby.inter", graphs=[folder / "knn10_text.npz"])
    refine(tmp_path / "baby.inter", graphs=[folder / "knn10_text.npz"])
    assert (tmp_path / "refined-1.npz").read_bytes() == (tmp_path / "refined-2.npz").read_bytes()

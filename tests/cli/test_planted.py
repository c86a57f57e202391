"""What the item graph does for a recommender of users and items by content, on data whose truth is planted.

Half of the items have features that lie, and half are bought together with items that no feature points to. A user is
the mean of the training items' features, the positive left out while training.
"""

import json
import subprocess

import pytest

SEEDS = (1, 2)
SIZES = "--users 1200 --items 400 --interactions 18000 --dims 128 --image-dims 0 --noisy-items 0.5 --bridges 0.5"
TRAINING = "epochs=40 train_batch_size=1024 learning_rate=0.003"
GRAPHS = {
    "none": "gcn_ii=false",
    "similar items": "",
    "similar items, pruned": "gr_jaccard_k=0",
    "refined": "gr_normalize_parts=true",
}


def settings(text):
    return [word for pair in text.split() for word in ("--set", pair)]


@pytest.fixture(scope="module")
def recall(binary, tmp_path_factory):
    """Test recall@20 by graph, the mean over data sets and seeds."""
    found = dict.fromkeys(GRAPHS, 0.0)
    for seed in SEEDS:
        folder = tmp_path_factory.mktemp("planted")
        data = folder / "data"
        synth = [binary, "prepare", "synth", *SIZES.split(), "--seed", str(seed), "--out", data, "--quiet"]
        subprocess.run(synth, check=True)
        for graph, text in GRAPHS.items():
            out = folder / graph.replace(" ", "-")
            kind = "refined" if "gr_" in text else "vanilla"
            command = [binary, "train", "--model", "mllmrec", "--data", data, "--out", out, "--seed", str(seed)]
            options = ["--user-profile", "mean", "--graph", kind, *settings(TRAINING), *settings(text), "--quiet"]
            subprocess.run([*command, *options], check=True)
            found[graph] += json.loads((out / "metrics.json").read_text())["test"]["recall@20"] / len(SEEDS)
    return found


def test_refined_graph_beats_similarity_and_no_graph(recall):
    assert recall["refined"] > recall["similar items"] + 0.02
    assert recall["refined"] > recall["none"] + 0.01


def test_what_is_bought_together_is_not_in_similarity(recall):
    assert recall["refined"] > recall["similar items, pruned"] + 0.02


def test_false_edges_make_a_similarity_graph_worse_than_none(recall):
    assert recall["similar items"] < recall["none"] - 0.01

"""Python and the program give the same bits. GRAFT_BINARY names the program; GRAFT_DATA adds real data sets."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import graft
from conftest import REPOSITORY

DEMO = REPOSITORY / "examples" / "data" / "demo"


@pytest.fixture(scope="module")
def program():
    path = os.environ.get("GRAFT_BINARY")
    if not path:
        pytest.skip("GRAFT_BINARY does not name the program")
    return path


def refined(program, out, *arguments):
    subprocess.run([program, "refine", *map(str, arguments), "--out", str(out), "--quiet"], check=True)
    return graft.load_npz_with_provenance(out)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"preset": "reference", "threshold": 0.3},
        {"preset": "paper", "knn_k": 3, "jaccard_k": 4, "weights": "similarity", "normalization": "row"},
        {"symmetrize": "mean", "epsilon": 1e-7, "threshold": -1, "jaccard_k": 0},
        {"normalize_parts": True, "enhancement_weight": 0.5},
        {"normalize_parts": True, "min_support": 2},
    ],
)
def test_refine_gives_the_programs_bits(program, tmp_path, options):
    flags = []
    for name, value in options.items():
        flags += [f"--{name.replace('_', '-')}", *([] if value is True else [value])]
    inputs = ["--features", DEMO / "text_feat.npy", "--interactions", DEMO / "demo.inter"]
    features = np.load(DEMO / "text_feat.npy")
    train = graft.read_inter(DEMO / "demo.inter", items=len(features))
    expected, provenance = refined(program, tmp_path / "graph.npz", *inputs, *flags)
    assert graft.refine(features, train, **options) == expected
    assert graft.refine(features, train, threads=1, **options) == expected
    graft.save_npz(tmp_path / "python.npz", graft.refine(features, train, **options), provenance)
    assert (tmp_path / "python.npz").read_bytes() == (tmp_path / "graph.npz").read_bytes()


def test_synth_gives_the_programs_files(program, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    subprocess.run(
        [program, "prepare", "synth", "--seed", "5", "--out", str(tmp_path / "a" / "toy"), "--quiet"], check=True
    )
    graft.prepare.synth(tmp_path / "b" / "toy", seed=5)
    names = sorted(path.name for path in (tmp_path / "a" / "toy").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "b" / "toy").iterdir())
    for name in names:
        assert (tmp_path / "a" / "toy" / name).read_bytes() == (tmp_path / "b" / "toy" / name).read_bytes()


def real_sets():
    root = os.environ.get("GRAFT_DATA")
    return sorted(path.parent for path in Path(root).glob("*/*.inter")) if root else []


@pytest.mark.parametrize("folder", real_sets(), ids=lambda path: path.name)
def test_real_interactions_give_the_programs_bits(program, tmp_path, folder):
    inter = folder / f"{folder.name}.inter"
    items = graft.read_inter_table(inter).item_count
    features = np.random.default_rng(0).standard_normal((items, 16), dtype=np.float32)
    np.save(tmp_path / "x.npy", features)
    expected, _ = refined(program, tmp_path / "graph.npz", "--features", tmp_path / "x.npy", "--interactions", inter)
    assert graft.refine(features, graft.read_inter(inter, items=items)) == expected

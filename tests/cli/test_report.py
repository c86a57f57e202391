"""What a run says: summary, JSON, facts in the file, notices."""

import hashlib
import json
import os
import struct

import numpy as np
import pytest
import scipy.sparse as sp

from conftest import provenance, refine_arguments, write_inter

OPTIONS = {"knn_k": 2, "threshold": 0.5, "jaccard_k": 2}


def fields(text):
    """The summary as {label: value}: labels stand in the first 20 columns."""
    return {line[:20].rstrip(): line[20:] for line in text.splitlines()}


def test_summary_counts_of_the_example(graft, toy):
    done = graft(*refine_arguments("out.npz", toy.interactions, [toy.features], threads=2, **OPTIONS))
    assert done.returncode == 0
    summary = fields(done.stdout)
    assert summary["items"] == "4"
    assert summary["users"] == "5"
    assert summary["interactions"] == "10 (train)"
    # two neighbours each, of which 3 -> 2 (.48) and 3 -> 1 (.36) fall below the threshold
    assert summary["similarity edges"] == "8 -> 6 (25.00% pruned by the threshold)"
    assert summary["jaccard edges"] == "7"
    assert summary["edges"] == "7"
    assert summary["self loops"] == "0"
    assert summary["isolated items"] == "0 (0.00%)"
    assert " s (read " in summary["time"]
    assert summary["peak memory"].endswith("iB")
    assert summary["numeric path"].endswith(", 2 threads")
    assert summary["written"] == "out.npz"
    assert done.stderr == ""


def test_json_says_the_same(graft, toy, tmp_path):
    features = [f"{toy.features}:3", f"{toy.features}:1:0.7"]
    done = graft(*refine_arguments("out.npz", toy.interactions, features, threads=1, json="sum.json", **OPTIONS))
    assert done.returncode == 0
    report = json.loads((tmp_path / "sum.json").read_text())
    graph = sp.load_npz(tmp_path / "out.npz")
    assert report["command"] == "refine"
    assert (report["items"], report["users"], report["interactions"], report["duplicates"]) == (4, 5, 10, 0)
    assert report["edges"] == graph.nnz
    assert report["jaccard_edges"] == 7
    assert report["self_loops"] == 0 and report["isolated_items"] == 0
    similarity = report["similarity"]
    assert similarity["edges_before"] == 16
    assert similarity["edges_after"] == 6 + 4
    assert similarity["pruned_share"] == pytest.approx(6 / 16)
    assert report["options"]["preset"] == "noself"
    assert report["options"]["threshold"] == 0.5
    assert [m["weight"] for m in report["modalities"]] == [3, 1]
    assert [m["threshold"] for m in report["modalities"]] == [0.5, 0.7]
    assert report["modalities"][0]["sha256"] == hashlib.sha256(toy.features.read_bytes()).hexdigest()
    assert report["seconds"]["total"] == pytest.approx(sum(report["seconds"][s] for s in ["read", "refine", "write"]))
    assert report["peak_memory_bytes"] > 1 << 20
    assert report["threads"] == 1
    assert report["memory_budget_bytes"] == 64 << 20
    assert report["out"] == "out.npz"


def test_json_on_standard_output_moves_the_summary_aside(graft, toy):
    done = graft(*refine_arguments("out.npz", toy.interactions, [toy.features], json="-"))
    assert done.returncode == 0
    assert json.loads(done.stdout)["items"] == 4
    assert fields(done.stderr)["items"] == "4"


def test_quiet_says_nothing(graft, toy):
    interactions = toy.interactions
    rows = interactions.read_text().splitlines()
    interactions.write_text("\n".join([*rows, rows[1]]) + "\n")
    done = graft(*refine_arguments("out.npz", interactions, [toy.features], quiet=True))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = graft(*refine_arguments("out.npz", interactions, [toy.features], quiet=True, split="all"))
    assert done.returncode == 0 and done.stdout == ""
    assert "warning: --split all" in done.stderr


def test_notices(graft, toy, tmp_path):
    plain = write_inter(tmp_path / "plain.inter", [0, 0, 1, 1], [0, 1, 1, 1])
    done = graft(*refine_arguments("out.npz", plain, [toy.features], json="-"))
    assert done.returncode == 0
    notices = json.loads(done.stdout)["notices"]
    assert any("x_label" in notice for notice in notices)
    assert any("1 repeated interaction" in notice for notice in notices)
    for notice in notices:
        assert f"graft refine: notice: {notice}" in done.stderr


def test_facts_in_the_file(graft, toy, tmp_path):
    arguments = refine_arguments("out.npz", toy.interactions, [f"{toy.features}:1:0.7"], preset="reference", **OPTIONS)
    assert graft(*arguments).returncode == 0
    facts = provenance(tmp_path / "out.npz")
    version = graft("--version").stdout.split()[1]
    expected = {
        "version": version,
        "operator": "refine",
        "preset": "reference",
        "knn_k": "2",
        "threshold": "0.5",
        "jaccard_k": "2",
        "min_support": "1",
        "weights": "binary",
        "symmetrize": "none",
        "add_self_loops": "false",
        "normalization": "symmetric",
        "epsilon": "0",
        "normalize_parts": "false",
        "enhancement_weight": "1",
        "split": "train",
        "modalities": "1",
        "modality_0_kind": "features",
        "modality_0_file": "features.npy",
        "modality_0_sha256": hashlib.sha256(toy.features.read_bytes()).hexdigest(),
        "modality_0_weight": "1",
        "modality_0_threshold": "0.7",
        "interactions_file": "toy.inter",
    }
    assert {key: facts[key] for key in expected} == expected
    assert set(facts) == set(expected) | {"numeric_path", "interactions_sha256"}
    assert facts["numeric_path"] in {"fma", "baseline", "header-only"}
    users, items = np.nonzero(np.array(toy.golden["R"]))
    canonical = struct.pack("<q", 4) + b"".join(struct.pack("<ii", *pair) for pair in zip(users, items))
    assert facts["interactions_sha256"] == hashlib.sha256(canonical).hexdigest()


def test_hashes_of_files_of_every_length(graft, toy, tmp_path):
    """Padding of the hash depends on the length modulo 64; the header of a .npy may be padded at will."""
    values = toy.feature_values
    for padding in range(64):
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3), }" + b" " * padding + b"\n"
        content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values.tobytes()
        (tmp_path / "padded.npy").write_bytes(content)
        assert graft(*refine_arguments("out.npz", toy.interactions, ["padded.npy"])).returncode == 0
        assert provenance(tmp_path / "out.npz")["modality_0_sha256"] == hashlib.sha256(content).hexdigest()


def test_file_names_of_any_alphabet(graft, toy, tmp_path):
    name = "Zubehör für Säuglinge 赤ちゃん.npy"
    (tmp_path / name).write_bytes(toy.features.read_bytes())
    done = graft(*refine_arguments("out.npz", toy.interactions, [name], json="-"))
    assert done.returncode == 0, done.stderr
    assert provenance(tmp_path / "out.npz")["modality_0_file"] == name
    assert json.loads(done.stdout)["modalities"][0]["file"] == name


def test_file_names_that_are_not_text(graft, toy, tmp_path):
    name = b"\xff\xfe.npy"
    with open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:
        file.write(toy.features.read_bytes())
    done = graft(*refine_arguments("out.npz", toy.interactions, [os.fsdecode(name)], json="summary.json"))
    assert done.returncode == 0, done.stderr
    json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert "modality_0_file" in provenance(tmp_path / "out.npz")


def test_version(graft, tmp_path):
    short = graft("--version")
    assert short.returncode == 0
    program, version = short.stdout.split()
    assert program == "graft" and version.count(".") == 2
    done = graft("version", "--json", "version.json")
    assert done.returncode == 0
    facts = json.loads((tmp_path / "version.json").read_text())
    assert facts["version"] == version
    assert facts["numeric_path"] in facts["numeric_paths"]
    assert facts["backends"] == (["cpu"] if facts["cuda"].startswith("none: ") else ["cpu", "cuda"])
    assert done.stdout.splitlines()[0] == f"graft {version}"
    for library in ["compiler", "tbb", "eigen", "zlib"]:
        assert facts[library] and facts[library] in done.stdout
    assert json.loads(graft("version", "--json", "-").stdout) == facts
    refused = graft("version", "--json", "missing/version.json")
    assert refused.returncode == 1 and "missing/version.json" in refused.stderr and refused.stdout == ""

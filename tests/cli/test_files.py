"""Bad inputs and outputs: the message names file and value, the exit code is 1, nothing partial is left."""

import os
import resource
import subprocess

import numpy as np
import pytest
import scipy.sparse as sp

from conftest import default_signals, refine_arguments, save_graph, write_inter


def assert_refused(done, *words):
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("graft refine: error: "), done.stderr
    for word in words:
        assert word in lines[0]


@pytest.fixture
def refused(graft, toy, tmp_path):
    """Refines the toy with some arguments replaced; it must fail and leave the folder as it was."""

    def run(*words, interactions=None, features=None, graphs=(), **options):
        features = [toy.features] if features is None and not graphs else features or []
        before = sorted(tmp_path.rglob("*"))
        done = graft(*refine_arguments("out.npz", interactions or toy.interactions, features, graphs, **options))
        assert_refused(done, *words)
        assert sorted(tmp_path.rglob("*")) == before

    return run


def test_missing_inputs(refused):
    refused("--features = no.npy", "no such file", features=["no.npy"])
    refused("--graph = no.npz", "no such file", graphs=["no.npz"])
    refused("--interactions = no.inter", "no such file", interactions="no.inter")


def test_inputs_that_are_no_files(refused, tmp_path):
    refused(f"--features = {tmp_path}", "is a directory", features=[tmp_path])
    os.mkfifo(tmp_path / "pipe")
    refused("--interactions = pipe", "must be a regular file", interactions="pipe")


def test_npy_files_that_are_damaged_or_of_another_kind(refused, toy, tmp_path):
    path = tmp_path / "bad.npy"
    path.write_bytes(toy.features.read_bytes()[:-5])
    refused("bad.npy", features=[path])
    path.write_bytes(b"")
    refused("bad.npy", features=[path])
    path.write_text("not an array, but long enough to hold a header of one")
    refused("bad.npy", features=[path])
    np.save(path, np.array([{"a": 1}, None, "x", 2], dtype=object), allow_pickle=True)
    refused("bad.npy", features=[path])
    np.save(path, np.ones((4, 3), dtype=np.int64))
    refused("bad.npy", features=[path])
    np.save(path, np.ones((4, 3, 2), dtype=np.float32))
    refused("bad.npy", features=[path])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_name_file_row_and_column(refused, toy, tmp_path, value):
    features = toy.feature_values.copy()
    features[2, 1] = value
    np.save(tmp_path / "bad.npy", features)
    refused(f"bad.npy: row 2, column 1 = {value}", features=[toy.features, "bad.npy"])


def test_values_beyond_float32_are_not_finite(refused, toy, tmp_path):
    features = toy.feature_values.astype(np.float64)
    features[3, 0] = 1e300
    np.save(tmp_path / "bad.npy", features)
    refused("bad.npy: row 3, column 0 = inf", features=["bad.npy"])


def test_graphs_that_are_damaged_or_of_another_kind(refused, toy, tmp_path):
    good = save_graph(tmp_path / "good.npz", np.eye(4, k=1)).read_bytes()
    path = tmp_path / "bad.npz"
    for content in [b"", b"PK", good[: len(good) // 2], good[:-1]]:
        path.write_bytes(content)
        refused("bad.npz", graphs=[path])
    sp.save_npz(path, sp.csr_matrix((4, 5), dtype=np.float32))
    refused("bad.npz", graphs=[path])
    sp.save_npz(path, sp.coo_matrix(np.eye(4, dtype=np.float32)))
    refused("bad.npz", graphs=[path])
    save_graph(path, np.diag([1, np.nan, 1, 1]))
    refused("bad.npz", graphs=[path])
    np.savez(
        path,
        indices=np.array([9], np.int32),
        indptr=np.array([0, 1, 1, 1, 1], np.int32),
        format=b"csr",
        shape=np.array([4, 4]),
        data=np.ones(1, np.float32),
    )
    refused("bad.npz", graphs=[path])
    path.write_bytes(toy.features.read_bytes())
    refused("bad.npz", graphs=[path])


def test_interaction_files_name_the_line_and_the_field(refused, tmp_path):
    path = tmp_path / "bad.inter"
    for content, words in [
        ("", []),
        ("userID\titem\n0\t0\n", ["itemID"]),
        ("user\titemID\n0\t0\n", ["userID"]),
        ("userID\titemID\tuserID\n0\t0\t0\n", ["userID"]),
        ("userID,itemID\n0,0\n", ["userID"]),
        ("userID\titemID\tx_label\n0\t0\t0\n1\t1\t3\n", ["line 3", "x_label"]),
        ("userID\titemID\tx_label\n0\t0\t0\n1\t1\n", ["line 3"]),
        ("userID\titemID\n0\t0\n1\tB00ABC\n", ["line 3", "B00ABC"]),
        ("userID\titemID\n0\t-1\n", ["line 2", "-1"]),
        ("userID\titemID\n0\t1.0\n", ["line 2", "1.0"]),
        ("userID\titemID\n0\t99999999999\n", ["line 2", "99999999999"]),
        ("userID\titemID\n2000000000\t0\n", ["line 2", "2000000000", "graft prepare split"]),
    ]:
        path.write_text(content)
        refused("bad.inter", *words, interactions=path)


def test_an_item_beyond_the_features_names_the_line(refused, toy, tmp_path):
    path = write_inter(tmp_path / "bad.inter", [0, 1, 2], [0, 3, 4])
    refused("bad.inter", "4", "line 4", interactions=path)
    path = write_inter(tmp_path / "bad.inter", [0, 1, 2], [0, 7, 3], [0, 2, 0])
    refused("bad.inter", "7", "line 3", interactions=path)


def test_modalities_with_different_rows_name_both_files_and_numbers(refused, toy, tmp_path):
    np.save(tmp_path / "short.npy", toy.feature_values[:3])
    refused("features.npy", "short.npy: 3 rows", "4 rows", features=[toy.features, "short.npy"])
    save_graph(tmp_path / "long.npz", np.eye(5))
    refused("features.npy", "long.npz: 5 rows", "4 rows", features=[toy.features], graphs=["long.npz"])


def test_a_budget_that_is_too_small_names_the_least(refused):
    refused("budget", "100", memory_budget="100B")


@pytest.mark.parametrize("option", ["out", "json"])
def test_outputs_that_cannot_be_written(graft, toy, tmp_path, option):
    (tmp_path / "folder").mkdir()
    places = ["missing/out", tmp_path / "folder", "folder/", "features.npy/out", "/proc/out", "/dev/full", "/dev/null"]
    for path in places:
        before = sorted(tmp_path.rglob("*"))
        outputs = {"out": "result.npz", option: path}
        arguments = refine_arguments(outputs.pop("out"), toy.interactions, [toy.features], **outputs)
        assert_refused(graft(*arguments), f"--{option}", str(path))
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission(graft, toy, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    assert_refused(graft(*refine_arguments(folder / "out.npz", toy.interactions, [toy.features])), str(folder))


def limited_to(size):
    def prepare():
        default_signals()
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return prepare


def test_a_full_disk_keeps_the_old_file_and_leaves_no_part(graft, shop, tmp_path):
    out = tmp_path / "out.npz"
    out.write_bytes(b"what was there before")
    before = sorted(tmp_path.iterdir())
    arguments = refine_arguments(out, shop.interactions, [shop.features])
    done = graft(*arguments, preexec_fn=limited_to(4096))
    assert_refused(done, str(out), "File too large")
    assert out.read_bytes() == b"what was there before"
    assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk_for_the_summary_leaves_no_part_of_it(graft, toy, tmp_path):
    out, summary = tmp_path / "out.npz", tmp_path / "summary.json"
    roundabout = "./" * 1500 + "features.npy"  # the summary spells it out, the result holds the base name
    arguments = refine_arguments(out, toy.interactions, [roundabout] * 4, json=summary)
    assert graft(*arguments).returncode == 0
    result, size = out.read_bytes(), out.stat().st_size
    assert summary.stat().st_size > size
    out.unlink()
    summary.unlink()
    before = sorted(tmp_path.iterdir())
    done = graft(*arguments, preexec_fn=limited_to(size))
    assert_refused(done, str(summary), "File too large", "the graph itself is complete")
    assert sorted(tmp_path.iterdir()) == sorted([*before, out])
    assert out.read_bytes() == result


def test_standard_output_that_cannot_be_written(binary, toy, tmp_path):
    for extra in [{}, {"json": "-"}]:
        arguments = refine_arguments("out.npz", toy.interactions, [toy.features], **extra)
        with open("/dev/full", "w") as full:
            done = subprocess.run([binary, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        assert done.returncode == 1
        assert "standard output: cannot be written: No space left on device" in done.stderr


def test_a_reader_that_went_away(binary, toy, tmp_path):
    arguments = refine_arguments("out.npz", toy.interactions, [toy.features], json="-")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([binary, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    os.close(writing)
    assert done.returncode == 1
    assert "standard output: cannot be written: Broken pipe" in done.stderr


def test_an_existing_result_survives_an_error(graft, toy, tmp_path):
    out = tmp_path / "out.npz"
    out.write_bytes(b"old")
    assert_refused(graft(*refine_arguments(out, "no.inter", [toy.features])), "no.inter")
    assert out.read_bytes() == b"old"
    done = graft(*refine_arguments(out, toy.interactions, [toy.features]))
    assert done.returncode == 0
    assert sp.load_npz(out).shape == (4, 4)


def test_no_items_at_all(graft, tmp_path):
    np.save(tmp_path / "none.npy", np.zeros((0, 8), dtype=np.float32))
    (tmp_path / "none.inter").write_text("userID\titemID\tx_label\n")
    done = graft(*refine_arguments("out.npz", "none.inter", ["none.npy"]))
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "out.npz") as members:
        assert members["shape"].tolist() == [0, 0]
        assert members["indptr"].tolist() == [0]


def test_a_zero_row_and_an_item_without_users_are_isolated(graft, toy, tmp_path):
    features = np.vstack([toy.feature_values, np.zeros((1, 3), dtype=np.float32)])
    np.save(tmp_path / "five.npy", features)
    done = graft(*refine_arguments("out.npz", toy.interactions, ["five.npy"], knn_k=2, jaccard_k=2))
    assert done.returncode == 0, done.stderr
    graph = sp.load_npz(tmp_path / "out.npz").toarray()
    np.testing.assert_allclose(graph[:4, :4], toy.golden["noself"]["A"], rtol=0, atol=2e-6)
    assert not graph[4].any() and not graph[:, 4].any()
    assert "isolated items      1 (20.00%)" in done.stdout

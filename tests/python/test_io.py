"""Files: exchanged with SciPy and NumPy, written whole or not at all."""

import os
import pathlib
import warnings

import numpy as np
import pytest
import scipy.sparse as sp

import graft


def test_scipy_reads_what_graft_writes_and_the_other_way_round(tmp_path, shop):
    path = tmp_path / "graph.npz"
    shop.graph.save_npz(path)
    assert (sp.load_npz(path) != shop.graph.to_scipy()).nnz == 0
    for compressed in (True, False):
        sp.save_npz(path, shop.graph.to_scipy(), compressed=compressed)
        assert graft.load_npz(path) == shop.graph


def test_provenance_comes_back(tmp_path, shop):
    path = tmp_path / "graph.npz"
    facts = {"k": "7", "who": "Zoë"}
    graft.save_npz(path, shop.graph.to_scipy(), facts, compressed=False)
    assert graft.load_npz_with_provenance(path) == (shop.graph, facts)
    assert set(sp.load_npz(path).indices) == set(shop.graph.indices)


def test_the_same_graph_gives_the_same_bytes(tmp_path, shop):
    shop.graph.save_npz(tmp_path / "a.npz", {"k": "7"})
    graft.save_npz(tmp_path / "b.npz", shop.graph, {"k": "7"})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(
    ("provenance", "error"), [({"a b": "x"}, graft.InvalidArgument), ({"a": 3}, TypeError), ({1: "x"}, TypeError)]
)
def test_a_refused_file_is_not_written(tmp_path, shop, provenance, error):
    with pytest.raises(error, match="save_npz"):
        shop.graph.save_npz(tmp_path / "graph.npz", provenance)
    assert list(tmp_path.iterdir()) == []


def test_unsorted_files_are_sorted_or_refused(tmp_path):
    path = tmp_path / "graph.npz"
    arrays = {"indptr": [0, 2, 2], "indices": [1, 0], "data": np.float32([1, 2]), "shape": [2, 2], "format": b"csr"}
    np.savez(path, **{name: np.asarray(value) for name, value in arrays.items()})
    assert graft.load_npz(path).data.tolist() == [2.0, 1.0]
    with pytest.raises(graft.FormatError, match="row 0"):
        graft.load_npz(path, unsorted="refuse")


@pytest.mark.parametrize("kind", [str, pathlib.Path, os.fsencode])
def test_paths_of_every_kind_are_taken(tmp_path, kind, shop):
    path = tmp_path / "x.npy"
    graft.write_npy(kind(path), shop.features)
    assert (np.load(path) == shop.features).all()
    assert (graft.read_npy(kind(path)) == shop.features).all()


def test_npy_files_become_float32_matrices(tmp_path):
    values = np.arange(6, dtype=np.float64).reshape(2, 3)
    np.save(tmp_path / "x.npy", np.asfortranarray(values))
    read = graft.read_npy(tmp_path / "x.npy")
    assert read.dtype == np.float32
    assert read.flags.c_contiguous and read.flags.writeable
    assert (read == values).all()
    graft.write_npy(tmp_path / "y.npy", values[:, ::2])
    assert np.load(tmp_path / "y.npy").tolist() == [[0, 2], [3, 5]]


def test_a_path_of_a_wrong_type_is_a_type_error():
    with pytest.raises(TypeError, match="read_npy: path = 3: must be a str, bytes or os.PathLike"):
        graft.read_npy(3)


@pytest.fixture
def inter(tmp_path):
    path = tmp_path / "toy.inter"
    path.write_text("userID\titemID\tx_label\n0\t1\t0\n0\t2\t1\n1\t0\t0\n1\t4\t2\n2\t1\t0\n2\t1\t0\n")
    return path


def test_read_inter_takes_the_training_rows_unless_told_otherwise(inter):
    assert graft.read_inter(inter).shape == (3, 5)
    sizes = {split: graft.read_inter(inter, split=split).size for split in ("train", "valid", "test", "all")}
    assert sizes == {"train": 3, "valid": 1, "test": 1, "all": 5}
    assert graft.read_inter(inter, items=9, users=4).shape == (4, 9)
    assert graft.read_inter(inter).duplicates == 1


def test_the_table_holds_every_row_in_order(inter):
    table = graft.read_inter_table(inter)
    assert table.users.tolist() == [0, 0, 1, 1, 2, 2]
    assert table.items.tolist() == [1, 2, 0, 4, 1, 1]
    assert table.labels.tolist() == [0, 1, 0, 2, 0, 0]
    assert (table.user_count, table.item_count, table.has_labels, table.notices) == (3, 5, True, ())


def test_an_id_that_is_too_large_is_named_with_its_line(inter):
    with pytest.raises(graft.FormatError, match=r"toy\.inter.*line 5.*itemID.*4"):
        graft.read_inter(inter, items=4)
    with pytest.raises(graft.InvalidArgument, match="split = 'dev': must be one of 'train', 'valid', 'test', 'all'"):
        graft.read_inter(inter, split="dev")


def test_a_file_without_labels_is_read_with_a_warning(tmp_path):
    path = tmp_path / "plain.inter"
    path.write_text("itemID\tuserID\n3\t0\n")
    with pytest.warns(graft.Notice, match="x_label"):
        assert graft.read_inter(path).shape == (1, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", graft.Notice)
        assert len(graft.read_inter_table(path).notices) == 1

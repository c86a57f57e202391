"""Writes the seed inputs of the fuzz targets into tests/fuzz/corpus, the same bytes with one version of Python.

    python3 tests/fuzz/make_corpus.py

Findings stand beside them under names of their own, which this script leaves alone.
"""

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
MAGIC = b"\x93NUMPY"


def write(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def npy_header(descr, shape, fortran=False, version=1):
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    prefix = 10 if version == 1 else 12
    text += " " * (-(prefix + len(text) + 1) % 64) + "\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return MAGIC + bytes([version, 0]) + length + text.encode()


def npy(descr, shape, packing, values, fortran=False, version=1):
    return npy_header(descr, shape, fortran, version) + struct.pack(f"{packing[0]}{len(values)}{packing[1]}", *values)


def npy_inputs():
    values = [0.5, -1.25, 3.0, 0.0, 65504.0, -2.0]
    write("npy", "float32", npy("<f4", (2, 3), "<f", values))
    write("npy", "float64_fortran", npy("<f8", (2, 3), "<d", values, fortran=True))
    write("npy", "float16_big_endian", npy(">f2", (3, 2), ">e", values))
    write("npy", "float32_fortran_v2", npy("<f4", (3, 2), "<f", values, fortran=True, version=2))
    write("npy", "one_dimension_v3", npy("<f4", (6,), "<f", values, version=3))
    write("npy", "not_finite", npy("<f8", (4,), "<d", [float("nan"), float("inf"), -float("inf"), 1e300]))
    write("npy", "no_row", npy("<f4", (0, 5), "<f", []))
    write("npy", "no_column_many_rows", npy("<f4", (2147483647, 0), "<f", []))
    write("npy", "too_many_rows", npy("<f4", (2147483648, 0), "<f", []))
    write("npy", "shape_overflows", npy("<f4", (1 << 62, 1 << 62), "<f", []))
    write("npy", "shape_claims_more", npy("<f4", (1 << 30, 1 << 10), "<f", values))
    write("npy", "scalar", npy("<f4", (), "<f", [1.0]))
    write("npy", "three_dimensions", npy("<f4", (1, 2, 3), "<f", values))
    write("npy", "integers", npy("<i4", (2,), "<i", [1, 2]))
    write("npy", "objects", npy("|O", (1,), "<b", [0]))
    write("npy", "unknown_type", npy("<c8", (1,), "<d", [0.0]))
    write(
        "npy",
        "structured",
        MAGIC
        + b"\x01\x00"
        + struct.pack("<H", 64)
        + b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"
        + b"\x00\x00\x80\x3f",
    )
    write("npy", "described", b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1)}\n" + bytes(8))
    write("npy", "described_spaces", b" { \"shape\" : ( 2L , ) ,'fortran_order':True,'descr':'>f8' }\n" + bytes(16))
    write("npy", "key_twice", b"{'descr': '<f4', 'descr': '<f4', 'shape': (1,), 'fortran_order': False}\n" + bytes(4))
    write("npy", "string_without_end", b"{'descr': '<f4\n")
    write("npy", "huge_header_length", MAGIC + b"\x02\x00\xff\xff\xff\xff{")
    write("npy", "cut_in_header", npy("<f4", (2, 3), "<f", values)[:40])
    write("npy", "magic_only", MAGIC)


NAMES = [
    "indices.npy",
    "indptr.npy",
    "format.npy",
    "shape.npy",
    "data.npy",
    "graft_option.npy",
    "graft_.npy",
    "graft_b.npy",
    "other.npy",
]


def dict_text(descr, shape):
    return b"{'descr': '%s', 'fortran_order': False, 'shape': %s}\n" % (descr.encode(), str(shape).encode())


def array(descr, packing, values):
    return dict_text(descr, (len(values),)) + struct.pack(f"<{len(values)}{packing}", *values)


def matrix(
    items=3,
    offsets=(0, 2, 2, 3),
    columns=(1, 2, 0),
    weights=(0.5, 1.0, -2.0),
    index=("<i4", "i"),
    data=("<f4", "f"),
    kind=b"csr",
):
    """Members of a CSR matrix, as scipy.sparse.save_npz names them."""
    return {
        "indices.npy": array(*index, columns),
        "indptr.npy": array(*index, offsets),
        "format.npy": dict_text("|S3", ()) + kind,
        "shape.npy": array("<i8", "q", (items, items)),
        "data.npy": array(*data, weights),
    }


def described(members, flags=0):
    """The form that fuzz_npz builds an archive from."""
    content = b""
    for name, member in members.items():
        content += struct.pack("<BBH", NAMES.index(name), flags, len(member)) + member
    return content


def complete(member):
    """The .npy file that a described member stands for."""
    text, elements = member.split(b"\n", 1)
    return MAGIC + b"\x02\x00" + struct.pack("<I", len(text) + 1) + text + b"\n" + elements


def archive(members, method=zipfile.ZIP_STORED, comment=b""):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        file.comment = comment
        for name, member in members.items():
            file.writestr(zipfile.ZipInfo(name), complete(member), compress_type=method)
    return buffer.getvalue()


def text(value):
    return dict_text(f"<U{len(value)}", ()) + value.encode("utf-32-le")


def npz_inputs():
    write("npz", "zip_stored", archive(matrix()))
    write("npz", "zip_deflated", archive(matrix(), zipfile.ZIP_DEFLATED))
    write("npz", "zip_comment", archive(matrix(), comment=b"PK\x05\x06" + bytes(30)))
    write("npz", "zip_empty", archive({}))
    write("npz", "zip_cut", archive(matrix())[:-9])
    damaged = bytearray(archive(matrix()))
    damaged[damaged.index(b"csr")] ^= 1
    write("npz", "zip_bad_checksum", bytes(damaged))
    twice = archive(matrix()).replace(b"indptr.npy", b"indice.npy")
    write("npz", "zip_member_missing", twice)
    write("npz", "zip_bomb", archive({"data.npy": array("|u1", "B", [0] * 20000)}, zipfile.ZIP_DEFLATED))
    write("npz", "csr", described(matrix()))
    write("npz", "csr_deflated", described(matrix(), flags=1))
    write("npz", "csr_int64", described(matrix(index=("<i8", "q"), data=("<f8", "d"))))
    write(
        "npz",
        "csr_big_endian",
        described(matrix(index=(">i4", "i"), data=(">f4", "f"), items=0, offsets=[0], columns=[], weights=[])),
    )
    write("npz", "csr_bool", described(matrix(data=("|b1", "?"), weights=[True, False, True])))
    write("npz", "csr_uint8", described(matrix(data=("|u1", "B"), weights=[1, 2, 255])))
    write("npz", "csr_half", described(matrix(data=("<f2", "e"))))
    write("npz", "unsorted", described(matrix(columns=(2, 1, 0))))
    write("npz", "repeated", described(matrix(columns=(1, 1, 0))))
    write("npz", "sum_overflows", described(matrix(columns=(1, 1, 0), weights=(3e38, 3e38, 1))))
    write("npz", "no_node", described(matrix(items=0, offsets=[0], columns=[], weights=[])))
    write("npz", "no_edge", described(matrix(items=3, offsets=[0] * 4, columns=[], weights=[])))
    write("npz", "offsets_fall", described(matrix(offsets=(0, 2, 1, 3))))
    write("npz", "column_out_of_range", described(matrix(columns=(1, 3, 0))))
    write("npz", "weight_infinite", described(matrix(data=("<f8", "d"), weights=(1e39, 0, 0))))
    write("npz", "items_negative", described(matrix(items=-1)))
    write("npz", "items_too_many", described(matrix(items=2**31)))
    write("npz", "csc", described(matrix(kind=b"csc")))
    write("npz", "provenance", described({**matrix(), "graft_option.npy": text("k = 10, \u00e9\U0001f600")}))
    write("npz", "provenance_bytes", described({**matrix(), "graft_b.npy": dict_text("|S4", ()) + b"ab\0\0"}))
    write("npz", "provenance_empty", described({**matrix(), "graft_b.npy": text("\0")}))
    write("npz", "provenance_number", described({**matrix(), "graft_b.npy": array("<i4", "i", [7])}))
    write("npz", "provenance_surrogate", described({**matrix(), "graft_b.npy": dict_text("<U1", ()) + b"\0\xd8\0\0"}))
    write("npz", "provenance_inner_zero", described({**matrix(), "graft_b.npy": text("a\0b")}))
    write("npz", "provenance_not_utf8", described({**matrix(), "graft_b.npy": dict_text("|S2", ()) + b"\xffa"}))


def inter_inputs():
    write("inter", "plain", b"userID\titemID\tx_label\n0\t1\t0\n1\t0\t1\n2\t3\t2\n")
    write("inter", "no_label", b"userID\titemID\n0\t1\n0\t1\n")
    write("inter", "other_columns", b"rating\titemID\ttimestamp\tuserID\n5\t2\t9\t1\n\t0\t\t0\n")
    write("inter", "crlf_mark_blank", b"\xef\xbb\xbfuserID\titemID\r\n0\t1\r\n1\t1\r\n\r\n\n")
    write("inter", "no_line_end", b"userID\titemID\tx_label\n0007\t1\t2")
    write("inter", "header_only", b"userID\titemID\tx_label\n")
    write("inter", "empty", b"")
    write("inter", "one_line_end", b"\n")
    write("inter", "column_missing", b"userID\titem\n0\t1\n")
    write("inter", "column_twice", b"userID\titemID\tuserID\n0\t1\t0\n")
    write("inter", "commas", b"userID,itemID\n0,1\n")
    write("inter", "blank_inside", b"userID\titemID\n0\t1\n\n1\t1\n")
    write("inter", "fields_missing", b"userID\titemID\tx_label\n0\t1\n")
    write("inter", "fields_too_many", b"userID\titemID\n0\t1\t2\n")
    write("inter", "id_signed", b"userID\titemID\n-1\t1\n")
    write("inter", "id_fraction", b"userID\titemID\n1.0\t1\n")
    write("inter", "id_empty", b"userID\titemID\n\t1\n")
    write("inter", "id_largest", b"userID\titemID\n1048576\t1\n")
    write("inter", "id_gigantic", b"userID\titemID\n1048577\t1\n")
    write("inter", "id_overflows", b"userID\titemID\n18446744073709551616\t1\n")
    write("inter", "label_three", b"userID\titemID\tx_label\n0\t1\t3\n")
    write("inter", "zero_byte", b"userID\titemID\n0\t\x001\n")


RAW_ITEMS, RAW_OFFSETS, RAW_COLUMNS, RAW_WEIGHTS, OTHER_LENGTH = 1, 2, 4, 8, 16


def graph_inputs():
    def arrays(choices, rows, *parts):
        return struct.pack("BB", choices, rows) + b"".join(parts)

    sizes = bytes([2, 0, 1])
    write("graph", "small", arrays(0, 3, sizes, bytes([1, 2, 0]), bytes([4, 8, 240]), bytes([4, 1])))
    write("graph", "unsorted_repeated", arrays(0, 3, bytes([4, 3, 0]), bytes([2, 1, 2, 1, 0, 0, 0]), bytes(range(7))))
    write(
        "graph",
        "self_loops_ties",
        arrays(0, 4, bytes([4] * 4), bytes(list(range(4)) * 4), bytes([8] * 16), b"\x08\x01"),
    )
    write("graph", "no_node", arrays(0, 0))
    write("graph", "many_rows", arrays(0, 31, bytes([7] * 31), bytes(range(217)), bytes(range(217)), b"\x00\x05"))
    write(
        "graph",
        "raw_weights",
        arrays(RAW_WEIGHTS, 3, sizes, bytes([1, 2, 0]), struct.pack("<3f", 3e38, 3.2e38, -0.0), b"\x00\x02"),
    )
    write(
        "graph", "denormals", arrays(RAW_WEIGHTS, 3, sizes, bytes([1, 2, 0]), struct.pack("<3f", 1e-45, -1e-45, 1e-40))
    )
    write(
        "graph", "weight_nan", arrays(RAW_WEIGHTS, 3, sizes, bytes([1, 2, 0]), struct.pack("<3f", 1, float("nan"), 1))
    )
    write("graph", "sum_infinite", arrays(RAW_WEIGHTS, 3, sizes, bytes([1, 1, 0]), struct.pack("<3f", 3e38, 3e38, 1)))
    write(
        "graph",
        "order_of_sums",
        arrays(RAW_WEIGHTS, 3, bytes([3, 0, 0]), bytes([1, 1, 1]), struct.pack("<3f", 1e8, -1e8, 1)),
    )
    write("graph", "row_sum_zero", arrays(0, 3, sizes, bytes([1, 2, 0]), bytes([8, 248, 0])))
    write("graph", "columns_raw", arrays(RAW_COLUMNS, 3, sizes, struct.pack("<3i", 1, -1, 3), bytes(3)))
    write("graph", "offsets_raw", arrays(RAW_OFFSETS, 2, struct.pack("<3q", 0, 1, 2), bytes([2, 1, 0]), bytes(2)))
    write("graph", "offsets_fall", arrays(RAW_OFFSETS, 2, struct.pack("<3q", 0, 3, 2), bytes([2, 1, 0]), bytes(2)))
    write(
        "graph", "offsets_extreme", arrays(RAW_OFFSETS, 2, struct.pack("<3q", 0, 2**63 - 1, -(2**63)), bytes([1, 0, 0]))
    )
    write("graph", "items_raw", arrays(RAW_ITEMS, 2, struct.pack("<q", 2**63 - 1), bytes([1, 1]), bytes(4)))
    write("graph", "items_negative", arrays(RAW_ITEMS, 0, struct.pack("<q", -1)))
    write("graph", "weights_too_many", arrays(OTHER_LENGTH, 3, sizes, bytes([1, 2, 0]), b"\x02" + bytes(4)))


def text_inputs():
    csv, tsv, jsonl = 1, 2, 3
    header, no_header = 4, 8
    trim, min_rating = 16, 32
    rows = b"userID,itemID,rating,timestamp\nann,x1,5,10\nbob,x2,3.5,11\nann,x2,,12\n"

    def lines(*objects):
        return "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects).encode()

    def case(name, options, content):
        write("interactions_text", name, bytes([options]) + content)

    case("csv", 0, rows)
    case("csv_min_rating", csv | header | min_rating, rows)
    case("csv_crlf_mark", csv, b"\xef\xbb\xbf" + rows.replace(b"\n", b"\r\n"))
    case("csv_quoted", csv | header, b'user,item\n"a,b","c""d"\n"line\nend",x\n')
    case("csv_open_quote", csv, b'user,item\n"a,b\n')
    case("csv_no_header", csv | no_header, b"a,b,5,1\na,c,4,2\nb,b,1,3\nb,c,2,4\n")
    case("csv_blanks", csv, b"user,item\n a ,b\na,b\n")
    case("csv_blanks_trimmed", csv | trim, b"user,item\n a ,b\na,b\n")
    case("csv_fields_missing", csv, b"user,item,time\na,b\n")
    case("csv_two_users", csv, b"user,uid,item\na,b,c\n")
    case("csv_time_fraction", csv, b"user,item,time\na,b,1370000000.0\na,c,1.5\n")
    case("csv_time_overflows", csv, b"user,item,time\na,b,9223372036854775808\n")
    case("csv_rating_infinite", csv, b"user,item,rating\na,b,1e999\n")
    case("csv_zero_byte", csv, b"user,item\na\0,b\n")
    case("csv_not_utf8", csv, b"user,item\n\xff,b\n")
    case("csv_gzip", 0, gzip.compress(rows, mtime=0))
    case("csv_gzip_cut", 0, gzip.compress(rows, mtime=0)[:-12])
    case("tsv", 0, rows.replace(b",", b"\t"))
    case("tsv_quotes", tsv, b'user\titem\n"a\tb"\n')
    case(
        "jsonl",
        0,
        lines(
            {"user_id": "a", "parent_asin": "x", "rating": 5.0, "timestamp": 1370000000123},
            {"user_id": "b", "parent_asin": "y", "rating": None, "timestamp": 1},
        ),
    )
    case("jsonl_numbers", jsonl, lines({"user": 1, "item": 2, "time": 3}, {"user": "1", "item": 2, "time": 4.0}))
    case("jsonl_unicode", jsonl, lines({"user": "\u00e9\U0001f600", "item": '\\ " / \u2028'}))
    case("jsonl_escapes", jsonl, b'{"user": "\\u00e9\\ud83d\\ude00", "item": "\\u0000"}\n')
    case("jsonl_surrogate", jsonl, b'{"user": "\\ud83d", "item": "a"}\n')
    case("jsonl_key_missing", jsonl, lines({"user": "a", "item": "b"}, {"user": "a"}))
    case("jsonl_nested", jsonl, lines({"user": ["a"], "item": {"b": [[[[]]]]}}))
    case("jsonl_deep", jsonl, b'{"user": "a", "item": "b", "x": ' + b"[" * 1500 + b"\n")
    case("jsonl_key_twice", jsonl, b'{"user": "a", "item": "b", "user": "c"}\n')
    case("empty", 0, b"")
    case("header_only", 0, b"user,item\n")


def capi_inputs():
    def case(name, target, *parts):
        write("capi", name, bytes([target]) + b"".join(parts))

    tame = bytes([0, 3, 2, 0, 1]) + bytes([0, 1, 8, 2, 0, 4, 1, 2, 16])
    case("graphs", 0, tame, b"\x01")
    case("graphs_unsorted_raw", 0, tame, b"\x07")
    case("graphs_raw_ids", 0, bytes([2, 2, 1, 1]), struct.pack("<iibiib", 0, 5, 8, -1, 1, 8), b"\x01")
    case("graphs_raw_offsets", 0, bytes([1, 2]), struct.pack("<ii", -7, 3), b"\x02" + bytes(6), b"\x01")
    case("graphs_nan", 0, bytes([4, 1, 1]), bytes([0, 0]), struct.pack("<f", float("nan")), b"\x01")
    case("interactions", 1, tame)
    case("interactions_raw_sizes", 1, bytes([8, 2, 1, 1]), bytes([0, 1, 8, 1, 0, 8]), struct.pack("<hh", -1, 9))
    case("knn", 2, tame, struct.pack("<qbbbfqqbq", 2, 0, 0, 1, -1.0, 0, 2**40, 0, 2**40))
    case("knn_raw", 2, tame, struct.pack("<qbbbfqqbq", -2, 9, -1, 3, float("nan"), -5, 2, 7, 1))
    tensors = (("good", 1, 2, 32), ("device", 2, 2, 32), ("cube", 1, 3, 32), ("double", 1, 2, 64))
    for name, device, dims, bits in tensors:
        tensor = struct.pack("<qqqqBbbBBBBB", 3, 4, 6, 1, 1, device, dims, 2, bits, 1, 1, 1)
        case(f"dlpack_{name}", 3, tensor)


if __name__ == "__main__":
    npy_inputs()
    npz_inputs()
    inter_inputs()
    graph_inputs()
    text_inputs()
    capi_inputs()

// Bodies of io/npz.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/detail/atomic_file.hpp>
#include <graft/detail/bytes.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/npy_format.hpp>
#include <graft/detail/unicode.hpp>
#include <graft/detail/zip_reader.hpp>
#include <graft/detail/zip_writer.hpp>
#include <graft/io/npz.hpp>

namespace graft {
namespace detail {

inline constexpr std::string_view kProvenancePrefix = "graft_";
inline constexpr std::string_view kNpySuffix = ".npy";
inline constexpr std::size_t kMostProvenanceKey = 255;

/// A provenance value as NumPy stores unicode, in code points; nothing if save_npz cannot store it.
inline std::optional<std::u32string> provenance_points(std::string_view value) {
  std::optional<std::u32string> points = decode_utf8(value);
  if (points && points->find(U'\0') != std::u32string::npos) return std::nullopt;
  return points;
}

inline bool is_provenance_key(std::string_view key) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  return !key.empty() && key.size() <= kMostProvenanceKey && key.find_first_not_of(kAllowed) == std::string_view::npos;
}

/// One array of an .npz file, opened up to its first element.
struct NpzArray {
  NpzArray(const ZipReader& zip, const ZipMember& member) : source(zip, member), header(read_npy_header(source)) {}

  void require_dimensions(std::size_t dimensions) const {
    if (header.shape.size() == dimensions) return;
    source.fail("shape", shape_text(header.shape), "must have " + std::to_string(dimensions) + " dimension(s)");
  }

  ZipMemberSource source;
  NpyHeader header;
};

inline NpzArray open_array(const ZipReader& zip, const std::string& name) {
  const ZipMember* const member = zip.find(name);
  if (member == nullptr) {
    zip.file().fail("member " + name, "missing", "must be a CSR matrix written by scipy.sparse.save_npz");
  }
  return NpzArray(zip, *member);
}

/// The text of a bytes or unicode scalar, as UTF-8; trailing zeros are padding.
inline std::string read_text_scalar(NpzArray& array) {
  const NpyType& type = array.header.type;
  if ((type.kind != 'S' && type.kind != 'U') || array.header.count != 1) {
    array.source.fail("content", "shape " + shape_text(array.header.shape) + " of dtype '" + type.text + "'",
                      "must be one string");
  }
  std::string packed(as_size(array.source.remaining()), '\0');
  array.source.read(std::as_writable_bytes(std::span(packed)));
  array.source.finish();
  if (type.kind == 'S') {
    packed.resize(packed.find_last_not_of('\0') + 1);
    return packed;
  }
  std::string text;
  const auto bytes = std::as_bytes(std::span(packed));
  for (std::size_t at = 0; at < bytes.size(); at += 4) {
    const auto point = element<std::uint32_t, std::uint32_t>(bytes.data() + at, type.swapped);
    if (!is_code_point(point)) array.source.fail("code point", std::to_string(point), "is not Unicode");
    append_utf8(text, point);
  }
  text.resize(text.find_last_not_of('\0') + 1);
  return text;
}

inline void require_csr(const ZipReader& zip) {
  NpzArray array = open_array(zip, "format.npy");
  const std::string format = read_text_scalar(array);
  if (format != "csr") {
    array.source.fail("format", quote(format), "must be csr: call .tocsr() before scipy.sparse.save_npz");
  }
}

/// Every element of an index array, each checked by check(position, value), as To.
template <class To, class Check>
std::vector<To> read_indices(NpzArray& array, const Check& check) {
  const NpyConvert<std::int64_t> convert = index_conversion(array.header.type);
  if (convert == nullptr) {
    array.source.fail("dtype", "'" + array.header.type.text + "'", "must be int32 or int64");
  }
  std::vector<To> result = make_vector<To>("load_npz", array.header.count);
  read_npy_elements(array.source, array.header, convert, [&](std::int64_t first, std::span<const std::int64_t> values) {
    for (std::size_t e = 0; e < values.size(); ++e) {
      check(first + static_cast<std::int64_t>(e), values[e]);
      result[as_size(first) + e] = static_cast<To>(values[e]);
    }
  });
  array.source.finish();
  return result;
}

/// The number of rows of a square matrix.
inline std::int64_t read_items(const ZipReader& zip) {
  NpzArray array = open_array(zip, "shape.npy");
  if (array.header.count != 2) {
    array.source.fail("shape", shape_text(array.header.shape), "must hold two numbers, the rows and the columns");
  }
  const auto shape = read_indices<std::int64_t>(array, [](std::int64_t, std::int64_t) {});
  if (shape[0] != shape[1]) {
    array.source.fail("shape", shape_text(shape), "must be square: an item-item graph");
  }
  if (shape[0] < 0 || shape[0] > kMaxNodes) {
    array.source.fail("shape", shape_text(shape), "must lie in [0, 2147483647]");
  }
  return shape[0];
}

inline std::vector<std::int64_t> read_indptr(const ZipReader& zip, std::int64_t items) {
  NpzArray array = open_array(zip, "indptr.npy");
  array.require_dimensions(1);
  if (array.header.count != items + 1) {
    array.source.fail("length", std::to_string(array.header.count), "must be rows + 1 = " + std::to_string(items + 1));
  }
  std::int64_t before = 0;
  return read_indices<std::int64_t>(array, [&](std::int64_t position, std::int64_t value) {
    if (value >= before && (position > 0 || value == 0)) {
      before = value;
      return;
    }
    array.source.fail(
        "indptr[" + std::to_string(position) + "]", std::to_string(value),
        position == 0 ? "must be 0" : "must not fall below the offset before it, " + std::to_string(before));
  });
}

inline std::vector<std::int32_t> read_columns(const ZipReader& zip, std::int64_t items, std::int64_t edges) {
  NpzArray array = open_array(zip, "indices.npy");
  array.require_dimensions(1);
  if (array.header.count != edges) {
    array.source.fail("length", std::to_string(array.header.count),
                      "must be the last number of indptr, " + std::to_string(edges));
  }
  return read_indices<std::int32_t>(array, [&](std::int64_t position, std::int64_t value) {
    if (value >= 0 && value < items) return;
    array.source.fail("indices[" + std::to_string(position) + "]", std::to_string(value),
                      "must lie in [0, " + std::to_string(items) + ")");
  });
}

inline std::vector<float> read_weights(const ZipReader& zip, std::int64_t edges) {
  NpzArray array = open_array(zip, "data.npy");
  array.require_dimensions(1);
  if (array.header.count != edges) {
    array.source.fail("length", std::to_string(array.header.count),
                      "must be the last number of indptr, " + std::to_string(edges));
  }
  const NpyConvert<float> convert = number_conversion(array.header.type);
  if (convert == nullptr) {
    array.source.fail("dtype", "'" + array.header.type.text + "'",
                      "must be float16, float32, float64, an integer type or bool");
  }
  std::vector<float> weights = make_vector<float>("load_npz", edges);
  read_npy_elements(array.source, array.header, convert, [&](std::int64_t first, std::span<const float> values) {
    for (std::size_t e = 0; e < values.size(); ++e) {
      if (!std::isfinite(values[e])) {
        array.source.fail("data[" + std::to_string(first + static_cast<std::int64_t>(e)) + "]",
                          std::to_string(values[e]), "must be finite in float32");
      }
      weights[as_size(first) + e] = values[e];
    }
  });
  array.source.finish();
  return weights;
}

inline Graph read_graph(const ZipReader& zip, Unsorted unsorted) {
  require_csr(zip);
  const std::int64_t items = read_items(zip);
  std::vector<std::int64_t> offsets = read_indptr(zip, items);
  const std::int64_t edges = offsets.back();
  std::vector<std::int32_t> columns = read_columns(zip, items, edges);
  std::vector<float> weights = read_weights(zip, edges);
  try {
    return Graph(items, std::move(offsets), std::move(columns), std::move(weights), unsorted);
  } catch (const InvalidArgument& error) {  // of a file it is the content that is wrong
    throw FormatError(std::string(zip.file().operation()) + ": " + zip.file().path().string() + ": " + error.what());
  }
}

inline Provenance read_provenance(const ZipReader& zip) {
  Provenance provenance;
  for (const auto& [name, member] : zip.members()) {
    if (!name.starts_with(kProvenancePrefix) || !name.ends_with(kNpySuffix)) continue;
    if (name.size() < kProvenancePrefix.size() + kNpySuffix.size()) continue;
    const std::string key =
        name.substr(kProvenancePrefix.size(), name.size() - kProvenancePrefix.size() - kNpySuffix.size());
    if (!is_provenance_key(key)) continue;  // none of ours
    NpzArray array(zip, member);
    std::string value = read_text_scalar(array);
    if (!provenance_points(value)) array.source.fail("text", quote(value), "must be UTF-8 without NUL");
    provenance[key] = std::move(value);
  }
  return provenance;
}

/// Provenance that save_npz can store.
inline std::map<std::string, std::u32string> encode_provenance(const Provenance& provenance) {
  std::map<std::string, std::u32string> encoded;
  for (const auto& [key, value] : provenance) {
    if (!is_provenance_key(key)) {
      throw InvalidArgument(message("save_npz", "provenance key", quote(key), "must be 1 to 255 of [A-Za-z0-9_.-]"));
    }
    std::optional<std::u32string> points = provenance_points(value);
    if (!points) {
      throw InvalidArgument(message("save_npz", "provenance " + key, quote(value), "must be UTF-8 without NUL"));
    }
    if (points->empty()) points->push_back(U'\0');  // padding; NumPy has no string type of no characters
    encoded.emplace(key, *std::move(points));
  }
  return encoded;
}

/// Writes .npy members, piece by piece.
class NpzWriter {
 public:
  NpzWriter(AtomicFile& file, bool compressed) : zip_("save_npz", file), compressed_(compressed) {}

  /// A 1-D array of To from numbers of another or the same type.
  template <class To, class From>
  void array(const std::string& name, std::string_view descr, std::span<const From> values) {
    const auto count = static_cast<std::int64_t>(values.size());
    begin(name, descr, std::array{count}, count * static_cast<std::int64_t>(sizeof(To)));
    if constexpr (std::is_same_v<To, From>) {
      zip_.write(std::as_bytes(values));
    } else {
      std::vector<To> piece;
      for (std::int64_t first = 0; first < count; first += kNpyPiece) {
        const auto from = values.subspan(as_size(first), as_size(std::min(kNpyPiece, count - first)));
        piece.clear();
        for (const From value : from) piece.push_back(static_cast<To>(value));
        zip_.write(std::as_bytes(std::span(piece)));
      }
    }
    zip_.end_member();
  }

  void scalar(const std::string& name, const std::string& descr, std::span<const std::byte> bytes) {
    begin(name, descr, {}, static_cast<std::int64_t>(bytes.size()));
    zip_.write(bytes);
    zip_.end_member();
  }

  void finish() { zip_.finish(); }

 private:
  void begin(const std::string& name, std::string_view descr, std::span<const std::int64_t> shape, std::int64_t bytes) {
    const Bytes header = npy_header(descr, shape);
    zip_.begin_member(name + std::string(kNpySuffix), static_cast<std::int64_t>(header.size()) + bytes, compressed_);
    zip_.write(header);
  }

  ZipWriter zip_;
  bool compressed_;
};

}  // namespace detail

GRAFT_INLINE void save_npz(const std::filesystem::path& path, GraphInput graph, const Provenance& provenance,
                           bool compressed) {
  validate(graph);
  const auto encoded = detail::encode_provenance(provenance);
  constexpr std::array<std::int64_t, 1> kNoRows = {0};
  const std::span<const std::int64_t> offsets = graph.row_offsets.empty() ? kNoRows : graph.row_offsets;
  const std::array shape = {graph.items, graph.items};

  detail::AtomicFile file("save_npz", path);
  detail::NpzWriter npz(file, compressed);
  // SciPy wants one type for both index arrays.
  if (graph.edges() <= std::int64_t{std::numeric_limits<std::int32_t>::max()}) {
    npz.array<std::int32_t>("indices", "<i4", graph.columns);
    npz.array<std::int32_t>("indptr", "<i4", offsets);
  } else {
    npz.array<std::int64_t>("indices", "<i8", graph.columns);
    npz.array<std::int64_t>("indptr", "<i8", offsets);
  }
  npz.scalar("format", "|S3", std::as_bytes(std::span("csr", 3)));
  npz.array<std::int64_t>("shape", "<i8", std::span<const std::int64_t>(shape));
  npz.array<float>("data", "<f4", graph.weights);
  for (const auto& [key, points] : encoded) {
    npz.scalar(std::string(detail::kProvenancePrefix) + key, "<U" + std::to_string(points.size()),
               std::as_bytes(std::span(points)));
  }
  npz.finish();
  file.commit();
}

GRAFT_INLINE Graph load_npz(const std::filesystem::path& path, Unsorted unsorted) {
  const detail::FileReader file("load_npz", path);
  return detail::read_graph(detail::ZipReader(file), unsorted);
}

GRAFT_INLINE StoredGraph load_npz_with_provenance(const std::filesystem::path& path, Unsorted unsorted) {
  const detail::FileReader file("load_npz", path);
  const detail::ZipReader zip(file);
  StoredGraph stored;
  stored.graph = detail::read_graph(zip, unsorted);
  stored.provenance = detail::read_provenance(zip);
  return stored;
}

}  // namespace graft

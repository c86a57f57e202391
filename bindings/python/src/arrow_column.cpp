#include "arrow_column.hpp"

#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>

#include <pybind11/pybind11.h>

#include <graft/core/error.hpp>

namespace graft::python {
namespace {

enum class TextLayout { utf8, large_utf8, utf8_view };

std::string_view format_of(const ArrowSchema& schema) { return schema.format; }

bool is_integer(std::string_view format) {
  return format.size() == 1 && std::string_view("cCsSiIlL").find(format[0]) != std::string_view::npos;
}

bool is_text(std::string_view format) { return format == "u" || format == "U" || format == "vu"; }

const void* buffer(const ArrowArray& array, std::int64_t place) { return array.buffers[place]; }

bool is_null(const ArrowArray& array, std::int64_t row) {
  if (array.null_count == 0 || array.n_buffers == 0 || buffer(array, 0) == nullptr) return false;
  const std::int64_t bit = array.offset + row;
  constexpr std::int64_t kBits = 8;
  const auto byte = static_cast<const unsigned char*>(buffer(array, 0))[bit / kBits];
  return ((byte >> (bit % kBits)) & 1U) == 0;
}

[[noreturn]] void refuse_null(const std::string& argument, std::size_t row) {
  throw InvalidArgument(detail::message("Interactions.from_ids", argument + "[" + std::to_string(row) + "]", "null",
                                        "must be an id; drop rows without one"));
}

/// Calls `use` with the integers of an array, as a pointer to its first element.
template <class Use>
void with_integers(std::string_view format, const ArrowArray& array, const Use& use) {
  const auto typed = [&](auto example) { use(static_cast<const decltype(example)*>(buffer(array, 1)) + array.offset); };
  switch (format[0]) {
    case 'c':
      return typed(std::int8_t{});
    case 'C':
      return typed(std::uint8_t{});
    case 's':
      return typed(std::int16_t{});
    case 'S':
      return typed(std::uint16_t{});
    case 'i':
      return typed(std::int32_t{});
    case 'I':
      return typed(std::uint32_t{});
    case 'l':
      return typed(std::int64_t{});
    default:
      return typed(std::uint64_t{});
  }
}

/// Element `row` of texts with offsets.
template <class Offset>
std::string_view offset_text(const ArrowArray& array, std::int64_t row) {
  const auto* const offsets = static_cast<const Offset*>(buffer(array, 1)) + array.offset + row;
  const auto length = static_cast<std::size_t>(offsets[1] - offsets[0]);
  return {static_cast<const char*>(buffer(array, 2)) + offsets[0], length};
}

/// Element `row` of a utf8_view array: 16 bytes each, short texts in place, longer ones in a further buffer.
std::string_view view_text(const ArrowArray& array, std::int64_t row) {
  constexpr std::int64_t kViewBytes = 16;
  constexpr std::size_t kInPlace = 12;
  const char* const view = static_cast<const char*>(buffer(array, 1)) + (array.offset + row) * kViewBytes;
  std::int32_t words[4];  // length, prefix, buffer, offset
  std::memcpy(words, view, sizeof words);
  const auto length = static_cast<std::size_t>(words[0]);
  if (length <= kInPlace) return {view + sizeof words[0], length};
  return {static_cast<const char*>(buffer(array, 2 + words[2])) + words[3], length};
}

std::string_view text_at(TextLayout layout, const ArrowArray& array, std::int64_t row) {
  switch (layout) {
    case TextLayout::utf8:
      return offset_text<std::int32_t>(array, row);
    case TextLayout::large_utf8:
      return offset_text<std::int64_t>(array, row);
    case TextLayout::utf8_view:
      return view_text(array, row);
  }
  return {};
}

TextLayout layout_of(std::string_view format) {
  if (format == "vu") return TextLayout::utf8_view;
  return format == "u" ? TextLayout::utf8 : TextLayout::large_utf8;
}

template <class Integer>
std::int64_t checked_id(const std::string& argument, std::size_t row, Integer id) {
  if constexpr (std::is_same_v<Integer, std::uint64_t>) {
    if (id > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      throw InvalidArgument(detail::message("Interactions.from_ids", argument + "[" + std::to_string(row) + "]",
                                            std::to_string(id), "must be at most 2^63 - 1"));
    }
  }
  return static_cast<std::int64_t>(id);
}

/// Appends element `row` of an array that is no dictionary.
void append_element(const std::string& argument, std::string_view format, const ArrowArray& array, std::int64_t row,
                    Numbering& numbering) {
  const std::size_t place = numbering.rows().size();
  if (is_null(array, row)) refuse_null(argument, place);
  if (is_text(format)) return numbering.append(text_at(layout_of(format), array, row));
  with_integers(format, array, [&](const auto* values) { numbering.append(checked_id(argument, place, values[row])); });
}

/// Appends indices into a dictionary; each entry of the dictionary is looked up once.
void append_dictionary(const std::string& argument, const ArrowSchema& schema, const ArrowArray& array,
                       Numbering& numbering) {
  constexpr std::int32_t kUnknown = -1;
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(array.dictionary->length), kUnknown);
  const std::string_view format = format_of(*schema.dictionary);
  with_integers(format_of(schema), array, [&](const auto* indices) {
    for (std::int64_t row = 0; row < array.length; ++row) {
      if (is_null(array, row)) refuse_null(argument, numbering.rows().size());
      // NOLINTNEXTLINE(bugprone-signed-char-misuse): the sign is meant
      const auto index = static_cast<std::int64_t>(indices[row]);
      if (index < 0 || index >= array.dictionary->length) {
        throw InvalidArgument(detail::message("Interactions.from_ids", argument,
                                              "dictionary index " + std::to_string(index),
                                              "must be below the dictionary's length"));
      }
      const auto entry = static_cast<std::size_t>(index);
      std::int32_t& number = numbers[entry];
      if (number == kUnknown) {
        append_element(argument, format, *array.dictionary, index, numbering);
        number = numbering.last();
      } else {
        numbering.append_number(number);
      }
    }
  });
}

}  // namespace

void Numbering::append(std::int64_t id) {
  const auto next = static_cast<std::int32_t>(ids_.size());
  const auto [place, added] = numbers_.try_emplace(id, next);
  if (added) {
    if (next == std::numeric_limits<std::int32_t>::max()) {
      throw InvalidArgument("Interactions.from_ids: ids: must be at most 2147483647 different ones");
    }
    ids_.push_back(id);
  }
  rows_.push_back(place->second);
}

bool holds_texts(const std::string& argument, const ArrowSchema& schema) {
  const ArrowSchema& values = schema.dictionary != nullptr ? *schema.dictionary : schema;
  const bool known = is_text(format_of(values)) || is_integer(format_of(values));
  if (!known || (schema.dictionary != nullptr && !is_integer(format_of(schema)))) {
    throw pybind11::type_error(detail::message("Interactions.from_ids", argument,
                                               "Arrow type '" + std::string(format_of(values)) + "'",
                                               "must be a column of integers or strings"));
  }
  return is_text(format_of(values));
}

void append_array(const std::string& argument, const ArrowSchema& schema, const ArrowArray& array,
                  Numbering& numbering) {
  numbering.rows().reserve(numbering.rows().size() + static_cast<std::size_t>(array.length));
  if (schema.dictionary != nullptr) return append_dictionary(argument, schema, array, numbering);
  const std::string_view format = format_of(schema);
  for (std::int64_t row = 0; row < array.length; ++row) append_element(argument, format, array, row, numbering);
}

}  // namespace graft::python

// Small helpers of the tests: expected exceptions, dense copies, the least memory budget.
#pragma once

#include <cctype>
#include <cmath>
#include <cstdint>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/error.hpp>
#include <graft/core/graph.hpp>

namespace graft::test {

using Dense = std::vector<std::vector<double>>;

/// Message of the `Expected` exception that `function` must throw; says what happened instead otherwise.
template <class Expected, class Function>
std::string message_of(Function&& function) {
  try {
    function();
  } catch (const Expected& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("ANOTHER EXCEPTION: ") + error.what();
  }
  return "NO EXCEPTION";
}

/// True if `text` holds every part.
inline bool contains(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts) {
    if (text.find(part) == std::string::npos) return false;
  }
  return text != "NO EXCEPTION" && text.rfind("ANOTHER EXCEPTION", 0) != 0;
}

inline Dense dense(const GraphInput& graph) {
  Dense result(static_cast<std::size_t>(graph.items), std::vector<double>(static_cast<std::size_t>(graph.items), 0.0));
  for (std::int64_t r = 0; r < graph.items; ++r) {
    const auto columns = graph.row_columns(r);
    const auto weights = graph.row_weights(r);
    for (std::size_t e = 0; e < columns.size(); ++e) {
      result[static_cast<std::size_t>(r)][static_cast<std::size_t>(columns[e])] = static_cast<double>(weights[e]);
    }
  }
  return result;
}

/// Empty if both are equal within `tolerance`; else the first difference in words.
inline std::string difference(const Dense& actual, const Dense& expected, double tolerance) {
  if (actual.size() != expected.size()) {
    return std::to_string(actual.size()) + " rows, expected " + std::to_string(expected.size());
  }
  for (std::size_t r = 0; r < actual.size(); ++r) {
    if (actual[r].size() != expected[r].size()) return "row " + std::to_string(r) + ": another number of columns";
    for (std::size_t c = 0; c < actual[r].size(); ++c) {
      if (std::fabs(actual[r][c] - expected[r][c]) <= tolerance) continue;
      return "(" + std::to_string(r) + ", " + std::to_string(c) + "): " + std::to_string(actual[r][c]) + ", expected " +
             std::to_string(expected[r][c]);
    }
  }
  return {};
}

/// Weight of an edge, NaN where it is not stored.
inline float weight_of(const Graph& graph, std::int64_t row, std::int64_t column) {
  const auto columns = graph.row_columns(row);
  for (std::size_t e = 0; e < columns.size(); ++e) {
    if (columns[e] == column) return graph.row_weights(row)[e];
  }
  return std::nanf("");
}

inline std::vector<std::int32_t> columns_of(const Graph& graph, std::int64_t row) {
  const auto columns = graph.row_columns(row);
  return {columns.begin(), columns.end()};
}

/// Every whole number in a text, ascending.
inline std::set<std::int64_t> numbers_in(const std::string& text) {
  std::set<std::int64_t> numbers;
  for (std::size_t i = 0; i < text.size();) {
    if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    if (end - i < 19) numbers.insert(std::stoll(text.substr(i, end - i)));
    i = end;
  }
  return numbers;
}

/// The least memory budget with which `call(context)` works, taken from the message of the OutOfMemory that a budget
/// of one byte gives. -1 if the message does not name it: a budget that works while one byte less does not.
template <class Call>
std::int64_t least_budget(const Call& call, Context context) {
  const auto works = [&](std::int64_t budget) {
    context.memory_budget = budget;
    try {
      call(context);
      return true;
    } catch (const OutOfMemory&) {
      return false;
    }
  };
  context.memory_budget = 1;
  const std::string text = message_of<OutOfMemory>([&] { call(context); });
  for (const std::int64_t budget : numbers_in(text)) {
    if (budget > 1 && works(budget)) return works(budget - 1) ? -1 : budget;
  }
  return -1;
}

/// The numeric paths that this build and processor have.
inline std::vector<NumericPath> available_paths() {
  std::vector<NumericPath> paths;
  for (const NumericPath path :
       {NumericPath::header_only, NumericPath::baseline, NumericPath::avx2, NumericPath::avx512}) {
    try {
      Context context;
      context.path = path;
      resolve_numeric_path(context);
      paths.push_back(path);
    } catch (const BackendUnavailable&) {
      continue;
    }
  }
  return paths;
}

}  // namespace graft::test

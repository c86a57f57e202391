// One case for every operation of the tape, for tests that treat all alike.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/tape.hpp"
#include "data/random.hpp"

namespace graft::test {

inline void fill_uniform(autodiff::Backend& backend, const autodiff::Tensor& tensor, double low, double high,
                         std::uint64_t stream) {
  data::RandomStream random(23, stream);
  std::vector<double> values(static_cast<std::size_t>(tensor.size()));
  // Numbers that a float holds, so that backends of either scalar start alike.
  for (double& value : values) value = static_cast<double>(static_cast<float>(low + (high - low) * random.uniform()));
  backend.upload(tensor, values);
}

/// Parameters that operations are tried on, all of random values.
struct OperationInputs {
  explicit OperationInputs(autodiff::Backend& b) : backend(b) {
    add("x", 5, 4, -1.0, 1.0);
    add("y", 5, 4, -1.0, 1.0);
    add("positive", 5, 4, 0.5, 2.0);
    add("row", 1, 4, 0.5, 2.0);
    add("column", 5, 1, 0.5, 2.0);
    add("one", 1, 1, 0.5, 2.0);
    add("weight", 3, 4, -1.0, 1.0);
    add("bias", 1, 3, -1.0, 1.0);
    add("inner", 4, 3, -1.0, 1.0);
    add("long", 6, 4, -1.0, 1.0);
    add("scores", 5, 1, -1.0, 1.0);
    graph = backend.sparse({.rows = 5,
                            .cols = 6,
                            .row_offsets = {0, 2, 3, 3, 6, 7},
                            .columns = {0, 4, 2, 1, 3, 5, 4},
                            .weights = {0.5F, -1.5F, 2.0F, 0.25F, 1.0F, -0.75F, 1.25F}});
  }

  void add(const char* name, std::int64_t rows, std::int64_t cols, double low, double high) {
    parameters.push_back({name, backend.allocate(rows, cols)});
    fill_uniform(backend, parameters.back().value, low, high, parameters.size());
  }
  autodiff::Parameter& parameter(const std::string& name) {
    for (autodiff::Parameter& parameter : parameters) {
      if (parameter.name == name) return parameter;
    }
    throw std::out_of_range(name);
  }

  autodiff::Backend& backend;
  std::deque<autodiff::Parameter> parameters;
  autodiff::Sparse graph;  ///< [5, 6]; row 2 is empty
};

/// What an operation sees: a tape, and the inputs by name. It notes which ones were asked for.
struct Trial {
  autodiff::Var operator()(const char* name) const {
    autodiff::Parameter& parameter = inputs.parameter(name);
    used.push_back(&parameter);
    return tape.parameter(parameter);
  }
  autodiff::Tape& tape;
  OperationInputs& inputs;
  std::vector<autodiff::Parameter*>& used;
};

struct OperationCase {
  const char* name;
  std::function<autodiff::Var(const Trial&)> record;
};

inline autodiff::Indices index_list(std::vector<std::int32_t> ids, std::int64_t bound) {
  return autodiff::IndexList::make(std::move(ids), bound);
}

/// Operations whose results have as many rows as their first input.
inline std::vector<OperationCase> row_wise_operations() {
  using namespace autodiff;  // NOLINT(google-build-using-namespace): the operations, spelled as models spell them
  return {
      {"add", [](const Trial& t) { return t("x") + t("y"); }},
      {"add row", [](const Trial& t) { return t("x") + t("row"); }},
      {"add column", [](const Trial& t) { return t("x") + t("column"); }},
      {"add one", [](const Trial& t) { return t("x") + t("one"); }},
      {"add itself", [](const Trial& t) { return t("x") + t("x"); }},
      {"subtract", [](const Trial& t) { return t("x") - t("y"); }},
      {"subtract row", [](const Trial& t) { return t("x") - t("row"); }},
      {"subtract column", [](const Trial& t) { return t("x") - t("column"); }},
      {"subtract one", [](const Trial& t) { return t("x") - t("one"); }},
      {"multiply", [](const Trial& t) { return t("x") * t("y"); }},
      {"multiply row", [](const Trial& t) { return t("x") * t("row"); }},
      {"multiply column", [](const Trial& t) { return t("x") * t("column"); }},
      {"multiply one", [](const Trial& t) { return t("x") * t("one"); }},
      {"multiply itself", [](const Trial& t) { return t("x") * t("x"); }},
      {"divide", [](const Trial& t) { return t("x") / t("positive"); }},
      {"divide row", [](const Trial& t) { return t("x") / t("row"); }},
      {"divide column", [](const Trial& t) { return t("x") / t("column"); }},
      {"divide one", [](const Trial& t) { return t("x") / t("one"); }},
      {"scale", [](const Trial& t) { return -2.5 * t("x"); }},
      {"shift", [](const Trial& t) { return square(t("x") + 0.5); }},
      {"negate", [](const Trial& t) { return -t("x"); }},
      {"square", [](const Trial& t) { return square(t("x")); }},
      {"square_root", [](const Trial& t) { return square_root(t("positive")); }},
      {"exponential", [](const Trial& t) { return exponential(t("x")); }},
      {"logarithm", [](const Trial& t) { return logarithm(t("positive")); }},
      {"sigmoid", [](const Trial& t) { return sigmoid(3.0 * t("x")); }},
      {"tanh", [](const Trial& t) { return tanh(t("x")); }},
      {"relu", [](const Trial& t) { return relu(t("x")); }},
      {"leaky_relu", [](const Trial& t) { return leaky_relu(t("x"), 0.2); }},
      {"softplus", [](const Trial& t) { return softplus(4.0 * t("x")); }},
      {"log_sigmoid", [](const Trial& t) { return log_sigmoid(4.0 * t("x")); }},
      {"at_least", [](const Trial& t) { return at_least(t("x"), 0.1); }},
      {"dropout", [](const Trial& t) { return dropout(t("x"), 0.4); }},
      {"matmul", [](const Trial& t) { return matmul(t("x"), t("inner")); }},
      {"matmul_transposed", [](const Trial& t) { return matmul_transposed(t("x"), t("weight")); }},
      {"matmul_transposed by itself", [](const Trial& t) { return matmul_transposed(t("x"), t("x")); }},
      {"linear", [](const Trial& t) { return linear(t("x"), t("weight"), t("bias")); }},
      {"spmm", [](const Trial& t) { return spmm(t.inputs.graph, t("long")); }},
      {"spmm of a sum", [](const Trial& t) { return spmm(t.inputs.graph, t("long") + t("row")); }},
      {"spmm_transposed", [](const Trial& t) { return spmm_transposed(t.inputs.graph, t("x")); }},
      {"spmm there and back",
       [](const Trial& t) { return spmm(t.inputs.graph, spmm_transposed(t.inputs.graph, t("x"))); }},
      {"rows", [](const Trial& t) { return rows(t("long"), index_list({5, 0, 5, 3, 2}, 6)); }},
      {"rows of a product",
       [](const Trial& t) { return rows(matmul_transposed(t("long"), t("weight")), index_list({5, 0, 5, 3, 2}, 6)); }},
      {"rows of a transposed product",
       [](const Trial& t) { return rows(transposed_matmul(t("x"), t("y")), index_list({3, 0, 3, 1, 1}, 4)); }},
      {"slice_rows", [](const Trial& t) { return slice_rows(t("long"), 1, 5); }},
      {"slice_columns", [](const Trial& t) { return slice_columns(t("x"), 1, 2); }},
      {"concat_rows", [](const Trial& t) { return concat_rows(std::vector<Var>{t("row"), square(t("x")), t("row")}); }},
      {"concat_columns",
       [](const Trial& t) { return concat_columns(std::vector<Var>{t("x"), t("column"), square(t("x"))}); }},
      {"sum_columns", [](const Trial& t) { return sum_columns(t("x")); }},
      {"row_dot", [](const Trial& t) { return row_dot(t("x"), t("y")); }},
      {"row_dot with itself", [](const Trial& t) { return row_dot(t("x"), t("x")); }},
      {"average", [](const Trial& t) { return average(std::vector<Var>{t("x"), t("y"), t("x"), t("positive")}); }},
      {"normalize_rows", [](const Trial& t) { return normalize_rows(t("x")); }},
      {"softmax", [](const Trial& t) { return softmax(3.0 * t("x")); }},
      {"log_sum_exp", [](const Trial& t) { return log_sum_exp(3.0 * t("x")); }},
      {"a perceptron",
       [](const Trial& t) { return normalize_rows(tanh(linear(t("x") + t("y"), t("weight"), t("bias")))); }},
  };
}

/// The others.
inline std::vector<OperationCase> whole_operations() {
  using namespace autodiff;  // NOLINT(google-build-using-namespace): as above
  return {
      {"transposed_matmul", [](const Trial& t) { return transposed_matmul(t("x"), t("y")); }},
      {"transposed_matmul with itself", [](const Trial& t) { return transposed_matmul(t("x"), t("x")); }},
      {"sum", [](const Trial& t) { return sum(square(t("x"))); }},
      {"mean", [](const Trial& t) { return mean(square(t("x"))); }},
      {"sum_rows", [](const Trial& t) { return sum_rows(square(t("x"))); }},
      {"sum_by", [](const Trial& t) { return sum_by(t("x"), index_list({2, 0, 2, 5, 0}, 6)); }},
      {"sum_by, an id for each row", [](const Trial& t) { return sum_by(t("x"), index_list({2, 0, 1, 3, 4}, 5)); }},
      {"sum_by of rows, an edge-weighted product",
       [](const Trial& t) {
         const Indices rows_of = index_list({0, 0, 1, 3, 4}, 5);
         return sum_by(rows(t("long"), index_list({5, 2, 0, 2, 2}, 6)) * t("scores"), rows_of);
       }},
      {"frobenius_norm", [](const Trial& t) { return frobenius_norm(t("x")); }},
      {"bpr_loss", [](const Trial& t) { return bpr_loss(t("scores"), t("column")); }},
      {"info_nce", [](const Trial& t) { return info_nce(t("x"), t("y"), 0.2); }},
      {"info_nce with itself", [](const Trial& t) { return info_nce(t("x"), t("x"), 0.5); }},
  };
}

/// The sum of all elements, each with a weight of its own.
inline autodiff::Var weighted_sum(autodiff::Var x) {
  autodiff::Backend& backend = x.tape().backend();
  const autodiff::Tensor weights = backend.allocate(x.rows(), x.cols());
  fill_uniform(backend, weights, -1.0, 1.0, 99);
  return sum(x * x.tape().constant(weights));
}

}  // namespace graft::test

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "autodiff/tape.hpp"
#include "train/gradient_check.hpp"
#include "train/tape_operations.hpp"

namespace graft::test {
namespace gradients_test {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace): operations spelled as models spell them
using namespace autodiff;

using References = std::vector<std::reference_wrapper<Parameter>>;

/// The parameters that a case reads, each once.
References used_by(const OperationCase& operation, OperationInputs& inputs) {
  Tape tape(inputs.backend);
  std::vector<Parameter*> used;
  static_cast<void>(operation.record({tape, inputs, used}));
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  References references;
  for (Parameter* parameter : used) references.emplace_back(*parameter);
  return references;
}

/// Gradient check of a weighted sum of what `finish` makes of the operation's result.
std::string checked(
    const OperationCase& operation, OperationInputs& inputs,
    const std::function<Var(Var)>& finish = [](Var x) { return x; }) {
  References parameters = used_by(operation, inputs);
  const GradientCheck check{.random = {7, 3}};
  return gradient_difference(
      inputs.backend, parameters,
      [&](Tape& tape) {
        std::vector<Parameter*> used;
        return weighted_sum(finish(operation.record({tape, inputs, used})));
      },
      check);
}

/// The same matrix, in a way that no selection of rows gets through: I^T x.
Var opaque(Var x) {
  std::vector<float> identity(static_cast<std::size_t>(x.rows() * x.rows()), 0.0F);
  for (std::int64_t r = 0; r < x.rows(); ++r) identity[static_cast<std::size_t>(r * x.rows() + r)] = 1.0F;
  return transposed_matmul(x.tape().constant(MatrixView<const float>(identity.data(), x.rows(), x.rows())), x);
}

struct Outcome {
  std::vector<double> value;
  std::vector<std::vector<double>> gradients;
};

/// Value and gradients of the weighted sum of finish(operation).
Outcome outcome_of(const OperationCase& operation, OperationInputs& inputs, const std::function<Var(Var)>& finish) {
  Tape tape(inputs.backend, {7, 3});
  std::vector<Parameter*> used;
  const Var result = finish(operation.record({tape, inputs, used}));
  const Var loss = weighted_sum(result);
  Outcome outcome;
  outcome.value = inputs.backend.download(tape.evaluate(result));
  tape.backward(loss);
  for (const Parameter& parameter : used_by(operation, inputs)) {
    outcome.gradients.push_back(dense_gradient(inputs.backend, parameter));
  }
  return outcome;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return INFINITY;
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;  // a NaN is taken up
  }
  return largest;
}

void check_alike(const Outcome& a, const Outcome& b, double tolerance) {
  CHECK(largest_difference(a.value, b.value) <= tolerance);
  REQUIRE(a.gradients.size() == b.gradients.size());
  for (std::size_t p = 0; p < a.gradients.size(); ++p) {
    CHECK(largest_difference(a.gradients[p], b.gradients[p]) <= tolerance);
  }
}

/// Rows 3, 1, 3, 0 in that order, as far as x has them.
Indices some_rows(std::int64_t bound) { return index_list({3, 1, 3, 0}, bound); }

TEST_CASE("gradients: every operation's are those of central differences") {
  const auto backend = cpu_reference_backend();
  OperationInputs inputs(*backend);
  for (const auto& cases : {row_wise_operations(), whole_operations()}) {
    for (const OperationCase& operation : cases) {
      CAPTURE(std::string(operation.name));
      CHECK(checked(operation, inputs) == "");
    }
  }
}

TEST_CASE("gradients: a gradient that is added to one that is there already") {
  const auto backend = cpu_reference_backend();
  OperationInputs inputs(*backend);
  for (const auto& cases : {row_wise_operations(), whole_operations()}) {
    for (const OperationCase& operation : cases) {
      CAPTURE(std::string(operation.name));
      const OperationCase twice{operation.name, [&](const Trial& trial) {
                                  // Every input is read before and after as well, by something else.
                                  std::vector<Parameter*> used;
                                  const Var result = operation.record({trial.tape, trial.inputs, used});
                                  Var others = sum(square(result));
                                  for (Parameter* parameter : used) {
                                    others = others + sum(square(trial(parameter->name.c_str())));
                                  }
                                  return result + others;
                                }};
      CHECK(checked(twice, inputs) == "");
    }
  }
}

TEST_CASE("rows: pushed down to an operation's inputs, the values and gradients of the whole operation's rows") {
  const auto backend = cpu_reference_backend();
  OperationInputs inputs(*backend);
  for (const OperationCase& operation : row_wise_operations()) {
    CAPTURE(std::string(operation.name));
    const Outcome pushed = outcome_of(operation, inputs, [](Var x) { return rows(x, some_rows(x.rows())); });
    const Outcome whole = outcome_of(operation, inputs, [](Var x) { return rows(opaque(x), some_rows(x.rows())); });
    check_alike(pushed, whole, 1e-12);
    CHECK(checked(operation, inputs, [](Var x) { return rows(x, some_rows(x.rows())); }) == "");
  }
}

TEST_CASE("rows: of rows, of slices and of concatenations of any operation") {
  const auto backend = cpu_reference_backend();
  OperationInputs inputs(*backend);
  const std::vector<std::pair<const char*, std::function<Var(Var)>>> arrangements = {
      {"rows", [](Var x) { return rows(x, index_list({4, 2, 4, 0, 1}, x.rows())); }},
      {"ascending rows", [](Var x) { return rows(x, index_list({0, 2, 3, 4}, x.rows())); }},
      {"slice_rows", [](Var x) { return slice_rows(x, 1, 4); }},
      {"slice_columns", [](Var x) { return slice_columns(x, x.cols() - 1, 1); }},
      {"concat_rows", [](Var x) { return concat_rows(std::vector<Var>{x, slice_rows(x, 0, 2)}); }},
      {"concat_columns", [](Var x) { return concat_columns(std::vector<Var>{x, x}); }}};
  for (const auto& [name, arrange] : arrangements) {
    for (const OperationCase& operation : row_wise_operations()) {
      CAPTURE(std::string(name));
      CAPTURE(std::string(operation.name));
      const auto select = [](Var x) { return rows(x, index_list({3, 1, 1}, x.rows())); };
      const Outcome pushed = outcome_of(operation, inputs, [&](Var x) { return select(arrange(x)); });
      const Outcome whole = outcome_of(operation, inputs, [&](Var x) { return select(opaque(arrange(opaque(x)))); });
      check_alike(pushed, whole, 1e-12);
    }
  }
}

TEST_CASE("rows: no rows at all give an empty matrix and no gradient") {
  const auto backend = cpu_reference_backend();
  OperationInputs inputs(*backend);
  for (const OperationCase& operation : row_wise_operations()) {
    CAPTURE(std::string(operation.name));
    Tape tape(*backend);
    std::vector<Parameter*> used;
    const Var all = operation.record({tape, inputs, used});
    const Var none = rows(all, index_list({}, all.rows()));
    CHECK(none.rows() == 0);
    CHECK(none.cols() == all.cols());
    CHECK(tape.backward(sum(none)) == 0.0);
    for (const Parameter* parameter : used) {
      const std::vector<double> gradient = dense_gradient(*backend, *parameter);
      CHECK(std::all_of(gradient.begin(), gradient.end(), [](double g) { return g == 0.0; }));
    }
  }
}

TEST_CASE("gradients: row selections with different lists and a dense use of one parameter add up") {
  const auto backend = cpu_reference_backend();
  OperationInputs inputs(*backend);
  Parameter& table = inputs.parameter("long");
  References parameters = {table};
  const auto first = [](Var x) { return sum(square(rows(x, index_list({5, 0, 5}, 6)))); };
  const auto second = [](Var x) { return sum(exponential(rows(x, index_list({3, 0}, 6)))); };
  const auto whole = [](Var x) { return weighted_sum(square(x)); };
  const std::vector<std::function<Var(Var)>> losses = {
      [&](Var x) { return first(x) + second(x); }, [&](Var x) { return first(x) + whole(x); },
      [&](Var x) { return whole(x) + first(x) + second(x); },
      [&](Var x) { return sum(slice_rows(x, 2, 3)) + first(x) + whole(x); }};
  for (const auto& loss : losses) {
    CHECK(gradient_difference(*backend, parameters, [&](Tape& tape) { return loss(tape.parameter(table)); }) == "");
    CHECK(table.gradient.rows == nullptr);
  }
}

TEST_CASE("gradients: products of gathered rows read and update the table's rows alone") {
  const auto backend = cpu_reference_backend();
  OperationInputs inputs(*backend);
  Parameter& table = inputs.parameter("long");
  References parameters = {table, inputs.parameter("weight"), inputs.parameter("inner"), inputs.parameter("bias")};
  const auto ids = index_list({5, 0, 5, 2}, 6);
  const auto check = [&](const std::function<Var(Var, Tape&)>& result, std::size_t used) {
    References some(parameters.begin(), parameters.begin() + static_cast<std::ptrdiff_t>(used));
    CHECK(gradient_difference(*backend, some, [&](Tape& tape) {
            return weighted_sum(result(rows(tape.parameter(table), ids), tape));
          }) == "");
    REQUIRE(table.gradient.rows != nullptr);
    CHECK(std::vector<std::int32_t>(table.gradient.rows->distinct().begin(), table.gradient.rows->distinct().end()) ==
          std::vector<std::int32_t>{0, 2, 5});
    CHECK(table.gradient.values.rows() == 3);
  };
  const auto of = [&](const char* name, Tape& tape) { return tape.parameter(inputs.parameter(name)); };
  check([&](Var x, Tape& tape) { return matmul_transposed(x, of("weight", tape)); }, 2);
  check([&](Var x, Tape& tape) { return matmul_transposed(of("weight", tape), x); }, 2);
  check([&](Var x, Tape& tape) { return matmul(x, of("inner", tape)) + matmul_transposed(x, of("weight", tape)); }, 3);
  check([&](Var x, Tape& tape) { return linear(x, of("weight", tape), of("bias", tape)) + sum(of("inner", tape)); }, 4);
  check([&](Var x, Tape& /*tape*/) { return matmul_transposed(x, x); }, 1);
  check([&](Var x, Tape& /*tape*/) { return transposed_matmul(x, x); }, 1);
  check([&](Var x, Tape& /*tape*/) { return transposed_matmul(square(x), x); }, 1);
}

TEST_CASE("gradients: a deep model of everything together") {
  const auto backend = cpu_reference_backend();
  OperationInputs inputs(*backend);
  References parameters = {inputs.parameter("x"), inputs.parameter("long"), inputs.parameter("weight"),
                           inputs.parameter("bias"), inputs.parameter("inner")};
  const auto users = index_list({3, 0, 3, 4}, 5);
  const auto items = index_list({5, 1, 1, 0, 2, 5, 0, 3}, 6);
  CHECK(gradient_difference(*backend, parameters,
                            [&](Tape& tape) {
                              const Var user_0 = tape.parameter(inputs.parameter("x"));
                              const Var item_0 = tape.parameter(inputs.parameter("long"));
                              const Var user_1 = spmm(inputs.graph, item_0);
                              const Var item_1 = spmm_transposed(inputs.graph, user_0);
                              const Var user_2 = spmm(inputs.graph, item_1);
                              const Var item_2 = spmm_transposed(inputs.graph, user_1);
                              const Var u = rows(average(std::vector<Var>{user_0, user_1, user_2}), users);
                              const Var layer = leaky_relu(linear(item_0, tape.parameter(inputs.parameter("weight")),
                                                                  tape.parameter(inputs.parameter("bias"))));
                              const Var side = matmul_transposed(layer, tape.parameter(inputs.parameter("inner")));
                              const Var i = rows(average(std::vector<Var>{item_0, item_1, item_2}) + side, items);
                              const Var positive = slice_rows(i, 0, 4);
                              const Var negative = slice_rows(i, 4, 4);
                              const Var norms =
                                  frobenius_norm(u) + frobenius_norm(positive) + frobenius_norm(rows(item_0, items));
                              return bpr_loss(row_dot(u, positive), row_dot(u, negative)) + 0.1 * norms +
                                     0.2 * info_nce(dropout(u, 0.3), positive, 0.2);
                            },
                            {.random = {5, 11}}) == "");
}

}  // namespace
}  // namespace gradients_test
}  // namespace graft::test

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autodiff/tape.hpp"
#include "support/check.hpp"
#include "train/counting_backend.hpp"
#include "train/gradient_check.hpp"
#include "train/tape_operations.hpp"

namespace graft::test {
namespace tape_test {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace): operations spelled as models spell them
using namespace autodiff;

using Values = std::vector<double>;

/// The double backend, counted.
struct Bench {
  std::unique_ptr<autodiff::Backend> reference = cpu_reference_backend();
  CountingBackend backend{*reference};
  std::deque<Parameter> parameters;

  Parameter& add(const char* name, std::int64_t rows, std::int64_t cols, const Values& values) {
    parameters.push_back({name, backend.allocate(rows, cols)});
    backend.upload(parameters.back().value, std::span<const double>(values));
    return parameters.back();
  }
  Parameter& add(const char* name, std::int64_t rows, std::int64_t cols) {
    parameters.push_back({name, backend.allocate(rows, cols)});
    fill_uniform(backend, parameters.back().value, -1.0, 1.0, parameters.size());
    return parameters.back();
  }
  [[nodiscard]] Values value(Var x) { return backend.download(x.tape().evaluate(x)); }
};

Csr band(std::int64_t rows, std::int64_t cols) {
  Csr matrix{.rows = rows, .cols = cols};
  for (std::int64_t r = 0; r < rows; ++r) {
    matrix.columns.push_back(static_cast<std::int32_t>(r % cols));
    matrix.weights.push_back(0.5F);
    matrix.row_offsets.push_back(r + 1);
  }
  return matrix;
}

// Recording
// ------------------------------------------------------------------------------------------------------------

TEST_CASE("Tape: nothing is computed before a value is asked for, and then only what it needs") {
  Bench bench;
  Tape tape(bench.backend);
  const Var x = tape.parameter(bench.add("x", 3, 2));
  const Var unused = exponential(x);
  const Var used = square(x);
  const Var loss = sum(used);
  CHECK(bench.backend.counts().calls == 0);
  tape.evaluate(loss);
  CHECK(bench.backend.counts().calls == 2);
  tape.evaluate(loss);
  CHECK(bench.backend.counts().calls == 2);  // known already
  tape.evaluate(unused);
  CHECK(bench.backend.counts().calls == 3);
}

TEST_CASE("Tape: recording goes on after a value was asked for") {
  Bench bench;
  Tape tape(bench.backend);
  const Var x = tape.parameter(bench.add("x", 1, 2, {3.0, 4.0}));
  const Var squares = square(x);
  CHECK(bench.value(squares) == Values{9.0, 16.0});
  const Var scaled = 2.0 * squares;
  CHECK(bench.value(scaled + x) == Values{21.0, 36.0});
  CHECK(bench.value(scaled) == Values{18.0, 32.0});  // let go on the way, computed again
  CHECK(bench.value(squares) == Values{9.0, 16.0});
  CHECK(tape.backward(sum(scaled)) == 50.0);
  CHECK(dense_gradient(bench.backend, bench.parameters[0]) == Values{12.0, 16.0});
}

TEST_CASE("Tape: a value that was handed out is not overwritten by what is computed from it") {
  Bench bench;
  Tape tape(bench.backend);
  const Var x = tape.parameter(bench.add("x", 1, 2, {3.0, 4.0}));
  const Tensor squares = tape.evaluate(square(x));
  const Tensor again = tape.evaluate(-square(x));
  const Var held = square(x);
  const Tensor value = tape.evaluate(held);
  tape.evaluate(softmax(-held));
  CHECK(bench.backend.download(squares) == Values{9.0, 16.0});
  CHECK(bench.backend.download(again) == Values{-9.0, -16.0});
  CHECK(bench.backend.download(value) == Values{9.0, 16.0});
  CHECK(bench.backend.download(bench.parameters[0].value) == Values{3.0, 4.0});
}

TEST_CASE("Tape: constants are neither changed nor given a gradient") {
  Bench bench;
  Tape tape(bench.backend);
  const std::vector<float> numbers = {1.0F, 2.0F, 3.0F, 4.0F};
  const Var c = tape.constant(MatrixView<const float>(numbers.data(), 2, 2));
  const Var x = tape.parameter(bench.add("x", 2, 2, {1.0, 1.0, 1.0, 1.0}));
  const Var loss = sum((-c) * x) + sum(square(c));
  CHECK(tape.backward(loss) == doctest::Approx(20.0));
  CHECK(bench.value(c) == Values{1.0, 2.0, 3.0, 4.0});
  CHECK(dense_gradient(bench.backend, bench.parameters[0]) == Values{-1.0, -2.0, -3.0, -4.0});
}

TEST_CASE("Tape: a loss without any parameter has a value") {
  Bench bench;
  Parameter& bystander = bench.add("bystander", 1, 1, {1.0});
  Tape tape(bench.backend);
  tape.parameter(bystander);
  const std::vector<float> numbers = {1.0F, 2.0F};
  CHECK(tape.backward(sum(tape.constant(MatrixView<const float>(numbers.data(), 1, 2)))) == 3.0);
  CHECK(!bystander.gradient.values);
}

TEST_CASE("Tape: parts of a loss may be asked for after backward") {
  Bench bench;
  Tape tape(bench.backend);
  const Var x = tape.parameter(bench.add("x", 1, 2, {3.0, 4.0}));
  const Var first = sum(square(x));
  const Var second = frobenius_norm(x);
  CHECK(tape.backward(first + second) == 30.0);
  bench.backend.reset();
  CHECK(tape.scalar(first) == 25.0);
  CHECK(tape.scalar(second) == 5.0);
  CHECK(bench.backend.counts().calls == 0);
}

// Gradients
// ------------------------------------------------------------------------------------------------------------

TEST_CASE("Tape: a parameter without a part in the loss gets no gradient, and loses an older one") {
  Bench bench;
  Parameter& x = bench.add("x", 2, 2);
  Parameter& y = bench.add("y", 2, 2);
  {
    Tape tape(bench.backend);
    tape.backward(sum(tape.parameter(x) * tape.parameter(y)));
    CHECK(static_cast<bool>(y.gradient.values));
  }
  Tape tape(bench.backend);
  tape.parameter(y);
  tape.backward(sum(tape.parameter(x)));
  CHECK(static_cast<bool>(x.gradient.values));
  CHECK(!y.gradient.values);
}

TEST_CASE("Tape: one Parameter is one Var, whose gradients add up") {
  Bench bench;
  Parameter& x = bench.add("x", 1, 2, {3.0, 4.0});
  Tape tape(bench.backend);
  const Var first = tape.parameter(x);
  const Var second = tape.parameter(x);
  CHECK(tape.backward(sum(first * second) + sum(first)) == 32.0);
  CHECK(dense_gradient(bench.backend, x) == Values{7.0, 9.0});
}

TEST_CASE("Tape: parameters with equal gradients do not share them") {
  Bench bench;
  Parameter& x = bench.add("x", 2, 2);
  Parameter& y = bench.add("y", 2, 2);
  Tape tape(bench.backend);
  const auto list = index_list({1}, 2);
  tape.backward(sum(tape.parameter(x) + tape.parameter(y)));
  CHECK(x.gradient.values.storage() != y.gradient.values.storage());
  Tape other(bench.backend);
  other.backward(sum(rows(other.parameter(x) + other.parameter(y), list)));
  CHECK(x.gradient.values.storage() != y.gradient.values.storage());
}

TEST_CASE("Tape: rows of a parameter leave a gradient of these rows alone") {
  Bench bench;
  Parameter& table = bench.add("table", 5, 2, {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0});
  Tape tape(bench.backend);
  const Var batch = rows(tape.parameter(table), index_list({4, 1, 4}, 5));
  CHECK(bench.value(batch) == Values{8.0, 9.0, 2.0, 3.0, 8.0, 9.0});
  tape.backward(sum(batch));
  REQUIRE(table.gradient.rows != nullptr);
  CHECK(table.gradient.rows->distinct().size() == 2);
  CHECK(bench.backend.download(table.gradient.values) == Values{1.0, 1.0, 2.0, 2.0});
  CHECK(dense_gradient(bench.backend, table) == Values{0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0});
}

TEST_CASE("Tape: lists with the same distinct rows are one row gradient, whoever made them and by whichever way") {
  Bench bench;
  Parameter& table = bench.add("table", 5, 2);
  Tape tape(bench.backend);
  const Var x = tape.parameter(table);
  const Var loss = sum(square(rows(x, index_list({4, 1, 4}, 5)))) + sum(rows(exponential(x), index_list({1, 4}, 5))) +
                   sum(rows(square(slice_rows(x, 1, 4)), index_list({3, 0, 0}, 4)));
  tape.backward(loss);
  REQUIRE(table.gradient.rows != nullptr);
  CHECK(table.gradient.rows->distinct().size() == 2);
}

TEST_CASE("Tape: rows that are all rows leave a dense gradient") {
  Bench bench;
  Parameter& table = bench.add("table", 2, 1);
  Tape tape(bench.backend);
  tape.backward(sum(rows(tape.parameter(table), index_list({1, 0, 1}, 2))));
  CHECK(table.gradient.rows == nullptr);
  CHECK(dense_gradient(bench.backend, table) == Values{1.0, 2.0});
}

// Pending updates
// ------------------------------------------------------------------------------------------------------

/// Notes which rows were asked for; -1 stands for all.
class Requests final : public PendingUpdates {
 public:
  void bring_up_to_date(std::optional<std::span<const std::int32_t>> rows) override {
    if (!rows) ids.push_back(-1);
    if (rows) ids.insert(ids.end(), rows->begin(), rows->end());
  }
  std::vector<std::int32_t> ids;
};

std::vector<std::int32_t> requested_by(const std::function<Var(Var, Bench&)>& loss) {
  Bench bench;
  Parameter& table = bench.add("table", 5, 2);
  Requests requests;
  table.pending = &requests;
  Tape tape(bench.backend);
  const Var recorded = loss(tape.parameter(table), bench);
  CHECK(requests.ids.empty());  // reading waits until it is needed
  tape.backward(recorded);
  std::vector<std::int32_t> ids = requests.ids;
  std::sort(ids.begin(), ids.end());
  return ids;
}

TEST_CASE("Tape: updates put off are asked for before a value is read, for the rows that are read") {
  using Ids = std::vector<std::int32_t>;
  const auto list = index_list({4, 1, 4}, 5);
  CHECK(requested_by([&](Var x, Bench&) { return sum(rows(x, list)); }) == Ids{1, 4});
  CHECK(requested_by([&](Var x, Bench&) { return sum(rows(2.0 * x, list)); }) == Ids{1, 4});
  CHECK(requested_by([&](Var x, Bench&) { return sum(x); }) == Ids{-1});
  CHECK(requested_by([&](Var x, Bench& bench) {
          return sum(matmul(rows(x, list), x.tape().parameter(bench.add("w", 2, 3))));
        }) == Ids{1, 4});
  CHECK(requested_by([&](Var x, Bench& bench) {
          const Sparse s = bench.backend.sparse(band(3, 5));
          return sum(rows(spmm(s, x), index_list({0}, 3)));
        }) == Ids{-1});
}

// Rows that are pushed down
// --------------------------------------------------------------------------------------------

TEST_CASE("rows: of a sparse product never compute the whole product") {
  Bench bench;
  Tape tape(bench.backend);
  const Sparse s = bench.backend.sparse(band(50, 20));
  const Var items = tape.parameter(bench.add("items", 20, 3));
  const Var users = tape.parameter(bench.add("users", 50, 3));
  const auto batch = index_list({40, 3, 3, 17}, 50);
  const Var layers = average(std::vector<Var>{users, spmm(s, items)});
  const Var loss = sum(normalize_rows(rows(layers, batch)) * rows(2.0 * spmm(s, items), batch));
  tape.backward(loss);
  CHECK(bench.backend.counts().spmms == 0);
  CHECK(bench.backend.counts().spmm_rows == 2);  // spmm was recorded twice
  CHECK(bench.backend.counts().spmm_from_rows == 2);
}

TEST_CASE("rows: a first layer that the second needs as a whole is computed once") {
  Bench bench;
  Tape tape(bench.backend);
  const Sparse s = bench.backend.sparse(band(50, 20));
  const Var users_0 = tape.parameter(bench.add("users", 50, 3));
  const Var items_0 = tape.parameter(bench.add("items", 20, 3));
  const Var users_1 = spmm(s, items_0);
  const Var items_1 = spmm_transposed(s, users_0);
  const Var users = average(std::vector<Var>{users_0, users_1, spmm(s, items_1)});
  const Var items = average(std::vector<Var>{items_0, items_1, spmm_transposed(s, users_1)});
  const auto u = index_list({40, 3, 3, 17}, 50);
  const auto i = index_list({1, 0, 19, 1}, 20);
  tape.backward(sum(row_dot(rows(users, u), rows(items, i))));
  CHECK(bench.backend.counts().spmms == 4);  // both first layers, there and back
  CHECK(bench.backend.counts().spmm_rows == 2);
  CHECK(bench.backend.counts().spmm_from_rows == 2);
}

TEST_CASE("rows: the same rows of the same matrix are computed once") {
  Bench bench;
  Tape tape(bench.backend);
  const Var x = tape.parameter(bench.add("x", 9, 2));
  const Var y = exponential(x);
  const auto list = index_list({7, 2, 7}, 9);
  const auto same = index_list({2, 7}, 9);
  const Var loss = sum(rows(y, list)) + sum(rows(y, list)) + sum(rows(y, same)) + sum(rows(sigmoid(y), same));
  tape.evaluate(loss);
  // exponential of two rows of x; these arranged as `list`.
  CHECK(bench.backend.counts().gathers == 2);
}

TEST_CASE("rows: of a matrix that is computed as a whole anyway are gathered from it") {
  Bench bench;
  Parameter& x = bench.add("x", 9, 2);
  const auto list = index_list({7, 2, 7}, 9);
  const LossFunction loss = [&](Tape& tape) {
    const Var y = tanh(exponential(tape.parameter(x)));
    return sum(square(y)) + sum(rows(y, list)) + 3.0 * sum(rows(square(y), list));
  };
  Tape tape(bench.backend);
  tape.evaluate(loss(tape));
  // exponential, tanh, square; two gathers each (the distinct rows, and these arranged); 3 sums, 1 factor, 2 additions
  CHECK(bench.backend.counts().calls <= 3 + 4 + 3 + 1 + 2);
  CHECK(gradient_difference(bench.backend, bench.parameters, loss) == "");
}

TEST_CASE("rows: that are one part of a concatenation are that part, also where the concatenation is computed") {
  Bench bench;
  Parameter& x = bench.add("x", 2, 2);
  Parameter& y = bench.add("y", 3, 2);
  const auto list = index_list({4, 2, 3}, 5);
  const LossFunction loss = [&](Tape& tape) {
    const Var part = exponential(tape.parameter(y));
    const Var both = concat_rows(std::vector<Var>{square(tape.parameter(x)), part});
    return weighted_sum(both) + weighted_sum(square(rows(both, list))) + sum(rows(both, index_list({0, 1}, 5)));
  };
  CHECK(gradient_difference(bench.backend, bench.parameters, loss) == "");
}

TEST_CASE("rows: dropout keeps its mask for the same element") {
  Bench bench;
  Parameter& x = bench.add("x", 40, 3);
  const auto list = index_list({31, 2, 31, 8}, 40);
  Tape tape(bench.backend, {3, 9});
  const Var dropped = dropout(tape.parameter(x), 0.5);
  const Values some = bench.value(rows(dropped, list));
  const Values all = bench.value(dropped);
  for (std::size_t p = 0; p < 4; ++p) {
    for (std::size_t c = 0; c < 3; ++c) {
      CHECK(some[p * 3 + c] == all[static_cast<std::size_t>(list->ids()[p]) * 3 + c]);
    }
  }
}

TEST_CASE("matmul: gathered rows of a table are not copied, in neither direction") {
  Bench bench;
  Tape tape(bench.backend);
  const Var table = tape.parameter(bench.add("table", 30, 4));
  const Var w = tape.parameter(bench.add("w", 2, 4));
  const Var bias = tape.parameter(bench.add("bias", 1, 2));
  const auto ids = index_list({20, 3, 7}, 30);
  tape.backward(sum(square(rows(linear(table, w, bias), ids))));
  CHECK(bench.backend.counts().matmuls == 3);
  CHECK(bench.backend.counts().gathered_matmuls == 2);  // the product and the gradient of w
  CHECK(bench.backend.counts().gathers == 1);           // the result, in the order asked for
  CHECK(bench.parameters[0].gradient.values.rows() == 3);
}

// Memory
// ---------------------------------------------------------------------------------------------------------------

TEST_CASE("Tape: values and gradients that nobody will read are let go") {
  Bench bench;
  Parameter& x = bench.add("x", 100, 10);
  const auto peak_of = [&](const std::function<Var(Var)>& step, int length, bool backward) {
    x.gradient = {};
    bench.backend.reset();
    const std::int64_t before = bench.backend.counts().live;
    Tape tape(bench.backend);
    Var y = tape.parameter(x);
    for (int i = 0; i < length; ++i) y = step(y);
    if (backward) {
      tape.backward(sum(y));
    } else {
      tape.evaluate(y);
    }
    return static_cast<double>(bench.backend.counts().peak - before) / 1000.0;
  };
  const auto scale = [](Var v) { return 0.5 * v; };
  const auto normalise = [](Var v) { return normalize_rows(v); };
  const auto tanhs = [](Var v) { return tanh(v); };
  // What needs no value for its gradient keeps none: one value on the way there, one gradient on the way back.
  CHECK(peak_of(scale, 50, false) < 1.5);
  CHECK(peak_of(scale, 50, true) < 2.5);
  CHECK(peak_of(normalise, 50, false) < 3.5);
  // tanh keeps its output until its turn.
  CHECK(peak_of(tanhs, 50, false) < 2.5);
  CHECK(peak_of(tanhs, 50, true) < 53.0);
  // Nothing stays behind but the gradient.
  const std::int64_t live = bench.backend.counts().live;
  x.gradient = {};
  CHECK(bench.backend.counts().live == live - 1000);
  CHECK(bench.backend.counts().live == 1000);
}

TEST_CASE("Tape: a long tape overflows no stack") {
  Bench bench;
  Parameter& x = bench.add("x", 3, 1, {1.0, 2.0, 3.0});
  constexpr int kLength = 200'000;
  Tape tape(bench.backend);
  Var y = tape.parameter(x);
  for (int i = 0; i < kLength; ++i) y = y + 1.0;
  CHECK(tape.backward(sum(rows(y, index_list({2, 0}, 3)))) == 4.0 + 2.0 * kLength);
  CHECK(dense_gradient(bench.backend, x) == Values{1.0, 0.0, 1.0});
}

}  // namespace
}  // namespace tape_test
}  // namespace graft::test

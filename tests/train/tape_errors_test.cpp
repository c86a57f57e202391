#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autodiff/tape.hpp"
#include "support/check.hpp"
#include "train/tape_operations.hpp"

namespace graft::test {
namespace tape_errors_test {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace): operations spelled as models spell them
using namespace autodiff;

Var matrix(Tape& tape, std::int64_t rows, std::int64_t cols) {
  const std::vector<float> values(static_cast<std::size_t>(rows * cols), 1.0F);
  return tape.constant(MatrixView<const float>(values.data(), rows, cols));
}

TEST_CASE("operations: shapes that do not fit are refused when recorded, with both shapes named") {
  const auto backend = cpu_reference_backend();
  Tape tape(*backend);
  const Var a = matrix(tape, 4, 5);
  const Var b = matrix(tape, 3, 4);
  const Var empty = matrix(tape, 0, 5);
  const Sparse s = backend->sparse({.rows = 2, .cols = 3, .row_offsets = {0, 1, 1}, .columns = {2}, .weights = {1.0F}});
  struct Refused {
    const char* message;
    std::function<void()> call;
  };
  const std::vector<Refused> cases = {
      {"add: b = 3 x 4: must be 4 x 5, as a is, or one row, one column or one element that is repeated",
       [&] { a + b; }},
      {"subtract: b = 4 x 5: must be 1 x 5, as a is,", [&] { matrix(tape, 1, 5) - a; }},
      {"multiply: b = 3 x 4: must be 4 x 5", [&] { a* b; }},
      {"divide: b = 3 x 4: must be 4 x 5", [&] { a / b; }},
      {"matmul: b = 3 x 4: must have 5 rows, as a has columns", [&] { matmul(a, b); }},
      {"matmul_transposed: b = 3 x 4: must have 5 columns, as a has columns", [&] { matmul_transposed(a, b); }},
      {"transposed_matmul: b = 3 x 4: must have 4 rows, as a has rows", [&] { transposed_matmul(a, b); }},
      {"linear: weight = 3 x 4: must have 5 columns, as x has columns", [&] { linear(a, b, matrix(tape, 1, 3)); }},
      {"linear: bias = 1 x 4: must be 1 x 3, a number for each row of weight",
       [&] { linear(a, matrix(tape, 3, 5), matrix(tape, 1, 4)); }},
      {"spmm: x = 4 x 5: must have 3 rows, as s (2 x 3) has columns", [&] { spmm(s, a); }},
      {"spmm_transposed: x = 4 x 5: must have 2 rows, as s (2 x 3) has rows", [&] { spmm_transposed(s, a); }},
      {"spmm: s: must be a matrix", [&] { spmm(Sparse(), a); }},
      {"rows: indices = a list of ids below 3: must be made with bound 4, the rows of x",
       [&] { rows(a, index_list({0}, 3)); }},
      {"rows: indices = none: must be a list", [&] { rows(a, nullptr); }},
      {"slice_rows: begin = 5: must lie in [0, 4]", [&] { slice_rows(a, 5, 0); }},
      {"slice_rows: count = 3: must lie in [0, 2]", [&] { slice_rows(a, 2, 3); }},
      {"slice_columns: begin = -1: must lie in [0, 5]", [&] { slice_columns(a, -1, 1); }},
      {"slice_columns: count = -1: must lie in [0, 5]", [&] { slice_columns(a, 0, -1); }},
      {"concat_rows: parts[1] = 3 x 4: must have 5 columns, as parts[0] has",
       [&] { concat_rows(std::vector<Var>{a, b}); }},
      {"concat_columns: parts[2] = 3 x 4: must have 4 rows, as parts[0] has",
       [&] { concat_columns(std::vector<Var>{a, a, b}); }},
      {"concat_rows: parts = none: must be one or more", [&] { concat_rows(std::vector<Var>{}); }},
      {"average: parts[1] = 3 x 4: must be 4 x 5, as parts[0] is", [&] { average(std::vector<Var>{a, b}); }},
      {"average: parts = none: must be one or more", [&] { average(std::vector<Var>{}); }},
      {"mean: x = 0 x 5: must have an element", [&] { mean(empty); }},
      {"row_dot: b = 3 x 4: must be 4 x 5, as a is", [&] { row_dot(a, b); }},
      {"sum_by: indices = none: must be a list", [&] { sum_by(a, nullptr); }},
      {"sum_by: indices = 3 ids: must be 4, one for each row of x", [&] { sum_by(a, index_list({0, 1, 0}, 2)); }},
      {"normalize_rows: epsilon = 0.000000: must be > 0", [&] { normalize_rows(a, 0.0); }},
      {"log_sum_exp: x = 4 x 0: must have a column", [&] { log_sum_exp(matrix(tape, 4, 0)); }},
      {"bpr_loss: positive = 4 x 5: must be one column", [&] { bpr_loss(a, a); }},
      {"bpr_loss: negative = 3 x 1: must be 4 x 1, as positive is",
       [&] { bpr_loss(matrix(tape, 4, 1), matrix(tape, 3, 1)); }},
      {"info_nce: y = 3 x 4: must be 4 x 5, as x is", [&] { info_nce(a, b, 1.0); }},
      {"info_nce: x = 0 x 5: must have a row", [&] { info_nce(empty, empty, 1.0); }},
      {"info_nce: temperature = 0.000000: must be > 0", [&] { info_nce(a, a, 0.0); }},
  };
  for (const Refused& refused : cases) {
    const std::string message = message_of<InvalidArgument>(refused.call);
    CHECK_MESSAGE(message.rfind(refused.message, 0) == 0, message);
  }
}

TEST_CASE("operations: take matrices of one tape") {
  const auto backend = cpu_reference_backend();
  Tape tape(*backend);
  Tape other(*backend);
  const Var here = matrix(tape, 2, 2);
  const Var there = matrix(other, 2, 2);
  CHECK(message_of<InvalidArgument>([&] { here + there; }) == "add: b: must be on the same tape");
  CHECK(message_of<InvalidArgument>([&] { square(Var()); }) == "square: x: must be a matrix on a tape");
  CHECK(message_of<InvalidArgument>([&] { matmul(here, Var()); }) == "matmul: b: must be a matrix on a tape");
  CHECK(message_of<InvalidArgument>([&] { tape.evaluate(there); }) == "evaluate: x: must be on the same tape");
}

TEST_CASE("Tape: backward takes one number, once") {
  const auto backend = cpu_reference_backend();
  Tape tape(*backend);
  const Var x = matrix(tape, 2, 2);
  CHECK(message_of<InvalidArgument>([&] { tape.backward(x); }) == "backward: loss = 2 x 2: must be 1 x 1");
  CHECK(message_of<InvalidArgument>([&] { tape.scalar(x); }) == "scalar: x = 2 x 2: must be 1 x 1");
  const Var loss = sum(x);
  CHECK(tape.backward(loss) == 4.0);
  CHECK(contains(message_of<InvalidArgument>([&] { tape.backward(loss); }), {"backward: tape = used", "once a tape"}));
}

TEST_CASE("Tape: leaves must have a matrix") {
  const auto backend = cpu_reference_backend();
  Tape tape(*backend);
  Parameter empty{"table", {}};
  CHECK(message_of<InvalidArgument>([&] { tape.parameter(empty); }) ==
        "parameter: table = no matrix: must have a value");
  CHECK(message_of<InvalidArgument>([&] { tape.constant(Tensor()); }) == "constant: value = no matrix: must be one");
}

}  // namespace
}  // namespace tape_errors_test
}  // namespace graft::test

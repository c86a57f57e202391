// The float backend of the CPU against the one in double: elements, rows, memory. (Products and the optimiser:
// backend_products_test.cpp, backend_adam_test.cpp.)
#include "autodiff/backend.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "../support/check.hpp"
#include "backend_runs.hpp"

namespace backend_test {
namespace {

using graft::autodiff::Backend;
using graft::autodiff::Binary;
using graft::autodiff::cpu_backend;
using graft::autodiff::IndexList;
using graft::autodiff::Indices;
using graft::autodiff::RandomKey;
using graft::autodiff::Tensor;
using graft::autodiff::Unary;
using graft::test::check_alike;
using graft::test::draw;
using graft::test::Random;
using graft::test::some_tensor;
using graft::test::tensor_of;
using graft::test::Values;

using Shape = std::pair<std::int64_t, std::int64_t>;

/// Around the widths of vectors and tiles; the last is large enough for several threads.
constexpr std::array<Shape, 13> kShapes{{{0, 5},
                                         {5, 0},
                                         {1, 1},
                                         {1, 63},
                                         {7, 1},
                                         {3, 15},
                                         {2, 16},
                                         {4, 17},
                                         {5, 64},
                                         {65, 65},
                                         {192, 3},
                                         {193, 192},
                                         {9001, 67}}};

constexpr std::array<Unary, 13> kFunctions{Unary::scale,      Unary::shift,       Unary::square,     Unary::square_root,
                                           Unary::reciprocal, Unary::exponential, Unary::logarithm,  Unary::sigmoid,
                                           Unary::tanh,       Unary::relu,        Unary::leaky_relu, Unary::softplus,
                                           Unary::at_least};

bool needs_positive(Unary f) { return f == Unary::square_root || f == Unary::reciprocal || f == Unary::logarithm; }

TEST_CASE("map and map_gradient: every function at every shape, added or written, is that of the reference") {
  for (const Unary f : kFunctions) {
    CAPTURE(static_cast<int>(f));
    const double low = needs_positive(f) ? 0.1 : -4.0;
    for (const auto& [rows, cols] : kShapes) {
      CAPTURE(rows);
      CAPTURE(cols);
      check_alike([&, r = rows, c = cols](Backend& backend) {
        const Tensor x = some_tensor(backend, r, c, 1, low, 4.0);
        const Tensor y = backend.allocate(r, c);
        backend.map(f, 0.3, x, y);
        Values result = backend.download(y);
        for (const bool accumulate : {false, true}) {
          const Tensor dy = some_tensor(backend, r, c, 2);
          const Tensor dx = some_tensor(backend, r, c, 3);
          backend.map_gradient(f, 0.3, gradient_reads_input(f) ? x : Tensor{}, gradient_reads_output(f) ? y : Tensor{},
                               dy, dx, accumulate);
          const Values gradient = backend.download(dx);
          result.insert(result.end(), gradient.begin(), gradient.end());
        }
        backend.map(f, 0.3, x, x);  // in place
        const Values in_place = backend.download(x);
        result.insert(result.end(), in_place.begin(), in_place.end());
        return result;
      });
    }
  }
}

TEST_CASE("map: extreme values neither overflow on the way nor lose a NaN") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> extremes{0.0F,  -0.0F, 1e-30F, -1e-30F,  100.0F,    -100.0F, 88.0F,
                                    88.7F, 89.5F, 1e30F,  infinity, -infinity, -86.0F,  std::nanf("")};
  for (const Unary f :
       {Unary::exponential, Unary::sigmoid, Unary::softplus, Unary::leaky_relu, Unary::at_least, Unary::tanh}) {
    CAPTURE(static_cast<int>(f));
    check_alike([&](Backend& backend) {
      const Tensor x = tensor_of(backend, 1, static_cast<std::int64_t>(extremes.size()), extremes);
      backend.map(f, 0.01, x, x);
      Values values = backend.download(x);
      for (double& value : values) {
        if (value > 3.4028235e38) value = std::numeric_limits<double>::infinity();  // as float says it
      }
      return values;
    });
  }
}

TEST_CASE("map: the exponential is right to a few units in the last place wherever it is a normal float") {
  const auto backend = cpu_backend(1);
  const std::int64_t count = 200001;
  const std::vector<float> inputs = graft::test::some_floats(count, 5, -86.0, 88.7);
  const Tensor x = tensor_of(*backend, 1, count, inputs);
  backend->map(Unary::exponential, 0.0, x, x);
  const Values values = backend->download(x);
  double worst = 0.0;
  for (std::size_t e = 0; e < values.size(); ++e) {
    worst = std::max(worst, std::fabs(values[e] / std::exp(static_cast<double>(inputs[e])) - 1.0));
  }
  CHECK(worst < 3e-7);
}

TEST_CASE("map_gradient: the root has gradient 0 at 0, and bounds have it on their own side") {
  const auto backend = cpu_backend(1);
  const auto gradient = [&](Unary f, double p, const std::vector<float>& values) {
    const auto count = static_cast<std::int64_t>(values.size());
    const Tensor x = tensor_of(*backend, 1, count, values);
    const Tensor y = backend->allocate(1, count);
    const Tensor dy = backend->allocate(1, count);
    backend->fill(dy, 1.0);
    backend->map(f, p, x, y);
    backend->map_gradient(f, p, x, y, dy, dy, false);
    return backend->download(dy);
  };
  CHECK(gradient(Unary::square_root, 0.0, {0.0F, 4.0F}) == Values{0.0, 0.25});
  CHECK(gradient(Unary::at_least, 0.5, {0.25F, 0.5F, 0.75F}) == Values{0.0, 1.0, 1.0});
  CHECK(gradient(Unary::relu, 0.0, {-1.0F, 0.0F, 1.0F}) == Values{0.0, 0.0, 1.0});
  CHECK(gradient(Unary::leaky_relu, 0.5, {-1.0F, 0.0F, 1.0F}) == Values{0.5, 0.5, 1.0});
}

TEST_CASE("combine: all operations with a matrix, a row, a column and an element") {
  for (const Binary op : {Binary::add, Binary::subtract, Binary::multiply, Binary::divide}) {
    CAPTURE(static_cast<int>(op));
    for (const auto& [rows, cols] : kShapes) {
      for (const auto& [b_rows, b_cols] : {Shape{rows, cols}, Shape{1, cols}, Shape{rows, 1}, Shape{1, 1}}) {
        CAPTURE(rows);
        CAPTURE(cols);
        CAPTURE(b_rows);
        CAPTURE(b_cols);
        check_alike([&, r = rows, c = cols, br = b_rows, bc = b_cols](Backend& backend) {
          const Tensor a = some_tensor(backend, r, c, 1);
          const Tensor b = some_tensor(backend, br, bc, 2, 0.5, 2.0);
          const Tensor y = backend.allocate(r, c);
          backend.combine(op, a, b, y);
          backend.combine(op, a, b, a);
          backend.add_scaled(0.5, a, y);
          return backend.download(y);
        });
      }
    }
  }
}

TEST_CASE("sum_to: every direction, added or written") {
  for (const auto& [rows, cols] : kShapes) {
    for (const auto& [y_rows, y_cols] : {Shape{rows, cols}, Shape{1, cols}, Shape{rows, 1}, Shape{1, 1}}) {
      CAPTURE(rows);
      CAPTURE(cols);
      CAPTURE(y_rows);
      CAPTURE(y_cols);
      check_alike([&, r = rows, c = cols, yr = y_rows, yc = y_cols](Backend& backend) {
        const Tensor x = some_tensor(backend, r, c, 1, 0.0, 1.0);
        const Tensor y = backend.allocate(yr, yc);
        backend.fill(y, std::nan(""));
        backend.sum_to(x, y, false);
        backend.sum_to(x, y, true);
        return backend.download(y);
      });
    }
  }
}

TEST_CASE("row_dot, softmax, log_sum_exp: along rows of every length") {
  for (const auto& [rows, cols] : kShapes) {
    if (cols == 0) continue;
    CAPTURE(rows);
    CAPTURE(cols);
    check_alike([&, r = rows, c = cols](Backend& backend) {
      const Tensor a = some_tensor(backend, r, c, 1, -30.0, 30.0);
      const Tensor b = some_tensor(backend, r, c, 2);
      const Tensor column = backend.allocate(r, 1);
      backend.row_dot(b, b, column);
      Values result = backend.download(column);
      const auto append = [&](const Tensor& x) {
        const Values more = backend.download(x);
        result.insert(result.end(), more.begin(), more.end());
      };
      backend.log_sum_exp(a, column);
      append(column);
      backend.softmax(a, a);
      append(a);
      const Tensor dx = some_tensor(backend, r, c, 3);
      backend.softmax_gradient(a, b, dx, true);
      append(dx);
      backend.softmax_gradient(a, b, dx, false);
      append(dx);
      return result;
    });
  }
}

TEST_CASE("log_sum_exp and softmax: large and infinite elements") {
  const float infinity = std::numeric_limits<float>::infinity();
  const auto backend = cpu_backend(1);
  const Tensor x = tensor_of(*backend, 3, 2, {1000.0F, 1000.0F, -infinity, 0.0F, -infinity, -infinity});
  const Tensor y = backend->allocate(3, 1);
  backend->log_sum_exp(x, y);
  const Values sums = backend->download(y);
  CHECK(sums[0] == doctest::Approx(1000.0 + std::log(2.0)).epsilon(1e-7));
  CHECK(sums[1] == doctest::Approx(0.0));
  CHECK(sums[2] == -std::numeric_limits<double>::infinity());
  backend->softmax(x, x);
  const Values shares = backend->download(x);
  CHECK(shares[0] == 0.5);
  CHECK(shares[2] == 0.0);
  CHECK(shares[3] == 1.0);
}

TEST_CASE("gather, add_rows, sum_by_place: ids with repeats, in any order") {
  for (const std::int64_t cols : {1, 16, 17, 65}) {
    for (const std::int64_t count : {0, 1, 40, 20000}) {
      CAPTURE(cols);
      CAPTURE(count);
      Random random(9);
      std::vector<std::int32_t> ids;
      for (std::int64_t p = 0; p < count; ++p) ids.push_back(static_cast<std::int32_t>(draw(random, 0, 6999)));
      const Indices list = IndexList::make(ids, 7000);
      check_alike([&, c = cols, n = count](Backend& backend) {
        const Tensor x = some_tensor(backend, 7000, c, 1);
        const Tensor rows = backend.allocate(n, c);
        backend.gather(x, list->ids(), rows);
        const Tensor sums = backend.allocate(static_cast<std::int64_t>(list->distinct().size()), c);
        backend.sum_by_place(rows, *list, sums);
        backend.add_rows(sums, list->distinct(), x);
        return backend.download(x);
      });
    }
  }
}

TEST_CASE("copy_block: any block to any place, and nothing else is touched") {
  check_alike([](Backend& backend) {
    const Tensor x = some_tensor(backend, 900, 701, 1);
    const Tensor y = some_tensor(backend, 901, 703, 2);
    backend.copy_block(x, {1, 2}, y, {3, 5}, 800, 650, false);
    backend.copy_block(x, {10, 20}, y, {0, 0}, 850, 671, true);
    backend.copy_block(x, {0, 0}, y, {900, 702}, 1, 1, false);
    backend.copy_block(x, {5, 5}, y, {5, 5}, 0, 0, false);
    return backend.download(y);
  });
}

TEST_CASE("dropout_mask: a function of key and position; keeps its share and its mean") {
  for (const std::int64_t count : {1, 3, 5, 100003}) {
    check_alike([&](Backend& backend) {
      const Tensor mask = backend.allocate(1, count);
      backend.dropout_mask(RandomKey{7, 11}, 0.8, mask);
      return backend.download(mask);
    });
  }
  const auto backend = cpu_backend();
  const Tensor mask = backend->allocate(1000, 1000);
  const auto mean = [&](RandomKey key, double keep) {
    backend->dropout_mask(key, keep, mask);
    double sum = 0.0;
    for (const double value : backend->download(mask)) sum += value;
    return sum / 1e6;
  };
  CHECK(mean({7, 11}, 0.8) == doctest::Approx(1.0).epsilon(0.003));
  CHECK(mean({7, 12}, 0.1) == doctest::Approx(1.0).epsilon(0.02));
  CHECK(mean({7, 11}, 1.0) == 1.0);
  CHECK(mean({7, 11}, 0.8) != mean({8, 11}, 0.8));
}

TEST_CASE("upload and download: strided views of floats, and numbers in double") {
  const auto backend = cpu_backend(2);
  std::vector<float> numbers = graft::test::some_floats(50 * 20, 4);
  const Tensor x = backend->allocate(50, 13);
  backend->upload(x, graft::MatrixView<const float>(numbers.data() + 3, 50, 13, 20));
  std::vector<float> back(50 * 20, -7.0F);
  backend->download(x, graft::MatrixView<float>(back.data() + 3, 50, 13, 20));
  for (std::size_t e = 0; e < back.size(); ++e) {
    const bool inside = e % 20 >= 3 && e % 20 < 16;
    CHECK(back[e] == (inside ? numbers[e] : -7.0F));
  }
  const Values values = backend->download(x);
  CHECK(values[13] == static_cast<double>(numbers[23]));
  backend->upload(x, values);
  CHECK(backend->download(x) == values);
}

TEST_CASE("allocate: storage comes back, aligned, for the same or a slightly smaller size") {
  const auto backend = cpu_backend(1);
  for (const std::int64_t rows : {1, 100, 2048, 3000, 100000}) {
    CAPTURE(rows);
    Tensor x = backend->allocate(rows, 64);
    const void* storage = x.storage();
    CHECK(reinterpret_cast<std::uintptr_t>(storage) % 64 == 0);
    Tensor copy = x;
    x = backend->allocate(rows, 64);
    CHECK(x.storage() != storage);  // the copy still holds it
    copy = {};
    copy = backend->allocate(rows, 64);
    CHECK(copy.storage() == storage);
  }
  Tensor large = backend->allocate(3000, 4096);
  const void* storage = large.storage();
  large = {};
  large = backend->allocate(2950, 4096);
  CHECK(large.storage() == storage);
  large = {};
  backend->trim();
  CHECK(backend->allocate(0, 64));
  CHECK(backend->allocate(64, 0));
}

TEST_CASE("allocate: matrices outlive their backend; impossible sizes are OutOfMemory") {
  Tensor x;
  {
    const auto backend = cpu_backend(1);
    x = backend->allocate(100, 100);
    backend->fill(x, 1.0);
    CHECK(graft::test::contains(graft::test::message_of<graft::OutOfMemory>(
                                    [&] { static_cast<void>(backend->allocate(std::int64_t{1} << 40, 1 << 20)); }),
                                {"allocate", "smaller batch"}));
  }
  CHECK(x.size() == 10000);
}

TEST_CASE("cpu_backend: a negative number of threads is refused") {
  CHECK(graft::test::contains(
      graft::test::message_of<graft::InvalidArgument>([] { static_cast<void>(cpu_backend(-1)); }), {"threads", "-1"}));
}

}  // namespace
}  // namespace backend_test

#include <graft/core/matrix_view.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <type_traits>

#include <support/check.hpp>

namespace matrix_view_test {
namespace {

using graft::Features;
using graft::InvalidArgument;
using graft::Matrix;
using graft::MatrixView;
using graft::test::contains;
using graft::test::message_of;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

TEST_CASE("MatrixView: element (r, c) is data[r * stride + c]") {
  std::vector<float> values{0, 1, 2, -1, 4, 5, 6, -1};
  const MatrixView<float> view(values.data(), 2, 3, 4);
  CHECK(view.rows() == 2);
  CHECK(view.cols() == 3);
  CHECK(view.stride() == 4);
  CHECK(view(1, 2) == 6.0F);
  CHECK(view.row(1) == values.data() + 4);
  view(0, 1) = 9.0F;
  CHECK(values[1] == 9.0F);
  const MatrixView<const float> read = view;
  CHECK(read(0, 1) == 9.0F);
  CHECK(read.stride() == 4);
  CHECK(MatrixView<float>(values.data(), 2, 4).stride() == 4);
}

TEST_CASE("MatrixView: empty matrices may have null data") {
  CHECK(MatrixView<float>().rows() == 0);
  CHECK_NOTHROW(MatrixView<const float>(nullptr, 0, 7));
  CHECK_NOTHROW(MatrixView<const float>(nullptr, 7, 0));
}

TEST_CASE("MatrixView: refuses negative sizes, short strides, null data and sizes beyond 64 bits") {
  float value = 0.0F;
  const auto make = [](float* data, std::int64_t rows, std::int64_t cols, std::int64_t stride) {
    return message_of<InvalidArgument>([&] { MatrixView<float>(data, rows, cols, stride); });
  };
  CHECK(contains(make(&value, -1, 1, 1), {"rows = -1"}));
  CHECK(contains(make(&value, 1, -2, 1), {"cols = -2"}));
  CHECK(contains(make(&value, 1, 3, 2), {"stride = 2", "cols = 3"}));
  CHECK(contains(make(nullptr, 1, 1, 1), {"data = null"}));
  CHECK(contains(make(&value, kHuge, 1, 2), {"rows = 9223372036854775807", "64 bits"}));
  CHECK(contains(make(&value, kHuge / 4, 1, 2), {"64 bits"}));
}

TEST_CASE("Matrix: owns its values without padding") {
  Matrix matrix(2, 3, {0, 1, 2, 3, 4, 5});
  CHECK(matrix(1, 0) == 3.0F);
  CHECK(matrix.view()(1, 2) == 5.0F);
  CHECK(matrix.view().stride() == 3);
  matrix.mutable_view()(0, 0) = 7.0F;
  CHECK(matrix.values()[0] == 7.0F);
  const Matrix zeros(2, 2);
  CHECK(zeros(1, 1) == 0.0F);
  const Matrix no_rows(0, 5);
  const Matrix no_cols(5, 0);
  CHECK(no_rows.view().cols() == 5);
  CHECK(no_cols.view().rows() == 5);
}

TEST_CASE("Matrix: refuses negative and impossible sizes, and values of another size") {
  const auto error = [](const auto& make) { return message_of<InvalidArgument>(make); };
  CHECK(contains(error([] { Matrix(-1, 2); }), {"Matrix", "-1, 2"}));
  CHECK(contains(error([] { Matrix(2, -1); }), {"Matrix", "2, -1"}));
  CHECK(contains(error([] { Matrix(kHuge, 2); }), {"Matrix", "64 bits"}));
  CHECK(contains(error([] { Matrix(kHuge / 3, 1); }), {"Matrix", "64 bits"}));
  CHECK(contains(error([] { Matrix(2, 3, {1.0F}); }), {"values = 1 elements", "6"}));
  CHECK(contains(error([] { Matrix(2, 3, {}); }), {"values = 0 elements", "6"}));
  CHECK(contains(error([] { Matrix(-2, -3, std::vector<float>(6)); }), {"-2, -3"}));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their allocators end the program instead
TEST_CASE("Matrix: memory that the system refuses is OutOfMemory") {
  const std::string text = message_of<graft::OutOfMemory>([] { Matrix(std::int64_t{1} << 50, 1024); });
  CHECK(contains(text, {"Matrix", "refused"}));
}
#endif

TEST_CASE("Features: made of a view, a mutable view, an owner or a temporary owner") {
  Matrix matrix(2, 3);
  const auto rows = [](const Features& features) { return features.rows(); };
  CHECK(rows(matrix) == 2);
  CHECK(rows(matrix.view()) == 2);
  CHECK(rows(matrix.mutable_view()) == 2);
  CHECK(rows(Matrix(4, 1)) == 4);
  CHECK(rows(MatrixView<const float>()) == 0);
}

static_assert(!std::is_convertible_v<Matrix, MatrixView<const float>>, "a view of a temporary matrix would dangle");
static_assert(std::is_convertible_v<const Matrix&, MatrixView<const float>>);
static_assert(!std::is_convertible_v<MatrixView<const float>, MatrixView<float>>);
static_assert(!std::is_convertible_v<MatrixView<double>, Features>);

}  // namespace
}  // namespace matrix_view_test

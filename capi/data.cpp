// Matrices and interactions.
#include <graft/detail/dlpack.hpp>

#include "internal.hpp"

namespace graft::capi {
namespace {

using detail::DlTensor;
using detail::kDlCpu;
using detail::kDlCudaHost;
using detail::kDlFloat;

graft_matrix_view view_of_dlpack(const char* operation, const DlTensor& tensor) {
  if (tensor.device.type != kDlCpu && tensor.device.type != kDlCudaHost) {
    refuse(operation, "tensor's device type", std::to_string(tensor.device.type), "must be the host (1 or 3)");
  }
  if (tensor.dimensions != 2) {
    refuse(operation, "tensor's dimensions", std::to_string(tensor.dimensions), "must be 2");
  }
  if (tensor.type.code != kDlFloat || tensor.type.bits != 32 || tensor.type.lanes != 1) {
    refuse(operation, "tensor's type",
           "code " + std::to_string(tensor.type.code) + ", " + std::to_string(tensor.type.bits) + " bits, " +
               std::to_string(tensor.type.lanes) + " lanes",
           "must be float32 (code 2, 32 bits, 1 lane)");
  }
  required(operation, "tensor's shape", tensor.shape);
  const std::int64_t rows = tensor.shape[0];
  const std::int64_t cols = tensor.shape[1];
  std::int64_t stride = cols;
  if (tensor.strides != nullptr) {
    if (tensor.strides[1] != 1 && cols > 1) {
      refuse(operation, "tensor's strides[1]", std::to_string(tensor.strides[1]),
             "must be 1: elements of a row side by side");
    }
    if (rows > 1) stride = tensor.strides[0];
  }
  const auto* data = static_cast<const char*>(tensor.data);
  if (data != nullptr) data += tensor.byte_offset;
  const graft_matrix_view view{reinterpret_cast<const float*>(data), rows, cols, stride};
  matrix_of(operation, "tensor", &view);
  return view;
}

graft_inter_options default_inter() {
  return {.size = sizeof(graft_inter_options), .split = GRAFT_SPLIT_TRAIN, .users = -1, .items = -1};
}

template <class Offset>
graft_status interactions_from_csr(const char* operation, std::int64_t users, std::int64_t items,
                                   const Offset* row_offsets, const std::int32_t* columns, graft_interactions** out) {
  return produce(operation, out, [&] {
    const auto rows = offsets(operation, "row_offsets", row_offsets, users);
    const auto ids = array(operation, "columns", columns, static_cast<std::int64_t>(rows.back()));
    return graft_interactions{Interactions::from_csr(users, items, rows, ids)};
  });
}

}  // namespace

MatrixView<const float> matrix_of(const char* operation, const char* argument, const graft_matrix_view* view) {
  const graft_matrix_view& given = required(operation, argument, view);
  try {
    return {given.data, given.rows, given.cols, given.stride};
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(std::string(operation) + ": " + argument + ": " + error.what());
  }
}

const Interactions& interactions_of(const char* operation, const graft_interactions* interactions) {
  return required(operation, "interactions", interactions).interactions;
}

}  // namespace graft::capi

using namespace graft::capi;  // NOLINT(google-build-using-namespace): the functions below stand outside of it

graft_status graft_matrix_get(const graft_matrix* matrix, graft_matrix_view* out) {
  return fill("graft_matrix_get", out, [&] {
    const graft::Matrix& owner = required("graft_matrix_get", "matrix", matrix).matrix;
    return graft_matrix_view{owner.values().data(), owner.rows(), owner.cols(), owner.cols()};
  });
}

void graft_matrix_free(graft_matrix* matrix) { free_handle(matrix); }

graft_status graft_read_npy(const char* path, graft_matrix** out) {
  return produce("graft_read_npy", out,
                 [&] { return graft_matrix{graft::read_npy(&required("graft_read_npy", "path", path))}; });
}

graft_status graft_write_npy(const char* path, const graft_matrix_view* matrix) {
  return guarded([&] {
    required("graft_write_npy", "path", path);
    graft::write_npy(path, matrix_of("graft_write_npy", "matrix", matrix));
  });
}

graft_status graft_matrix_view_from_dlpack(const DLManagedTensor* tensor, graft_matrix_view* out) {
  constexpr const char* kOperation = "graft_matrix_view_from_dlpack";
  return fill(kOperation, out, [&] {
    required(kOperation, "tensor", tensor);
    // a managed tensor starts with its tensor
    return view_of_dlpack(kOperation, *reinterpret_cast<const DlTensor*>(tensor));
  });
}

graft_status graft_interactions_from_coo(int64_t users, int64_t items, int64_t pairs, const int32_t* user_ids,
                                         const int32_t* item_ids, graft_interactions** out) {
  constexpr const char* kOperation = "graft_interactions_from_coo";
  return produce(kOperation, out, [&] {
    const auto who = array(kOperation, "user_ids", user_ids, pairs);
    const auto what = array(kOperation, "item_ids", item_ids, pairs);
    return graft_interactions{graft::Interactions::from_pairs(who, what, users, items)};
  });
}

graft_status graft_interactions_from_csr(int64_t users, int64_t items, const int64_t* row_offsets,
                                         const int32_t* columns, graft_interactions** out) {
  return interactions_from_csr("graft_interactions_from_csr", users, items, row_offsets, columns, out);
}

graft_status graft_interactions_from_csr32(int64_t users, int64_t items, const int32_t* row_offsets,
                                           const int32_t* columns, graft_interactions** out) {
  return interactions_from_csr("graft_interactions_from_csr32", users, items, row_offsets, columns, out);
}

graft_status graft_inter_options_init(graft_inter_options* options, size_t size) {
  return init_options("graft_inter_options_init", options, size, default_inter());
}

graft_status graft_read_inter(const char* path, const graft_inter_options* options, graft_interactions** out) {
  constexpr const char* kOperation = "graft_read_inter";
  return produce(kOperation, out, [&] {
    required(kOperation, "path", path);
    const graft_inter_options given = options_or(kOperation, options, default_inter());
    const graft::Split split = choice(kOperation, "options.split", given.split, graft::Split::all);
    return graft_interactions{graft::read_inter(path, {.split = split, .items = given.items, .users = given.users})};
  });
}

graft_status graft_interactions_get(const graft_interactions* interactions, graft_interactions_view* out) {
  return fill("graft_interactions_get", out, [&] {
    const graft::Interactions& owner = interactions_of("graft_interactions_get", interactions);
    return graft_interactions_view{.users = owner.users(),
                                   .items = owner.items(),
                                   .pairs = owner.size(),
                                   .duplicates = owner.duplicates(),
                                   .user_offsets = owner.user_offsets().data(),
                                   .user_items = owner.user_items().data(),
                                   .item_offsets = owner.item_offsets().data(),
                                   .item_users = owner.item_users().data()};
  });
}

void graft_interactions_free(graft_interactions* interactions) { free_handle(interactions); }

// Handles of the C API that free themselves, for tests.
#pragma once

#include <graft.h>

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace graft::test {

struct Freed {
  void operator()(graft_graph* handle) const { graft_graph_free(handle); }
  void operator()(graft_matrix* handle) const { graft_matrix_free(handle); }
  void operator()(graft_interactions* handle) const { graft_interactions_free(handle); }
  void operator()(graft_ranking* handle) const { graft_ranking_free(handle); }
  void operator()(graft_context* handle) const { graft_context_free(handle); }
  void operator()(graft_device_graph* handle) const { graft_device_graph_free(handle); }
  void operator()(graft_device_matrix* handle) const { graft_device_matrix_free(handle); }
};
template <class Handle>
using Owned = std::unique_ptr<Handle, Freed>;

/// The handle that a call gives; the call must succeed.
template <class Handle, class Call>
Owned<Handle> made(const Call& call) {
  Handle* handle = nullptr;
  const graft_status status = call(&handle);
  REQUIRE_MESSAGE(status == GRAFT_OK, graft_last_error());
  REQUIRE(handle != nullptr);
  return Owned<Handle>(handle);
}

/// Status and message of a call that must fail and set its output to NULL.
template <class Handle, class Call>
std::string refused(graft_status expected, const Call& call) {
  alignas(Handle*) static char somewhere;
  auto* handle = reinterpret_cast<Handle*>(&somewhere);
  const graft_status status = call(&handle);
  CHECK(status == expected);
  CHECK(handle == nullptr);
  return status == GRAFT_OK ? "NO ERROR" : graft_last_error();
}

}  // namespace graft::test

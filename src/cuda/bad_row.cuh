// The first row that a kernel has to complain of.
#pragma once

#include <cstdint>

#include "runtime.hpp"

namespace graft::cuda {

using BadRow = unsigned long long;  // what atomicMin takes; all ones: none

inline __device__ void report_row(BadRow* bad, std::int64_t row) { atomicMin(bad, static_cast<BadRow>(row)); }

class BadRowFlag {
 public:
  explicit BadRowFlag(Session& session) : session_(session), row_(session.buffer<BadRow>(1, "a row's number")) {
    row_.fill_bytes(0xFF);
  }
  [[nodiscard]] BadRow* data() const { return row_.data(); }

  /// Waits for the stream. @return the first row that was reported, or -1
  [[nodiscard]] std::int64_t found() const {
    BadRow row = 0;
    row_.download(&row, 1);
    session_.stream().wait();
    return row == ~BadRow{0} ? -1 : static_cast<std::int64_t>(row);
  }

 private:
  Session& session_;
  Buffer<BadRow> row_;
};

}  // namespace graft::cuda

// What the process returns, and the exception for a command line that cannot be run.
#pragma once

#include <stdexcept>

namespace graft::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;         ///< data, input or output
inline constexpr int kUsage = 2;          ///< the command line itself
inline constexpr int kInterrupted = 130;  ///< SIGINT, SIGTERM or SIGHUP

/// An option is unknown, missing or has a value that is not allowed. The message starts with the option.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace graft::cli

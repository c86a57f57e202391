// Exceptions of graft.
//
// Every message reads "operator: argument: value: what is allowed (or how to mend it)".
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace graft {

/// Base of every exception that graft throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An argument has a value that the operator does not accept.
class InvalidArgument : public Error {
 public:
  using Error::Error;
};

/// A file cannot be opened, read, written or renamed.
class IoError : public Error {
 public:
  using Error::Error;
};

/// A file was read but its content is not what its format allows.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// The requested device or numeric path is not available here.
class BackendUnavailable : public Error {
 public:
  using Error::Error;
};

/// The memory budget of the Context is too small, or the system refused an allocation.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

/// The Context was cancelled; inputs are untouched and no partial result exists.
class Cancelled : public Error {
 public:
  using Error::Error;
};

namespace detail {

/// Joins the parts of an error message: "operation: argument: value: allowed".
inline std::string message(std::string_view operation, std::string_view argument, std::string_view value,
                           std::string_view allowed) {
  std::string text;
  text.reserve(operation.size() + argument.size() + value.size() + allowed.size() + 8);
  text.append(operation).append(": ").append(argument);
  if (!value.empty()) text.append(" = ").append(value);
  text.append(": ").append(allowed);
  return text;
}

}  // namespace detail
}  // namespace graft

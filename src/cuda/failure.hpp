// How the plug-in's own functions fail: an exception that the seam turns into a status and a text.
#pragma once

#include <stdexcept>
#include <string>

#include <graft/detail/cuda_seam.hpp>

namespace graft::cuda {

namespace seam = graft::detail::cuda;

class Failure : public std::runtime_error {
 public:
  Failure(seam::Status status, const std::string& text) : std::runtime_error(text), status_(status) {}
  [[nodiscard]] seam::Status status() const { return status_; }

 private:
  seam::Status status_;
};

/// Copies a text into the caller's room, cut to fit.
inline void write_message(const seam::Message& message, const std::string& text) {
  if (message.text == nullptr || message.bytes <= 0) return;
  const std::size_t size = text.copy(message.text, static_cast<std::size_t>(message.bytes - 1));
  message.text[size] = '\0';
}

}  // namespace graft::cuda

// The refusal of an option of training, which every face of the library words in its own names.
#pragma once

#include <string>
#include <utility>

#include <graft/core/error.hpp>

namespace graft::training {

/// What training's messages and progress begin with.
inline constexpr const char* kTrainOperation = "train";

/// A value in TrainOptions that is refused: always, by this model, or for these data. Its message is
/// "train: OPTION = VALUE: ALLOWED".
class InvalidOption : public InvalidArgument {
 public:
  /// @param option  its name in TrainOptions; "settings" has values such as "epochs=0"
  InvalidOption(std::string option, std::string value, std::string allowed)
      : InvalidArgument(detail::message(kTrainOperation, option, value, allowed)),
        option_(std::move(option)),
        value_(std::move(value)),
        allowed_(std::move(allowed)) {}

  [[nodiscard]] const std::string& option() const& { return option_; }
  [[nodiscard]] const std::string& value() const& { return value_; }
  [[nodiscard]] const std::string& allowed() const& { return allowed_; }

 private:
  std::string option_;
  std::string value_;
  std::string allowed_;
};

}  // namespace graft::training

// Named values of a model and of the trainer: what `--set key=value` changes.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace graft::training {

using SettingValue = std::variant<bool, std::int64_t, double, std::string>;

/// A setting that exists: its name, its default (whose type is the setting's type), what it does and what is allowed.
struct SettingSpec {
  std::string name;
  SettingValue default_value;
  std::string description;                                  ///< one line, for --help and the documentation
  double least = -std::numeric_limits<double>::infinity();  ///< inclusive, of numbers
  double most = std::numeric_limits<double>::infinity();    ///< inclusive, of numbers
  std::vector<std::string> choices = {};                    ///< of words; empty: any
  /// Also names this setting followed by `_` and a modality: `threshold_image`. Such a value has no default of its own.
  bool per_modality = false;
};

/// The values of a run.
class Settings {
 public:
  Settings() = default;
  /// Defaults. A name given twice keeps the last: a model may change a default of the trainer.
  explicit Settings(std::vector<SettingSpec> specs);

  /// "key=value". Booleans are true/false, yes/no, on/off, 1/0.
  /// @throws InvalidOption: unknown key (suggests the nearest and names the rest), value that does not parse, is not
  ///         finite, out of range or not among the choices
  void assign(std::string_view key_and_value);
  void assign(std::string_view key, std::string_view value);
  /// @throws InvalidOption for a value that was given for a modality which is not among these
  void check_modalities(std::span<const std::string> modalities) const;

  // The value of a setting of that type (a whole number also reads as real). An unknown name is a programming error.
  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] double real(std::string_view name) const;
  [[nodiscard]] const std::string& word(std::string_view name) const;
  /// The value for a modality, or the setting's own where none was given.
  [[nodiscard]] double real(std::string_view name, std::string_view modality) const;

  [[nodiscard]] std::span<const SettingSpec> specs() const& { return specs_; }
  /// In the order of the specs, then the values given for modalities by name.
  [[nodiscard]] std::vector<std::pair<std::string, SettingValue>> values() const;

 private:
  [[nodiscard]] const SettingValue& value(std::string_view name) const;

  std::vector<SettingSpec> specs_;
  std::vector<SettingValue> values_;
  std::vector<std::pair<std::string, SettingValue>> modality_values_;
};

/// A value as a setting takes it: "true", "2048", "0.001".
std::string text_of(const SettingValue& value);

}  // namespace graft::training

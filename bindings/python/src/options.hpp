// Options of an operator, from a Python dict; every refusal names the operator, the option and the value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <pybind11/pybind11.h>

#include <graft/core/context.hpp>
#include <graft/core/error.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/row_range.hpp>
#include <graft/io/inter.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/propagate.hpp>
#include <graft/ops/refine.hpp>

namespace graft::python {

/// One spelling of a choice.
template <class Value>
struct Choice {
  const char* spelling;
  Value value;
};

inline constexpr Choice<Backend> kBackends[] = {
    {"cpu", Backend::cpu}, {"cuda", Backend::cuda}, {"auto", Backend::automatic}};
inline constexpr Choice<NumericPath> kNumericPaths[] = {{"automatic", NumericPath::automatic},
                                                        {"baseline", NumericPath::baseline},
                                                        {"avx2", NumericPath::avx2},
                                                        {"avx512", NumericPath::avx512}};
inline constexpr Choice<Metric> kMetrics[] = {{"cosine", Metric::cosine}, {"dot", Metric::dot}, {"l2", Metric::l2}};
inline constexpr Choice<Self> kSelves[] = {{"drop", Self::drop}, {"keep", Self::keep}};
inline constexpr Choice<Weights> kWeights[] = {{"similarity", Weights::similarity}, {"binary", Weights::binary}};
inline constexpr Choice<AudienceMeasure> kMeasures[] = {{"jaccard", AudienceMeasure::jaccard},
                                                        {"cosine", AudienceMeasure::cosine},
                                                        {"overlap", AudienceMeasure::overlap},
                                                        {"pmi", AudienceMeasure::pmi},
                                                        {"log_likelihood", AudienceMeasure::log_likelihood}};
inline constexpr Choice<Identical> kIdenticals[] = {
    {"keep", Identical::keep}, {"drop", Identical::drop}, {"reference", Identical::reference}};
inline constexpr Choice<Symmetrization> kSymmetrizations[] = {
    {"max", Symmetrization::max}, {"mean", Symmetrization::mean}, {"min", Symmetrization::min}};
inline constexpr Choice<Normalization> kNormalizations[] = {
    {"symmetric", Normalization::symmetric}, {"row", Normalization::row}, {"none", Normalization::none}};
inline constexpr Choice<Aggregation> kAggregations[] = {{"sum", Aggregation::sum}, {"mean", Aggregation::mean}};
inline constexpr Choice<Preset> kPresets[] = {
    {"noself", Preset::noself}, {"reference", Preset::reference}, {"paper", Preset::paper}};
inline constexpr Choice<Split> kSplits[] = {
    {"train", Split::train}, {"valid", Split::valid}, {"test", Split::test}, {"all", Split::all}};
inline constexpr Choice<Unsorted> kUnsorted[] = {{"refuse", Unsorted::refuse},
                                                 {"sort_and_sum", Unsorted::sort_and_sum}};

/// The path that os.fsencode gave: any bytes that a file name may have.
std::filesystem::path path_of(const pybind11::handle& path);

/// Reads a dict of options into fields that hold their defaults. An absent option, or None, leaves its field alone.
/// A value of a wrong type is a TypeError, a value out of the field's range an InvalidArgument.
class Options {
 public:
  /// @param operation  for messages; must outlive this
  Options(const char* operation, pybind11::dict values) : operation_(operation), values_(std::move(values)) {}

  [[nodiscard]] const char* operation() const { return operation_; }

  void read(const char* name, std::int64_t& value) const;
  void read(const char* name, std::uint64_t& value) const;
  void read(const char* name, double& value) const;
  void read(const char* name, float& value) const;
  void read(const char* name, bool& value) const;
  void read(const char* name, std::string& value) const;
  void read(const char* name, RowRange& value) const;

  template <class T>
  void read(const char* name, std::optional<T>& value) const {
    if (!has(name)) return;
    T given{};
    read(name, given);
    value = given;
  }

  template <class Value, std::size_t N>
  void read(const char* name, Value& value, const Choice<Value> (&choices)[N]) const {
    if (!has(name)) return;
    const std::string spelling = text(name);
    std::string allowed;
    for (const auto& choice : choices) {
      if (spelling == choice.spelling) {
        value = choice.value;
        return;
      }
      allowed.append(allowed.empty() ? "must be one of " : ", ").append("'").append(choice.spelling).append("'");
    }
    refuse(name, allowed);
  }

  template <class Value, std::size_t N>
  void read(const char* name, std::optional<Value>& value, const Choice<Value> (&choices)[N]) const {
    if (!has(name)) return;
    Value given{};
    read(name, given, choices);
    value = given;
  }

  /// As `read`, for options without a default. @throws TypeError if it is absent or None
  template <class Value, class... Choices>
  void require(const char* name, Value& value, const Choices&... choices) const {
    if (!has(name)) throw pybind11::type_error(detail::message(operation_, name, "None", "is required"));
    read(name, value, choices...);
  }

  [[nodiscard]] bool has(const char* name) const {
    return values_.contains(name) && !pybind11::object(values_[name]).is_none();
  }

 private:
  [[nodiscard]] pybind11::object given(const char* name) const { return values_[name]; }
  [[nodiscard]] std::string text(const char* name) const;
  /// @throws InvalidArgument
  [[noreturn]] void refuse(const char* name, std::string_view allowed) const;
  /// @throws TypeError
  [[noreturn]] void refuse_type(const char* name, std::string_view allowed) const;

  const char* operation_;
  pybind11::dict values_;
};

}  // namespace graft::python

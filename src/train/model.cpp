#include "train/model.hpp"

#include <cmath>
#include <utility>

#include <graft/core/error.hpp>

#include "train/invalid_option.hpp"
#include "train/nearest_name.hpp"

namespace graft::training {
namespace {

/// The random stream of a parameter: a hash of its name (FNV-1a), apart from the numbers of the trainer's streams,
/// which have a small purpose in their highest byte.
std::uint64_t stream_of(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash | 0xFF00000000000000;
}

/// Half the width of a uniform distribution, or the standard deviation of a normal one.
double spread_of(Initializer initializer, std::int64_t rows, std::int64_t cols, std::int64_t fan_in) {
  const auto fans = static_cast<double>(rows + cols);
  switch (initializer) {
    case Initializer::xavier_uniform:
      return std::sqrt(6.0 / fans);
    case Initializer::xavier_normal:
      return std::sqrt(2.0 / fans);
    case Initializer::torch_linear:
      return 1.0 / std::sqrt(static_cast<double>(fan_in));
    case Initializer::zeros:
      break;
  }
  return 0.0;
}

}  // namespace

void Model::load_state(std::span<const std::byte> state) {
  if (state.empty()) return;
  throw InvalidArgument(detail::message("model", "state", std::to_string(state.size()) + " bytes",
                                        "must be none: the model has no state besides its parameters"));
}

autodiff::Parameter& ParameterStore::add(std::string name, std::int64_t rows, std::int64_t cols,
                                         Initializer initializer, std::int64_t fan_in) {
  if (initializer == Initializer::torch_linear && fan_in < 1) {
    throw InvalidArgument(detail::message("parameter " + name, "fan_in", std::to_string(fan_in), "must be >= 1"));
  }
  autodiff::Parameter& parameter = insert(std::move(name), rows, cols);
  if (initializer == Initializer::zeros) {
    backend_.fill(parameter.value, 0.0);
    return parameter;
  }
  Matrix values(rows, cols);
  data::RandomStream random(seed_, stream_of(parameter.name));
  const double spread = spread_of(initializer, rows, cols, fan_in);
  float* at = values.mutable_view().data();
  for (std::int64_t i = 0; i < rows * cols; ++i) {
    const double drawn = initializer == Initializer::xavier_normal ? random.normal() : 2.0 * random.uniform() - 1.0;
    at[i] = static_cast<float>(spread * drawn);
  }
  backend_.upload(parameter.value, values.view());
  return parameter;
}

autodiff::Parameter& ParameterStore::add(std::string name, MatrixView<const float> value) {
  autodiff::Parameter& parameter = insert(std::move(name), value.rows(), value.cols());
  backend_.upload(parameter.value, value);
  return parameter;
}

autodiff::Parameter& ParameterStore::insert(std::string name, std::int64_t rows, std::int64_t cols) {
  for (const autodiff::Parameter& parameter : parameters_) {
    if (parameter.name == name) {
      throw InvalidArgument(detail::message("parameter", "name", name, "the model has one of that name already"));
    }
  }
  autodiff::Tensor value = backend_.allocate(rows, cols);
  return parameters_.emplace_back(autodiff::Parameter{.name = std::move(name), .value = std::move(value)});
}

void ModelRegistry::add(ModelEntry entry) {
  for (const ModelEntry& known : entries_) {
    if (known.name == entry.name) {
      throw InvalidArgument(detail::message("add model", "name", entry.name, "there is a model of that name already"));
    }
  }
  entries_.push_back(std::move(entry));
}

const ModelEntry& ModelRegistry::find(std::string_view name) const {
  std::vector<std::string> names;
  for (const ModelEntry& entry : entries_) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  throw InvalidOption("model", std::string(name), "no such model; " + name_hint(name, names));
}

}  // namespace graft::training

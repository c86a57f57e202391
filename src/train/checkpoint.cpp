#include "train/checkpoint.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/detail/atomic_file.hpp>
#include <graft/detail/bytes.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/file_reader.hpp>

#include "train/epoch_json.hpp"

namespace graft::training {
namespace {

using autodiff::Backend;
using autodiff::Parameter;
using autodiff::Tensor;
using detail::as_size;
using Json = nlohmann::ordered_json;

constexpr const char* kCheckpointFile = "checkpoint";
constexpr std::string_view kMagic = "GRAFTRUN";
constexpr std::uint32_t kVersion = 1;
constexpr std::int64_t kFrame = 8 + 4 + 8;  ///< magic, version, length of the head
constexpr std::int64_t kCrcBytes = 4;
constexpr std::int64_t kBlockElements = std::int64_t{1} << 20U;  ///< that are moved between host and backend at a time

std::uint32_t crc_of(std::uint32_t before, std::span<const std::byte> bytes) {
  if (bytes.empty()) return before;  // zlib takes a null pointer for a request to begin
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): zlib's type of a byte
  return static_cast<std::uint32_t>(crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// Calls body(first row, rows) for blocks of rows that cover a matrix.
template <class Body>
void for_row_blocks(std::int64_t rows, std::int64_t cols, const Body& body) {
  const std::int64_t step = std::max<std::int64_t>(1, kBlockElements / std::max<std::int64_t>(1, cols));
  for (std::int64_t row = 0; row < rows; row += step) body(row, std::min(step, rows - row));
}

class Writer {
 public:
  Writer(const std::filesystem::path& path, Backend& backend) : file_(kCheckpointFile, path), backend_(backend) {}

  void put(std::span<const std::byte> bytes) {
    crc_ = crc_of(crc_, bytes);
    file_.write(bytes);
  }

  void put(const Matrix& matrix) { put(std::as_bytes(matrix.values())); }

  void put(const Tensor& tensor) {
    for_row_blocks(tensor.rows(), tensor.cols(), [&](std::int64_t row, std::int64_t rows) {
      const Tensor block = backend_.allocate(rows, tensor.cols());
      backend_.copy_block(tensor, {row, 0}, block, {0, 0}, rows, tensor.cols(), false);
      Matrix values(rows, tensor.cols());
      backend_.download(block, values.mutable_view());
      put(values);
    });
  }

  void commit() {
    detail::Bytes crc;
    detail::append_little(crc, crc_);
    file_.write(crc);
    file_.commit();
  }

 private:
  detail::AtomicFile file_;
  Backend& backend_;
  std::uint32_t crc_ = 0;
};

Json head_of(const std::string& identity, const TrainingState& state, const std::deque<Parameter>& parameters,
             const Adam& adam, std::size_t model_state_bytes) {
  Json log = Json::array();
  for (const EpochReport& report : state.log) log.push_back(epoch_json(report));
  Json table = Json::array();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    table.push_back({{"name", parameters[p].name},
                     {"rows", parameters[p].value.rows()},
                     {"cols", parameters[p].value.cols()},
                     {"steps", adam.moments(p).steps}});
  }
  return {{"identity", identity},       {"epoch", state.epoch},     {"batch", state.batch},
          {"loss_sum", state.loss_sum}, {"seconds", state.seconds}, {"has_best", !state.best_weights.empty()},
          {"log", std::move(log)},      {"parameters", table},      {"model_state_bytes", model_state_bytes}};
}

/// @throws FormatError unless the file is a whole, undamaged checkpoint of this version
void check_frame(const detail::FileReader& file) {
  const auto fail = [&](const std::string& what) { file.fail("content", "", what); };
  detail::Bytes buffer(as_size(kFrame));
  if (file.size() < kFrame + kCrcBytes) fail("is too short for a checkpoint; delete it to start from the beginning");
  file.read_at(0, buffer);
  if (!std::equal(kMagic.begin(), kMagic.end(), buffer.begin(),
                  [](char c, std::byte b) { return static_cast<std::byte>(c) == b; })) {
    fail("is no checkpoint of graft");
  }
  const auto version = detail::load_little<std::uint32_t>(buffer.data() + kMagic.size());
  if (version != kVersion) {
    fail(fmt::format("has format version {}; this version of graft reads {}", version, kVersion));
  }
  const std::int64_t end = file.size() - kCrcBytes;
  std::uint32_t crc = 0;
  buffer.resize(as_size(kBlockElements));
  for (std::int64_t at = 0; at < end;) {
    const std::span<std::byte> piece = std::span(buffer).first(as_size(std::min(kBlockElements, end - at)));
    file.read_at(at, piece);
    crc = crc_of(crc, piece);
    at += static_cast<std::int64_t>(piece.size());
  }
  file.read_at(end, std::span(buffer).first(as_size(kCrcBytes)));
  if (detail::load_little<std::uint32_t>(buffer.data()) != crc) {
    fail("is damaged (checksum differs); delete it to start from the beginning");
  }
}

Json read_head(detail::FileSource& source) {
  detail::Bytes frame(as_size(kFrame));
  source.read(frame);
  const auto length = detail::load_little<std::uint64_t>(frame.data() + kFrame - sizeof(std::uint64_t));
  if (length > as_size(source.remaining())) source.fail("head", std::to_string(length) + " bytes", "are not there");
  std::string text(length, ' ');
  source.read(std::as_writable_bytes(std::span(text)));
  Json head = Json::parse(text, nullptr, false);
  if (head.is_discarded()) source.fail("head", "", "is no JSON");
  return head;
}

TrainingState state_of(const Json& head) {
  TrainingState state;
  state.epoch = head.at("epoch").get<std::int64_t>();
  state.batch = head.at("batch").get<std::int64_t>();
  state.loss_sum = head.at("loss_sum").get<double>();
  state.seconds = head.at("seconds").get<double>();
  for (const Json& report : head.at("log")) state.log.push_back(epoch_of(report));
  return state;
}

/// "weights [7050 x 64]", for parameters of the file and of the model.
std::string words_of(const Json& entry) {
  return fmt::format("{} [{} x {}]", entry.at("name").get<std::string>(), entry.at("rows").get<std::int64_t>(),
                     entry.at("cols").get<std::int64_t>());
}

std::string words_of(const Parameter& parameter) {
  return fmt::format("{} [{} x {}]", parameter.name, parameter.value.rows(), parameter.value.cols());
}

void check_parameters(const detail::FileSource& source, const Json& table, const std::deque<Parameter>& parameters) {
  const std::size_t most = std::max(table.size(), parameters.size());
  for (std::size_t p = 0; p < most; ++p) {
    const std::string stored = p < table.size() ? words_of(table[p]) : "none";
    const std::string expected = p < parameters.size() ? words_of(parameters[p]) : "none";
    if (stored == expected) continue;
    source.fail(fmt::format("parameter {}", p), stored,
                fmt::format("the model has {}: the checkpoint is of another version of the model", expected));
  }
}

Matrix read_matrix(detail::FileSource& source, std::int64_t rows, std::int64_t cols) {
  Matrix values(rows, cols);
  source.read(std::as_writable_bytes(std::span(values.mutable_view().data(), as_size(rows * cols))));
  return values;
}

void read_tensor(detail::FileSource& source, Backend& backend, const Tensor& tensor) {
  for_row_blocks(tensor.rows(), tensor.cols(), [&](std::int64_t row, std::int64_t rows) {
    const Matrix values = read_matrix(source, rows, tensor.cols());
    const Tensor block = backend.allocate(rows, tensor.cols());
    backend.upload(block, values.view());
    backend.copy_block(block, {0, 0}, tensor, {row, 0}, rows, tensor.cols(), false);
  });
}

void read_arrays(detail::FileSource& source, const Json& head, Trainer& trainer, TrainingState& state) {
  Adam& adam = trainer.settled_adam();
  auto& parameters = trainer.parameters().all();
  const bool has_best = head.at("has_best").get<bool>();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    Backend& backend = trainer.parameters().backend();
    const Tensor& value = parameters[p].value;
    const Adam::Moments moments = adam.moments(p);
    read_tensor(source, backend, value);
    read_tensor(source, backend, moments.first);
    read_tensor(source, backend, moments.second);
    adam.restore_steps(p, head.at("parameters")[p].at("steps").get<std::int64_t>());
    if (has_best) state.best_weights.push_back(read_matrix(source, value.rows(), value.cols()));
  }
}

void read_model_state(detail::FileSource& source, const Json& head, Model& model) {
  const auto size = head.at("model_state_bytes").get<std::uint64_t>();
  if (size > as_size(source.remaining())) source.fail("model state", std::to_string(size) + " bytes", "are not there");
  std::vector<std::byte> state(size);
  source.read(state);
  try {
    model.load_state(state);
  } catch (const InvalidArgument& error) {
    source.fail("model state", std::to_string(size) + " bytes",
                fmt::format("the checkpoint is of another version of the model ({})", error.what()));
  }
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const std::string& identity, Trainer& trainer) {
  const Adam& adam = trainer.settled_adam();
  const TrainingState& state = trainer.state();
  const auto& parameters = trainer.parameters().all();
  std::vector<std::byte> model_state;
  if (state.batch > 0) model_state = trainer.model().save_state();
  const std::string head = head_of(identity, state, parameters, adam, model_state.size()).dump();
  detail::Bytes frame;
  detail::append_text(frame, kMagic);
  detail::append_little(frame, kVersion);
  detail::append_little(frame, std::uint64_t{head.size()});
  detail::append_text(frame, head);
  Writer writer(path, trainer.parameters().backend());
  writer.put(frame);
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const Adam::Moments moments = adam.moments(p);
    writer.put(parameters[p].value);
    writer.put(moments.first);
    writer.put(moments.second);
    if (!state.best_weights.empty()) writer.put(state.best_weights[p]);
  }
  writer.put(model_state);
  writer.commit();
}

void load_checkpoint(const std::filesystem::path& path, const std::string& identity, Trainer& trainer) {
  const detail::FileReader file(kCheckpointFile, path);
  check_frame(file);
  detail::FileSource source(file);
  try {
    const Json head = read_head(source);
    if (head.at("identity").get<std::string>() != identity) {
      source.fail("identity", "", "is the checkpoint of another run (other data, options or inputs)");
    }
    check_parameters(source, head.at("parameters"), trainer.parameters().all());
    TrainingState state = state_of(head);
    read_arrays(source, head, trainer, state);
    read_model_state(source, head, trainer.model());
    if (source.remaining() != kCrcBytes) source.fail("length", std::to_string(file.size()), "has bytes too many");
    trainer.set_state(std::move(state));
  } catch (const Json::exception& error) {
    source.fail("head", "", fmt::format("does not hold what a checkpoint does ({})", error.what()));
  }
}

}  // namespace graft::training

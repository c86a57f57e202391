// graft::Run: a run read back from its directory.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>
#include <graft/io/npy.hpp>
#include <graft/train/train.hpp>

#include "train/dataset.hpp"
#include "train/epoch_json.hpp"
#include "train/log_file.hpp"
#include "train/run_files.hpp"

namespace graft {

using training::RunFiles;
using Json = nlohmann::ordered_json;

struct Run::State {
  std::filesystem::path directory;
  std::string model;
  std::int64_t epochs = 0;
  std::int64_t best_epoch = 0;
  double seconds_per_epoch = 0.0;
  Metrics valid;
  Metrics test;
  std::vector<EpochReport> log;
  std::string config_json;
  std::string metrics_json;
  std::vector<std::string> notices;
  std::filesystem::path data;  ///< the dataset directory, where it was
  std::string split_sha256;
  Matrix user_embeddings;
  Matrix item_embeddings;
};

namespace {

constexpr const char* kOpen = "run";
constexpr const char* kRecommend = "recommend";

[[noreturn]] void refuse_unfinished(const RunFiles& files) {
  throw FormatError(detail::message(kOpen, files.directory().string(), "",
                                    "the run has not finished; train again with resume to go on"));
}

Matrix read_embeddings(const std::filesystem::path& path, std::int64_t rows) {
  Matrix matrix = read_npy(path);
  if (matrix.rows() != rows) {
    throw FormatError(detail::message(kOpen, path.string(), fmt::format("{} rows", matrix.rows()),
                                      fmt::format("must be {}, as config.json says", rows)));
  }
  return matrix;
}

/// The vectors of some users.
Matrix vectors_of(std::span<const std::int32_t> users, const Matrix& all) {
  const MatrixView<const float> from = all.view();
  Matrix vectors(static_cast<std::int64_t>(users.size()), all.cols());
  const MatrixView<float> to = vectors.mutable_view();
  for (std::size_t u = 0; u < users.size(); ++u) {
    if (users[u] < 0 || users[u] >= all.rows()) {
      throw InvalidArgument(detail::message(kRecommend, fmt::format("users[{}]", u), std::to_string(users[u]),
                                            fmt::format("must lie in [0, {}], the run's users", all.rows() - 1)));
    }
    std::copy_n(from.row(users[u]), from.cols(), to.row(static_cast<std::int64_t>(u)));
  }
  return vectors;
}

}  // namespace

Run::Run(std::unique_ptr<State> state) : state_(std::move(state)) {}
Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;
Run::~Run() = default;

Run Run::open(const std::filesystem::path& directory) {
  const RunFiles files(directory);
  if (!files.hold_run()) {
    throw FormatError(detail::message(kOpen, directory.string(), "", "holds no run: there is no config.json"));
  }
  std::error_code error;
  if (!std::filesystem::exists(files.metrics(), error)) refuse_unfinished(files);
  auto state = std::make_unique<State>();
  state->directory = directory;
  state->config_json = training::read_text(files.config());
  state->metrics_json = training::read_text(files.metrics());
  try {
    const Json metrics = training::parse_json(files.metrics(), state->metrics_json);
    if (metrics.at("stopped") == "interrupted") refuse_unfinished(files);
    state->model = metrics.at("model").get<std::string>();
    state->epochs = metrics.at("epochs").get<std::int64_t>();
    state->best_epoch = metrics.at("best_epoch").get<std::int64_t>();
    state->seconds_per_epoch = metrics.at("seconds_per_epoch").get<double>();
    state->valid = training::metrics_of(metrics.at("valid"));
    state->test = training::metrics_of(metrics.at("test"));
    if (metrics.contains("warning")) state->notices.push_back(metrics.at("warning").get<std::string>());
    const Json data = training::parse_json(files.config(), state->config_json).at("data");
    state->data = data.at("directory").get<std::string>();
    state->split_sha256 = data.at("split_sha256").get<std::string>();
    state->user_embeddings = read_embeddings(files.user_embeddings(), data.at("users").get<std::int64_t>());
    state->item_embeddings = read_embeddings(files.item_embeddings(), data.at("items").get<std::int64_t>());
  } catch (const Json::exception& exception) {
    throw FormatError(detail::message(
        kOpen, directory.string(), "",
        fmt::format("config.json and metrics.json are not as `graft train` writes them ({})", exception.what())));
  }
  state->log = training::read_log(files.log());
  return Run(std::move(state));
}

const std::filesystem::path& Run::directory() const& { return state_->directory; }
const std::string& Run::model() const& { return state_->model; }
std::int64_t Run::epochs() const { return state_->epochs; }
std::int64_t Run::best_epoch() const { return state_->best_epoch; }
double Run::seconds_per_epoch() const { return state_->seconds_per_epoch; }
const Metrics& Run::valid() const& { return state_->valid; }
const Metrics& Run::test() const& { return state_->test; }
const std::vector<EpochReport>& Run::log() const& { return state_->log; }
const std::vector<std::string>& Run::notices() const& { return state_->notices; }
const std::string& Run::config_json() const& { return state_->config_json; }
const std::string& Run::metrics_json() const& { return state_->metrics_json; }
const Matrix& Run::user_embeddings() const& { return state_->user_embeddings; }
const Matrix& Run::item_embeddings() const& { return state_->item_embeddings; }

Ranking Run::recommend(std::span<const std::int32_t> users, std::int64_t k, const std::filesystem::path& data,
                       const Context& context) const {
  detail::check_k(kRecommend, k);
  const Matrix queries = vectors_of(users, state_->user_embeddings);
  const std::filesystem::path& directory = data.empty() ? state_->data : data;
  Context quiet = context;
  quiet.progress = {};  // reading is not what the caller waits for
  const training::Dataset dataset = training::load_dataset({.directory = directory,
                                                            .default_features = false,
                                                            .items = state_->item_embeddings.rows(),
                                                            .validation_required = false},
                                                           quiet);
  if (dataset.split_sha256 != state_->split_sha256) {
    throw FormatError(detail::message(kRecommend, "data", directory.string(),
                                      "its interactions are not those that the run was trained on"));
  }
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::int32_t> excluded;
  for (const std::int32_t user : users) {
    const std::span<const std::int32_t> history = dataset.train.history(user);
    excluded.insert(excluded.end(), history.begin(), history.end());
    offsets.push_back(static_cast<std::int64_t>(excluded.size()));
  }
  return top_k_scores(queries, state_->item_embeddings,
                      {.k = k, .exclude = {.row_offsets = offsets, .columns = excluded}}, context);
}

}  // namespace graft

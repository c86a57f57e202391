#include "train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>

#include "autodiff/tape.hpp"
#include "train/invalid_option.hpp"
#include "train/stopwatch.hpp"
#include "train/trainer_settings.hpp"

namespace graft::training {
namespace {

std::unique_ptr<Model> make_model(const Dataset& data, const ModelEntry& entry, const Settings& settings,
                                  TrainerOptions options, const Context& context, ParameterStore& parameters,
                                  std::vector<NamedGraph>& graphs, std::vector<std::string>& notices) {
  return entry.make({.users = data.users,
                     .items = data.items,
                     .train = data.train,
                     .features = data.features,
                     .similarities = data.similarities,
                     .user_input = {data.user_features.profile, data.user_features.vectors.view()},
                     .graph = options.graph,
                     .settings = settings,
                     .seed = options.seed,
                     .context = context,
                     .parameters = parameters,
                     .graphs = graphs,
                     .notices = notices});
}

autodiff::AdamConstants adam_constants(const Settings& settings) {
  return {.weight_decay = settings.real("weight_decay")};
}

/// The model's setting of that name, or the entry's word where it has none.
bool skips_missing_gradients(const ModelEntry& entry, const Settings& settings) {
  constexpr const char* kName = "skip_missing_gradients";
  const auto is_it = [](const SettingSpec& spec) { return spec.name == kName; };
  const bool is_setting = std::any_of(settings.specs().begin(), settings.specs().end(), is_it);
  return is_setting ? settings.flag(kName) : entry.skip_missing_gradients;
}

/// Downloads final vectors, one row a user or an item.
Matrix host_copy(autodiff::Tape& tape, autodiff::Var vectors, std::int64_t rows, const ModelEntry& entry,
                 const char* of) {
  const autodiff::Tensor tensor = tape.evaluate(vectors);
  if (tensor.rows() != rows) {
    throw InvalidArgument(detail::message(kTrainOperation, fmt::format("model {}: rows of {} vectors", entry.name, of),
                                          std::to_string(tensor.rows()), fmt::format("must be {}", rows)));
  }
  Matrix matrix(tensor.rows(), tensor.cols());
  tape.backend().download(tensor, matrix.mutable_view());
  return matrix;
}

std::optional<std::int64_t> first_not_finite_row(const Matrix& matrix) {
  const std::span<const float> values = matrix.values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) return static_cast<std::int64_t>(i) / matrix.cols();
  }
  return std::nullopt;
}

bool has_not_finite(autodiff::Backend& backend, const autodiff::Tensor& tensor) {
  if (!tensor) return false;
  Matrix values(tensor.rows(), tensor.cols());
  backend.download(tensor, values.mutable_view());
  return first_not_finite_row(values).has_value();
}

constexpr const char* kDivergenceHint = "a lower learning_rate often helps";

Candidates candidates_of(const Settings& settings) {
  return settings.word("candidates") == name(Candidates::cold) ? Candidates::cold : Candidates::all;
}

Evaluator evaluator_for(const Dataset& data, const Settings& settings) {
  Evaluator evaluator(data, {.candidates = candidates_of(settings)});
  if (evaluator.valid_users() > 0) return evaluator;
  throw InvalidOption("settings", "candidates=cold",
                      "needs validation rows of items that have no training row, and this split has none");
}

}  // namespace

Trainer::Trainer(const Dataset& data, const ModelEntry& entry, const Settings& settings, autodiff::Backend& backend,
                 TrainerOptions options, const Context& context)
    : data_(data),
      entry_(entry),
      settings_(settings),
      backend_(backend),
      options_(options),
      context_(context),
      quiet_context_(detail::without_progress(context)),
      epochs_(settings.integer("epochs")),
      evaluator_(evaluator_for(data, settings)),
      parameters_(backend, options.seed),
      model_(make_model(data, entry, settings, options, context, parameters_, graphs_, notices_)),
      adam_(backend, parameters_.all(), adam_constants(settings), skips_missing_gradients(entry, settings)),
      sampler_(data, settings.integer("train_batch_size"), options.seed),
      stopping_(settings.integer("stopping_step")) {}

Stop Trainer::run(const TrainerHooks& hooks) {
  while (!finished()) {
    train_epoch(hooks);
    end_epoch(hooks);
  }
  return stopping_.exhausted() ? Stop::patience : Stop::epochs;
}

void Trainer::train_epoch(const TrainerHooks& hooks) {
  detail::Ticker ticker(context_, kTrainOperation, sampler_.batches());
  const Stopwatch start;
  data::RandomStream random(options_.seed, stream_id(Stream::graph, state_.epoch));
  model_->begin_epoch(state_.epoch, random);
  sampler_.start_epoch(state_.epoch);
  state_.seconds += start.seconds();
  const double learning_rate = learning_rate_of(settings_, state_.epoch);
  if (state_.batch > 0) ticker.advance(state_.batch);
  while (state_.batch < sampler_.batches()) {
    const Stopwatch step;
    state_.loss_sum += train_batch(learning_rate);
    ++state_.batch;
    state_.seconds += step.seconds();
    hooks.on_safe_point(false);
    ticker.advance();
  }
  const Stopwatch end;
  adam_.settle();
  state_.seconds += end.seconds();
}

double Trainer::train_batch(double learning_rate) {
  const Batch batch = sampler_.batch(state_.batch);
  autodiff::Tape tape(backend_, {options_.seed, stream_id(Stream::dropout, state_.epoch, state_.batch)});
  const double loss = tape.backward(model_->loss(tape, batch));
  if (!std::isfinite(loss)) fail_not_finite(loss);
  adam_.step(learning_rate);
  return loss;
}

void Trainer::end_epoch(const TrainerHooks& hooks) {
  EpochReport report{.epoch = state_.epoch,
                     .loss = state_.loss_sum / static_cast<double>(sampler_.batches()),
                     .learning_rate = learning_rate_of(settings_, state_.epoch),
                     .train_seconds = state_.seconds};
  if ((state_.epoch + 1) % settings_.integer("eval_step") == 0) evaluate(report);
  state_.log.push_back(report);
  ++state_.epoch;
  state_.batch = 0;
  state_.loss_sum = 0.0;
  state_.seconds = 0.0;
  hooks.on_epoch(report);
  hooks.on_safe_point(true);
}

void Trainer::evaluate(EpochReport& report) {
  const Stopwatch watch;
  const Vectors final = vectors();
  const Evaluation evaluation = quick_evaluation(final);
  report.valid = evaluation.valid.metrics;
  report.test = evaluation.test.metrics;
  report.best = stopping_.observe(report.epoch, report.valid.at(kStoppingMetric));
  if (report.best) keep_best();
  report.evaluation_seconds = watch.seconds();
}

/// Vectors so long that their products are not finite are the end, too.
Evaluation Trainer::quick_evaluation(const Vectors& final) const {
  try {
    return evaluator_.quick(final.users.view(), final.items.view(), quiet_context_);
  } catch (const InvalidArgument& error) {
    throw NotFinite(fmt::format("train: after epoch {}: {}: {}", state_.epoch, error.what(), kDivergenceHint));
  }
}

void Trainer::keep_best() {
  const auto& parameters = parameters_.all();
  state_.best_weights.resize(parameters.size());
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const autodiff::Tensor& value = parameters[p].value;
    Matrix& kept = state_.best_weights[p];
    if (kept.rows() != value.rows() || kept.cols() != value.cols()) kept = Matrix(value.rows(), value.cols());
    backend_.download(value, kept.mutable_view());
  }
}

void Trainer::restore_best() {
  adam_.settle();
  restored_ = true;
  for (std::size_t p = 0; p < state_.best_weights.size(); ++p) {
    backend_.upload(parameters_.all()[p].value, state_.best_weights[p].view());
  }
}

Vectors Trainer::vectors() {
  autodiff::Tape tape(backend_);
  const Representations final = model_->represent(tape);
  Vectors result{host_copy(tape, final.users, data_.users, entry_, "user"),
                 host_copy(tape, final.items, data_.items, entry_, "item")};
  if (result.users.cols() != result.items.cols()) {
    throw InvalidArgument(detail::message(kTrainOperation, fmt::format("model {}: dims of item vectors", entry_.name),
                                          std::to_string(result.items.cols()),
                                          fmt::format("must be those of user vectors, {}", result.users.cols())));
  }
  for (const auto& [of, matrix] : {std::pair("user", &result.users), std::pair("item", &result.items)}) {
    if (const auto row = first_not_finite_row(*matrix)) {
      throw NotFinite(fmt::format("train: the vector of {} {} is not finite after epoch {}: {}", of, *row, state_.epoch,
                                  kDivergenceHint));
    }
  }
  return result;
}

Adam& Trainer::settled_adam() {
  adam_.settle();
  return adam_;
}

void Trainer::set_state(TrainingState state) {
  state_ = std::move(state);
  stopping_ = EarlyStopping(settings_.integer("stopping_step"));
  for (const EpochReport& report : state_.log) {
    const auto metric = report.valid.find(kStoppingMetric);
    if (metric != report.valid.end()) stopping_.observe(report.epoch, metric->second);
  }
}

void Trainer::fail_not_finite(double loss) {
  std::string culprit;
  for (const autodiff::Parameter& parameter : parameters_.all()) {
    const bool value = has_not_finite(backend_, parameter.value);
    if (!value && !has_not_finite(backend_, parameter.gradient.values)) continue;
    culprit = fmt::format("the {} of {} is not finite; ", value ? "value" : "gradient", parameter.name);
    break;
  }
  const char* what = std::isnan(loss) ? "nan" : "infinite";  // the sign of a NaN says nothing
  throw NotFinite(fmt::format("train: loss = {} at epoch {}, batch {}: {}{}", what, state_.epoch, state_.batch, culprit,
                              kDivergenceHint));
}

}  // namespace graft::training

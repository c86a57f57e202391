// Training, runs, evaluation.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <graft/train/evaluation.hpp>
#include <graft/train/train.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "call.hpp"
#include "options.hpp"

namespace py = pybind11;

namespace graft::python {
namespace {

py::dict as_dict(const EpochReport& report) {
  py::dict result;
  result["epoch"] = report.epoch;
  result["loss"] = report.loss;
  result["learning_rate"] = report.learning_rate;
  result["valid"] = report.valid;
  result["test"] = report.test;
  result["best"] = report.best;
  result["train_seconds"] = report.train_seconds;
  result["evaluation_seconds"] = report.evaluation_seconds;
  return result;
}

std::vector<NamedInput> inputs_of(const py::handle& paths) {
  std::vector<NamedInput> inputs;
  for (const auto& [name, path] : paths.cast<std::map<std::string, std::string>>()) inputs.push_back({name, {path}});
  return inputs;
}

/// @param paths  data, out, user_profile (bytes), features, similarity (dicts name -> bytes)
TrainOptions train_options(const py::dict& paths, const std::vector<std::string>& model_settings,
                           const py::dict& values) {
  const Options options("train", values);
  TrainOptions train;
  options.require("model", train.model);
  train.data = path_of(paths["data"]);
  train.out = path_of(paths["out"]);
  options.read("graph", train.graph);
  train.features = inputs_of(paths["features"]);
  train.similarities = inputs_of(paths["similarity"]);
  train.user_profile = paths["user_profile"].cast<std::string>();
  train.settings = model_settings;
  options.read("user_history", train.user_history);
  options.read("seed", train.seed);
  options.read("resume", train.resume);
  options.read("checkpoint_seconds", train.checkpoint_seconds);
  return train;
}

/// @param on_epoch  callable(dict) or None   @param on_notice  callable(str)
Run train_run(const py::dict& paths, const std::vector<std::string>& model_settings, const py::dict& values,
              const py::object& on_epoch, const py::object& on_notice, const CallSettings& settings) {
  TrainOptions options = train_options(paths, model_settings, values);
  return run_with_callbacks(settings, [&](const Context& context, CallingThread& caller) {
    if (!on_epoch.is_none()) {
      options.on_epoch = [&](const EpochReport& report) { caller.run([&] { on_epoch(as_dict(report)); }); };
    }
    options.on_notice = [&](const std::string& notice) { caller.run([&] { on_notice(notice); }); };
    return train(options, context);
  });
}

Run open_run(const py::bytes& directory, const CallSettings& settings) {
  const std::filesystem::path path = path_of(directory);
  return run(settings, [&](const Context&) { return Run::open(path); });
}

/// The vectors of a run, in its memory.
py::array vectors_of(const py::object& owner, const Matrix& matrix) {
  py::array_t<float> array({matrix.rows(), matrix.cols()}, matrix.values().data(), owner);
  array.attr("setflags")(py::arg("write") = false);
  return array;
}

/// @param data  the dataset directory, empty for the run's own
py::tuple recommend(const Run& finished, const py::array_t<std::int32_t>& users, const py::dict& values,
                    const py::bytes& data, const CallSettings& settings) {
  std::int64_t k = 0;
  Options("recommend", values).require("k", k);
  const std::span<const std::int32_t> ids = span_of(users);
  const std::filesystem::path directory = path_of(data);
  Ranking ranking =
      run(settings, [&](const Context& context) { return finished.recommend(ids, k, directory, context); });
  return py::make_tuple(taken(std::move(ranking.row_offsets)), taken(std::move(ranking.ids)),
                        taken(std::move(ranking.scores)));
}

py::list log_of(const Run& finished) {
  py::list rows;
  for (const EpochReport& report : finished.log()) rows.append(as_dict(report));
  return rows;
}

py::list groups_of(const std::vector<GroupMetrics>& groups) {
  py::list result;
  for (const GroupMetrics& group : groups) {
    py::dict facts;
    facts["group"] = group.group;
    facts["members"] = group.members;
    facts["metrics"] = group.metrics;
    result.append(facts);
  }
  return result;
}

py::dict as_dict(const SplitEvaluation& split) {
  py::dict result;
  result["users"] = split.users;
  result["interactions"] = split.interactions;
  result["candidates"] = split.candidates;
  result["metrics"] = split.metrics;
  result["by_activity"] = groups_of(split.by_activity);
  result["by_popularity"] = groups_of(split.by_popularity);
  return result;
}

constexpr Choice<Candidates> kCandidates[] = {{"all", Candidates::all}, {"cold", Candidates::cold}};

py::dict evaluate_vectors(const py::array_t<float>& users, const py::array_t<float>& items, const py::bytes& data,
                          const std::vector<std::int64_t>& cutoffs, const py::dict& values,
                          const CallSettings& settings) {
  EvaluationOptions options{.cutoffs = cutoffs};
  const Options given("evaluate", values);
  given.read("groups", options.groups);
  given.read("candidates", options.candidates, kCandidates);
  const MatrixView<const float> user_view = matrix_of(users);
  const MatrixView<const float> item_view = matrix_of(items);
  const std::filesystem::path directory = path_of(data);
  const Evaluation evaluation = run(
      settings, [&](const Context& context) { return evaluate(user_view, item_view, directory, options, context); });
  py::dict result;
  result["valid"] = as_dict(evaluation.valid);
  result["test"] = as_dict(evaluation.test);
  result["catalogue"] = evaluation.catalogue;
  return result;
}

/// @return (name, description, settings) a model; (name, default, description) a setting
py::list list_models() {
  py::list result;
  for (const ModelInfo& model : models()) {
    py::list settings;
    for (const SettingInfo& setting : model.settings) {
      settings.append(py::make_tuple(setting.name, setting.default_value, setting.description));
    }
    result.append(py::make_tuple(model.name, model.description, py::tuple(settings)));
  }
  return result;
}

}  // namespace

void bind_train(py::module_& module) {
  py::class_<Run>(module, "StoredRun", "What graft.Run stands on.")
      .def(py::init(&open_run), py::arg("directory"), py::arg("settings"))
      .def_property_readonly("directory", [](const Run& run) { return py::bytes(run.directory().native()); })
      .def_property_readonly("model", [](const Run& run) { return run.model(); })
      .def_property_readonly("epochs", &Run::epochs)
      .def_property_readonly("best_epoch", &Run::best_epoch)
      .def_property_readonly("seconds_per_epoch", &Run::seconds_per_epoch)
      .def_property_readonly("valid", [](const Run& run) { return run.valid(); })
      .def_property_readonly("test", [](const Run& run) { return run.test(); })
      .def_property_readonly("log", &log_of)
      .def_property_readonly("notices", [](const Run& run) { return run.notices(); })
      .def_property_readonly("config_json", [](const Run& run) { return run.config_json(); })
      .def_property_readonly("metrics_json", [](const Run& run) { return run.metrics_json(); })
      .def_property_readonly(
          "user_embeddings",
          [](const py::object& self) { return vectors_of(self, self.cast<const Run&>().user_embeddings()); })
      .def_property_readonly(
          "item_embeddings",
          [](const py::object& self) { return vectors_of(self, self.cast<const Run&>().item_embeddings()); })
      .def("recommend", &recommend, py::arg("users"), py::arg("values"), py::arg("data"), py::arg("settings"));
  module.def("train", &train_run);
  module.def("evaluate", &evaluate_vectors);
  module.def("models", &list_models);
}

}  // namespace graft::python

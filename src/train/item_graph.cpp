#include "train/item_graph.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/preset_rules.hpp>
#include <graft/ops/add.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/mix.hpp>
#include <graft/ops/refine.hpp>
#include <graft/ops/scale.hpp>
#include <graft/ops/threshold.hpp>

#include "train/invalid_option.hpp"

namespace graft::training {
namespace {

using detail::as_size;

constexpr const char* kPrefix = "gr_";

/// What the settings ask for, or what a model's own graph is.
struct Plan {
  Preset preset = Preset::noself;
  Weights weights = Weights::binary;
  std::int64_t jaccard_k = 0;
  std::int64_t min_support = 1;
  bool after_mix = false;
  bool normalize_parts = false;
  float enhancement_weight = 1.0F;
};

Plan vanilla_plan(const ItemGraphFamily& family) {
  // presets differ in self alone where nothing is added
  return {.preset = family.self == Self::keep ? Preset::reference : Preset::noself, .weights = family.weights};
}

Preset preset_of(const std::string& word) {
  if (word == "noself") return Preset::noself;
  return word == "paper" ? Preset::paper : Preset::reference;
}

Plan refined_plan(const Settings& settings) {
  return {.preset = preset_of(settings.word("gr_preset")),
          .weights = settings.word("gr_weights") == "binary" ? Weights::binary : Weights::similarity,
          .jaccard_k = settings.integer("gr_jaccard_k"),
          .min_support = settings.integer("gr_min_support"),
          .after_mix = settings.flag("gr_after_mix"),
          .normalize_parts = settings.flag("gr_normalize_parts"),
          .enhancement_weight = static_cast<float>(settings.real("gr_enhancement_weight"))};
}

/// Weights of the edges that are no self loops.
std::vector<float> true_weights(const Graph& graph) {
  std::vector<float> weights;
  for (std::int64_t row = 0; row < graph.items(); ++row) {
    const std::span<const std::int32_t> columns = graph.row_columns(row);
    for (std::size_t e = 0; e < columns.size(); ++e) {
      if (columns[e] != row) weights.push_back(graph.row_weights(row)[e]);
    }
  }
  return weights;
}

/// The value with the given share of the values below it: values[floor(q (n - 1))] in ascending order.
float quantile(std::vector<float> values, double q) {
  if (values.empty()) return -1.0F;
  const auto place = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

Alpha alpha_of(const Settings& settings, const std::string& modality) {
  return {.least = static_cast<float>(settings.real("gr_threshold", modality)),
          .quantile = settings.real("gr_threshold_quantile", modality)};
}

/// The least similarity that stays. @param weights  of the edges that are no self loops
float least_kept(const Alpha& alpha, const std::vector<float>& weights) {
  return alpha.quantile < 0.0 ? alpha.least : quantile(weights, alpha.quantile);
}

class Builder {
 public:
  Builder(const ModelInputs& inputs, const ItemGraphFamily& family)
      : inputs_(inputs), family_(family), plan_(refined() ? refined_plan(inputs.settings) : vanilla_plan(family)) {}

  Graph build(const std::vector<ItemModality>& modalities) {
    find_enhancement();
    std::vector<Graph> parts;
    std::vector<float> shares;
    for (const ItemModality& modality : modalities) {
      if (modality.share == 0.0F) continue;
      std::string description;
      parts.push_back(part(modality, description));
      shares.push_back(modality.share);
      if (modalities.size() > 1) {
        inputs_.graphs.push_back({.name = modality.name, .description = description, .graph = parts.back()});
      } else {
        notes_ += "; " + description;
      }
    }
    Graph graph = mixed(std::move(parts), shares);
    if (plan_.after_mix) graph = normalized(plan_.normalize_parts ? std::move(graph) : enhanced(std::move(graph)));
    if (plan_.normalize_parts && enhances()) graph = with_normalized_enhancement(graph);
    inputs_.graphs.push_back({.name = "items", .description = summary(modalities, graph), .graph = graph});
    return graph;
  }

  /// What `build` would make of each modality alone.
  std::vector<Graph> build_each(const std::vector<ItemModality>& modalities) {
    if (plan_.after_mix) {
      throw InvalidOption("settings", "gr_after_mix=true",
                          "must be false: the model trains the shares of its modalities, whose graphs are normalised "
                          "before they are mixed");
    }
    find_enhancement();
    std::vector<Graph> graphs;
    for (const ItemModality& modality : modalities) {
      std::string description;
      Graph graph = part(modality, description);
      if (plan_.normalize_parts && enhances()) graph = with_normalized_enhancement(graph);
      description = fmt::format("{}; {}{}; {} edges", kind(), description, enhancement_note(), graph.edges());
      inputs_.graphs.push_back({.name = modality.name, .description = std::move(description), .graph = graph});
      graphs.push_back(std::move(graph));
    }
    return graphs;
  }

  /// After `build_each`.
  [[nodiscard]] LearnedRules learned(const std::vector<ItemModality>& modalities) const {
    LearnedRules rules{.self = detail::rules_of(plan_.preset).similarity_self, .apart = plan_.normalize_parts};
    if (!refined()) return rules;
    for (const ItemModality& modality : modalities) rules.alphas.push_back(alpha_of(inputs_.settings, modality.name));
    if (enhances()) rules.audience = weighted(rules.apart ? normalized(enhancement_) : enhancement_);
    return rules;
  }

 private:
  [[nodiscard]] bool refined() const { return inputs_.graph == GraphKind::refined; }
  [[nodiscard]] bool enhances() const { return plan_.jaccard_k > 0 && plan_.enhancement_weight > 0.0F; }

  void find_enhancement() {
    if (!enhances()) return;
    const JaccardOptions options = detail::audience_options(
        {.preset = plan_.preset, .jaccard_k = plan_.jaccard_k, .min_support = plan_.min_support});
    enhancement_ = jaccard_graph(inputs_.train, options, inputs_.context);
  }

  /// What a modality gives to the mix.
  Graph part(const ItemModality& modality, std::string& description) const {
    Graph graph = neighbours(modality, description);
    if (!plan_.after_mix) graph = normalized(plan_.normalize_parts ? std::move(graph) : enhanced(std::move(graph)));
    return graph;
  }

  /// S_m, after alpha.
  Graph neighbours(const ItemModality& modality, std::string& description) const {
    const RefineOptions options{.preset = plan_.preset,
                                .knn_k = family_.knn_k,
                                .threshold = -1.0F,
                                .jaccard_k = 0,
                                .weights = Weights::similarity,
                                .normalization = Normalization::none};
    Graph graph = modality.similarity ? refine(*modality.similarity, inputs_.train, options, inputs_.context)
                                      : refine(modality.features, inputs_.train, options, inputs_.context);
    description = fmt::format("{} nearest by {} {}{}", family_.knn_k, modality.name,
                              modality.similarity ? "(ready similarity graph)" : "features (cosine)",
                              plan_.preset == Preset::noself ? "" : ", the item itself among them");
    if (refined()) graph = denoised(std::move(graph), modality.name, description);
    return plan_.weights == Weights::binary ? binarize(graph, inputs_.context) : graph;
  }

  [[nodiscard]] Graph denoised(Graph graph, const std::string& modality, std::string& description) const {
    const Alpha asked = alpha_of(inputs_.settings, modality);
    const std::vector<float> before = true_weights(graph);
    const float alpha = least_kept(asked, before);
    if (alpha > -1.0F) graph = threshold(graph, alpha, inputs_.context);
    const auto kept = std::count_if(before.begin(), before.end(), [&](float weight) { return weight >= alpha; });
    const auto edges = static_cast<std::int64_t>(before.size());
    const std::int64_t dropped = alpha > -1.0F ? edges - kept : 0;
    description +=
        fmt::format("; alpha {:.4g}{} prunes {} of {} edges ({:.1f} %)", alpha,
                    asked.quantile < 0.0 ? "" : fmt::format(" (quantile {:g})", asked.quantile), dropped, edges,
                    edges == 0 ? 0.0 : 100.0 * static_cast<double>(dropped) / static_cast<double>(edges));
    return graph;
  }

  [[nodiscard]] Graph enhanced(Graph graph) const {
    if (!enhances()) return graph;
    return add(graph, weighted(enhancement_), inputs_.context);
  }

  [[nodiscard]] Graph normalized(const Graph& graph) const {
    return normalize(graph, family_.normalization, inputs_.context);
  }

  [[nodiscard]] Graph mixed(std::vector<Graph> parts, std::span<const float> shares) const {
    if (parts.size() == 1) return std::move(parts.front());
    const std::vector<GraphView> views(parts.begin(), parts.end());
    return mix(views, shares, inputs_.context);
  }

  [[nodiscard]] Graph with_normalized_enhancement(const Graph& graph) const {
    return add(graph, weighted(normalized(enhancement_)), inputs_.context);
  }

  [[nodiscard]] Graph weighted(Graph enhancement) const {
    if (plan_.enhancement_weight == 1.0F) return enhancement;
    return scale(enhancement, plan_.enhancement_weight, inputs_.context);
  }

  [[nodiscard]] std::string kind() const {
    return refined() ? fmt::format("refined, preset {}", name(plan_.preset)) : "vanilla";
  }

  [[nodiscard]] std::string enhancement_note() const {
    if (!enhances()) return {};
    const std::string support =
        plan_.min_support == 1 ? "" : fmt::format(", at least {} common users", plan_.min_support);
    std::string text =
        fmt::format("; {} edges by common audience (k {}{})", enhancement_.edges(), plan_.jaccard_k, support);
    if (plan_.normalize_parts) text += ", normalised apart";
    if (plan_.normalize_parts || plan_.enhancement_weight != 1.0F) {
      text += fmt::format(", weight {:g}", plan_.enhancement_weight);
    }
    return text;
  }

  [[nodiscard]] std::string summary(const std::vector<ItemModality>& modalities, const Graph& graph) const {
    std::string text = kind() + notes_;
    for (std::size_t m = 0; modalities.size() > 1 && m < modalities.size(); ++m) {
      text += fmt::format("{}{:g} {}", m == 0 ? "; mix of " : " + ", modalities[m].share, modalities[m].name);
    }
    text += enhancement_note();
    if (plan_.after_mix) text += "; mixed, then normalised";
    return text + fmt::format("; {} edges", graph.edges());
  }

  const ModelInputs& inputs_;
  const ItemGraphFamily& family_;
  Plan plan_;
  Graph enhancement_;  ///< C
  std::string notes_;  ///< on the one modality where there is but one
};

/// Tells of gr_... settings that vanilla ignores.
void notice_idle_settings(const ModelInputs& inputs) {
  const auto values = inputs.settings.values();
  const std::span<const SettingSpec> specs = inputs.settings.specs();
  for (std::size_t v = 0; v < values.size(); ++v) {
    const auto& [key, value] = values[v];
    if (!key.starts_with(kPrefix) || (v < specs.size() && value == specs[v].default_value)) continue;
    inputs.notices.push_back(fmt::format("setting {}: has no effect where graph is not refined", key));
  }
}

ItemModality modality_named(const ModelInputs& inputs, const std::string& name, double share) {
  ItemModality modality{.name = name, .share = static_cast<float>(share)};
  if (const auto found = inputs.features.find(name); found != inputs.features.end()) modality.features = found->second;
  if (const auto found = inputs.similarities.find(name); found != inputs.similarities.end()) {
    modality.similarity = found->second.view();
  }
  return modality;
}

/// Of features and similarity graphs, ascending.
std::vector<std::string> modality_names(const ModelInputs& inputs) {
  std::vector<std::string> names;
  names.reserve(inputs.features.size() + inputs.similarities.size());
  for (const auto& [name, features] : inputs.features) names.push_back(name);
  for (const auto& [name, graph] : inputs.similarities) names.push_back(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

std::vector<ItemModality> item_modalities(const ModelInputs& inputs, double image_weight) {
  const std::vector<std::string> names = modality_names(inputs);
  if (names.empty()) {
    throw InvalidArgument(detail::message("train", "modalities", "none",
                                          "the model needs item features or ready similarity graphs: text_feat.npy or "
                                          "image_feat.npy in the data directory, or files given as features or "
                                          "similarity"));
  }
  std::vector<ItemModality> modalities;
  if (std::binary_search(names.begin(), names.end(), "image") &&
      std::binary_search(names.begin(), names.end(), "text")) {
    modalities = {modality_named(inputs, "image", image_weight), modality_named(inputs, "text", 1.0 - image_weight)};
    for (const std::string& name : names) {
      if (name == "image" || name == "text") continue;
      inputs.notices.push_back(fmt::format("modality {}: left out: image and text are there", name));
    }
  } else {
    for (const std::string& name : names) {
      modalities.push_back(modality_named(inputs, name, 1.0 / static_cast<double>(names.size())));
    }
  }
  std::vector<std::string> used(modalities.size());
  std::transform(modalities.begin(), modalities.end(), used.begin(), [](const ItemModality& m) { return m.name; });
  inputs.settings.check_modalities(used);
  return modalities;
}

std::vector<SettingSpec> refinement_settings(Weights family_weights) {
  return {
      {.name = "gr_threshold",
       .default_value = 0.5,
       .description = "alpha: similarity edges below it are pruned; -1 prunes none",
       .least = -1.0,
       .most = 1.0,
       .per_modality = true},
      {.name = "gr_threshold_quantile",
       .default_value = -1.0,
       .description = "in place of gr_threshold: alpha is this quantile of the similarities of the KNN edges, self "
                      "loops left out, so that about this share of them is pruned; negative: not used",
       .least = -1.0,
       .most = 1.0,
       .per_modality = true},
      {.name = "gr_jaccard_k",
       .default_value = std::int64_t{10},
       .description = "neighbours by common audience that are added; 0 adds none",
       .least = 0.0},
      {.name = "gr_min_support",
       .default_value = std::int64_t{1},
       .description = "users that two items must share to be neighbours by common audience",
       .least = 1.0},
      {.name = "gr_preset",
       .default_value = std::string("reference"),
       .description = "reading of the diagonal and of equal audiences",
       .choices = {"reference", "noself", "paper"}},
      {.name = "gr_after_mix",
       .default_value = false,
       .description = "mix the modalities first, then add the audience graph once and normalise"},
      {.name = "gr_weights",
       .default_value = std::string(family_weights == Weights::binary ? "binary" : "cosine"),
       .description = "weight of the similarity edges",
       .choices = {"binary", "cosine"}},
      {.name = "gr_normalize_parts",
       .default_value = false,
       .description = "normalise similarity and audience graphs apart, then add"},
      {.name = "gr_enhancement_weight",
       .default_value = 1.0,
       .description = "factor of the audience graph; 0 leaves it out",
       .least = 0.0},
  };
}

Graph item_graph(const ModelInputs& inputs, const std::vector<ItemModality>& modalities,
                 const ItemGraphFamily& family) {
  if (inputs.graph == GraphKind::vanilla) notice_idle_settings(inputs);
  return Builder(inputs, family).build(modalities);
}

std::vector<Graph> item_graphs(const ModelInputs& inputs, const std::vector<ItemModality>& modalities,
                               const ItemGraphFamily& family, LearnedRules* learned) {
  if (inputs.graph == GraphKind::vanilla) notice_idle_settings(inputs);
  Builder builder(inputs, family);
  std::vector<Graph> graphs = builder.build_each(modalities);
  if (learned != nullptr) *learned = builder.learned(modalities);
  return graphs;
}

Graph pruned(Graph similarities, const Alpha& alpha, const Context& context) {
  const float least = least_kept(alpha, true_weights(similarities));
  return least > -1.0F ? threshold(similarities, least, context) : std::move(similarities);
}

autodiff::Csr as_csr(const Graph& graph) {
  autodiff::Csr csr;
  csr.rows = csr.cols = graph.items();
  csr.row_offsets.assign(graph.row_offsets().begin(), graph.row_offsets().end());
  csr.columns.assign(graph.columns().begin(), graph.columns().end());
  csr.weights.assign(graph.weights().begin(), graph.weights().end());
  return csr;
}

}  // namespace graft::training

// LATTICE: an item graph that is learned from the features while they are trained.
//
//   F_m, W_m, b_m, a                     trained; beta = softmax(a), a share of each modality m
//   O_m = lap(knn(cos(raw F_m)))         frozen, from the features as they were given
//   L_m = knn(cos(W_m F_m + b_m))        from their current values
//   G   = (1 - lambda) lap(sum_m beta_m L_m) + lambda sum_m beta_m O_m,  lambda = lambda_coeff
//   h   = G^{n_layers} P_I
//   X^0 = [P_U; P_I],  X^{l+1} = B X^l,  B = D^-1 (A + I),  X = mean(X^0 ... X^{n_ui_layers})
//   u = X_U,  i = X_I + h / |h|,  score(u, i) = <u, i>       (cf_model=mf: u = P_U, i = P_I + h / |h|)
//   loss = BPR + reg_weight (|U|_F^2 + |I+|_F^2 + |I-|_F^2) / (2 train_batch_size), of these vectors of the batch
//
// knn keeps an item's knn_k nearest with their cosines, itself included; lap divides an edge by the roots of the row
// sums at both ends. The first batch of an epoch builds G from the current parameters and trains through it: the edges
// are fixed, their cosines, lap and beta have gradients. The epoch's other batches use that G as a constant, so F_m,
// W_m, b_m and a have no gradient there; Adam moves them on by their momentum, unless skip_missing_gradients.
// Evaluation builds G from the parameters as they are. With one modality beta is 1. --graph refined puts graft's graph
// in the place of O_m; with gr_learned it also prunes every L_m by its alpha and adds the audience graph to their mix,
// before lap (or, with gr_normalize_parts, the normalised audience graph after it). Modalities: see item_modalities.
//
// Zhang, Zhu, Liu, Wu, Wang, Wang, "Mining latent structures for multimedia recommendation", ACM MM 2021
// (doi:10.1145/3474085.3475259), in the form of the MMRec framework. Published grid: reg_weight {0, 1e-5, 1e-4, 1e-3} x
// learning_rate {1e-4, 5e-4, 1e-3, 5e-3}; which point gave the published numbers is not recorded.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/bytes.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/mix.hpp>

#include "train/graph_bytes.hpp"
#include "train/item_graph.hpp"
#include "train/learned_graph.hpp"
#include "train/model.hpp"
#include "train/ranking_loss.hpp"
#include "train/self_loop_convolution.hpp"
#include "train/trainer.hpp"

namespace graft::training::models {
namespace {

using autodiff::Parameter;
using autodiff::Sparse;
using autodiff::Tape;
using autodiff::Tensor;
using autodiff::Var;
using training::Batch;
using training::BatchRows;
using training::EdgeUnion;
using training::Initializer;
using training::ItemGraphFamily;
using training::ItemModality;
using training::ModelEntry;
using training::ModelInputs;
using training::Representations;

/// What is trained of a modality, and its frozen graph.
struct Modality {
  Modality(const ModelInputs& inputs, const ItemModality& given, Graph frozen)
      : name(given.name),
        features(inputs.parameters.add(name + "_features", given.features)),
        weight(inputs.parameters.add(name + "_weight", inputs.settings.integer("feat_embed_dim"), given.features.cols(),
                                     Initializer::torch_linear, given.features.cols())),
        bias(inputs.parameters.add(name + "_bias", 1, inputs.settings.integer("feat_embed_dim"),
                                   Initializer::torch_linear, given.features.cols())),
        original(std::move(frozen)),
        original_edges(inputs.parameters.backend().sparse(training::as_csr(original))) {}

  [[nodiscard]] Var projected(Tape& tape) const {
    return linear(tape.parameter(features), tape.parameter(weight), tape.parameter(bias));
  }

  std::string name;
  Parameter& features;
  Parameter& weight;
  Parameter& bias;
  Graph original;         ///< O_m
  Sparse original_edges;  ///< the same
};

/// @throws InvalidArgument for a modality without features
std::vector<ItemModality> modalities_with_features(const ModelInputs& inputs) {
  std::vector<ItemModality> modalities = training::item_modalities(inputs, 0.5);
  for (const ItemModality& modality : modalities) {
    if (modality.has_features()) continue;
    throw InvalidArgument(graft::detail::message(
        "train", "similarity", modality.name,
        "the model learns from features of the modality, which is there as a similarity graph only: give them, too"));
  }
  return modalities;
}

/// A graph of the current parameters, before its frozen part.
struct Learned {
  EdgeUnion edges;
  Var weights;              ///< of lap(sum_m beta_m L_m): [edges, 1]
  std::vector<Var> shares;  ///< beta, [1, 1] each; none for one modality
};

class Lattice : public training::Model {
 public:
  explicit Lattice(const ModelInputs& inputs)
      : backend_(inputs.parameters.backend()),
        context_(inputs.context),
        users_(add_embedding(inputs, "user_embedding", inputs.users)),
        items_(add_embedding(inputs, "item_embedding", inputs.items)),
        user_item_(backend_, inputs.train),
        user_item_layers_(inputs.settings.word("cf_model") == "mf" ? 0 : inputs.settings.integer("n_ui_layers")),
        item_layers_(inputs.settings.integer("n_layers")),
        knn_k_(inputs.settings.integer("knn_k")),
        frozen_share_(inputs.settings.real("lambda_coeff")),
        reg_weight_(inputs.settings.real("reg_weight")),
        batch_size_(inputs.settings.integer("train_batch_size")) {
    context_.progress = {};  // the graph is a part of a step
    const std::vector<ItemModality> given = modalities_with_features(inputs);
    const ItemGraphFamily family{.knn_k = knn_k_, .weights = Weights::similarity};
    const bool refines_learned = inputs.settings.flag("gr_learned");
    std::vector<Graph> originals = training::item_graphs(inputs, given, family, refines_learned ? &rules_ : nullptr);
    if (rules_.audience.items() > 0) audience_edges_ = backend_.sparse(training::as_csr(rules_.audience));
    modalities_.reserve(given.size());
    for (std::size_t m = 0; m < given.size(); ++m) {
      modalities_.emplace_back(inputs, given[m], std::move(originals[m]));
    }
    if (given.size() == 1) return;
    const auto count = static_cast<std::int64_t>(given.size());
    const std::vector<float> equal(given.size(), 1.0F / static_cast<float>(count));
    share_logits_ = &inputs.parameters.add("modal_weight", MatrixView<const float>(equal.data(), 1, count));
  }

  void begin_epoch(std::int64_t epoch, data::RandomStream&) override {
    if (epoch != epoch_) graph_ = {};
    epoch_ = epoch;
  }

  [[nodiscard]] std::vector<std::byte> save_state() const override {
    if (!graph_) return {};
    detail::Bytes bytes;
    detail::append_little(bytes, static_cast<std::uint64_t>(epoch_));
    const detail::Bytes graph = training::graph_bytes(*graph_);
    bytes.insert(bytes.end(), graph.begin(), graph.end());
    return bytes;
  }

  void load_state(std::span<const std::byte> state) override {
    graph_ = {};
    if (state.empty()) return;
    constexpr std::size_t kEpochBytes = sizeof(std::uint64_t);
    const std::span<const std::byte> graph = state.subspan(std::min(kEpochBytes, state.size()));
    keep(training::graph_of_bytes(graph));
    epoch_ = static_cast<std::int64_t>(detail::load_little<std::uint64_t>(state.data()));
  }

  Var loss(Tape& tape, const Batch& batch) override {
    const BatchRows rows = batch_rows(graph_ ? with_constant(tape, edges_) : with_learned(tape), batch);
    return bpr_loss(rows) + reg_weight_ * embedding_squares(rows, batch_size_);
  }

  Representations represent(Tape& tape) override {
    return with_constant(tape, backend_.sparse(training::as_csr(detached(tape, learned(tape)))));
  }

 private:
  static Parameter& add_embedding(const ModelInputs& inputs, const char* name, std::int64_t rows) {
    return inputs.parameters.add(name, rows, inputs.settings.integer("embedding_size"), Initializer::xavier_uniform);
  }

  /// Final vectors, given what x -> G x is.
  Representations forward(Tape& tape, const std::function<Var(Var)>& item_product) {
    const Representations ego{tape.parameter(users_), tape.parameter(items_)};
    const Representations behaviour = user_item_.convolve(ego, user_item_layers_);
    Var content = ego.items;
    for (std::int64_t layer = 0; layer < item_layers_; ++layer) content = item_product(content);
    return {behaviour.users, behaviour.items + normalize_rows(content)};
  }

  Representations with_constant(Tape& tape, const Sparse& graph) {
    return forward(tape, [&](Var x) { return spmm(graph, x); });
  }

  /// Through G of the current parameters, which the epoch's other batches will use.
  Representations with_learned(Tape& tape) {
    const Learned current = learned(tape);
    keep(detached(tape, current));
    return forward(tape, [&](Var x) {
      Var y = (1.0 - frozen_share_) * edge_product(current.weights, current.edges.edges, x);
      for (std::size_t m = 0; m < modalities_.size(); ++m) {
        const Var original = spmm(modalities_[m].original_edges, x);
        y = y + frozen_share_ * (current.shares.empty() ? original : original * current.shares[m]);
      }
      if (adds_audience(true)) y = y + (1.0 - frozen_share_) * spmm(audience_edges_, x);
      return y;
    });
  }

  Learned learned(Tape& tape) const {
    std::vector<Graph> neighbours;
    std::vector<Var> similarities;
    for (std::size_t m = 0; m < modalities_.size(); ++m) {
      const Var projected = modalities_[m].projected(tape);
      Graph edges = nearest(tape, projected, modalities_[m].name);
      if (!rules_.alphas.empty()) edges = pruned(std::move(edges), rules_.alphas[m], context_);
      similarities.push_back(edge_similarities(normalize_rows(projected), training::edge_list(edges)));
      neighbours.push_back(std::move(edges));
    }
    if (adds_audience(false)) neighbours.push_back(rules_.audience);
    Learned result{.edges = training::edge_union(neighbours), .weights = {}, .shares = shares(tape)};
    Var mixed;
    for (std::size_t m = 0; m < similarities.size(); ++m) {
      Var part = sum_by(similarities[m], result.edges.places[m]);
      if (!result.shares.empty()) part = part * result.shares[m];
      mixed = m == 0 ? part : mixed + part;
    }
    if (adds_audience(false)) {
      const auto weights = rules_.audience.weights();
      const Var audience =
          tape.constant(MatrixView<const float>(weights.data(), static_cast<std::int64_t>(weights.size()), 1));
      mixed = mixed + sum_by(audience, result.edges.places.back());
    }
    result.weights = normalized_edges(mixed, result.edges.edges);
    return result;
  }

  /// The edges of L_m.
  [[nodiscard]] Graph nearest(Tape& tape, Var projected, const std::string& name) const {
    Matrix features(projected.rows(), projected.cols());
    backend_.download(tape.evaluate(projected), features.mutable_view());
    const auto values = features.values();
    if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
      throw training::NotFinite(
          fmt::format("train: the projected features of {} are not finite: a lower learning_rate often helps", name));
    }
    return knn_graph(features, {.k = knn_k_, .self = rules_.self}, context_);
  }

  [[nodiscard]] std::vector<Var> shares(Tape& tape) const {
    std::vector<Var> result;
    if (share_logits_ == nullptr) return result;
    const Var all = softmax(tape.parameter(*share_logits_));
    for (std::int64_t m = 0; m < all.cols(); ++m) result.push_back(slice_columns(all, m, 1));
    return result;
  }

  /// G as numbers.
  [[nodiscard]] Graph detached(Tape& tape, const Learned& current) const {
    const Graph adaptive = training::with_weights(current.edges.pattern, backend_, tape.evaluate(current.weights));
    std::vector<GraphView> graphs{adaptive};
    std::vector<float> coefficients{static_cast<float>(1.0 - frozen_share_)};
    for (std::size_t m = 0; m < modalities_.size(); ++m) {
      graphs.emplace_back(modalities_[m].original);
      const double share = current.shares.empty() ? 1.0 : tape.scalar(current.shares[m]);
      coefficients.push_back(static_cast<float>(frozen_share_ * share));
    }
    if (adds_audience(true)) {
      graphs.emplace_back(rules_.audience);
      coefficients.push_back(static_cast<float>(1.0 - frozen_share_));
    }
    return mix(graphs, coefficients, context_);
  }

  /// Whether the learned graph takes the audience graph, after or before it is normalised.
  [[nodiscard]] bool adds_audience(bool normalized) const {
    return rules_.audience.items() > 0 && rules_.apart == normalized;
  }

  void keep(Graph graph) {
    edges_ = backend_.sparse(training::as_csr(graph));
    graph_ = std::move(graph);
  }

  autodiff::Backend& backend_;
  Context context_;
  Parameter& users_;
  Parameter& items_;
  training::SelfLoopConvolution user_item_;
  std::vector<Modality> modalities_;
  Parameter* share_logits_ = nullptr;  ///< a; none for one modality
  training::LearnedRules rules_;
  Sparse audience_edges_;
  std::int64_t user_item_layers_;
  std::int64_t item_layers_;
  std::int64_t knn_k_;
  double frozen_share_;
  double reg_weight_;
  std::int64_t batch_size_;
  std::int64_t epoch_ = -1;
  std::optional<Graph> graph_;  ///< G of the epoch, after its first batch
  Sparse edges_;                ///< the same
};

}  // namespace

ModelEntry lattice_model() {
  std::vector<training::SettingSpec> settings{
      {"learning_rate_decay", 0.96, "epoch e trains with learning_rate * learning_rate_decay^(e / 50)", 0},
      {"embedding_size", std::int64_t{64}, "length of a user's and an item's vector", 1, 4096},
      {"feat_embed_dim", std::int64_t{64}, "length of an item's projected features", 1, 4096},
      {"n_ui_layers", std::int64_t{2}, "layers over the user-item graph", 0, 16},
      {"n_layers", std::int64_t{1}, "layers over the item graph", 1, 16},
      {"knn_k", std::int64_t{10}, "neighbours of an item by a modality, itself included", 1},
      {"lambda_coeff", 0.9, "share of the graph of the raw features; the rest is learned", 0, 1},
      {.name = "cf_model",
       .default_value = std::string("lightgcn"),
       .description = "vectors beside the item graph's: propagated over the user-item graph, or the tables (mf)",
       .choices = {"lightgcn", "mf"}},
      {"reg_weight", 0.0, "weight of the squared norms of the batch's vectors", 0},
      {"skip_missing_gradients", false,
       "leave features, projections and shares as they are in the batches that have no gradient for them, in place of "
       "moving them by momentum"}};
  for (training::SettingSpec& spec : training::refinement_settings(Weights::similarity)) {
    settings.push_back(std::move(spec));
  }
  settings.push_back({"gr_learned", false, "refine the learned graph, too: its neighbours keep their cosines"});
  return {.name = "lattice",
          .description = "item graph learned from trained features (LATTICE, Zhang et al., ACM MM 2021)",
          .settings = std::move(settings),
          .uses_item_graph = true,
          .make = [](const ModelInputs& inputs) -> std::unique_ptr<training::Model> {
            return std::make_unique<Lattice>(inputs);
          }};
}

}  // namespace graft::training::models

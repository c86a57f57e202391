#include "report/inspection_figures.hpp"

#include <string>

#include <fmt/format.h>

#include "report/format.hpp"
#include "report/inspection_words.hpp"
#include "report/svg.hpp"

namespace graft::report {
namespace {

Table histogram_table(const Histogram& histogram, const std::string& what, const std::string& counts) {
  Table table{.columns = {{what}, {counts}}};
  const double last_of_bin = histogram.bins == Histogram::Bins::equal ? 0.0 : 1.0;
  for (std::size_t b = 0; b < histogram.counts.size(); ++b) {
    const double from = histogram.bounds[b];
    const double to = histogram.bounds[b + 1] - last_of_bin;
    table.rows.push_back({from == to ? number_text(from) : fmt::format("{} to {}", number_text(from), number_text(to)),
                          count_text(histogram.counts[b])});
  }
  return table;
}

Figure degree_figure(const std::string& title, const Degrees& degrees, const std::string& axis, Tone tone) {
  const Spread& spread = degrees.spread;
  const HistogramChart chart{
      .title = title,
      .description = fmt::format("From {} to {}, median {}, mean {}.", number_text(spread.least),
                                 number_text(spread.most), number_text(spread.median), number_text(spread.mean)),
      .x_axis = degrees.histogram.bins == Histogram::Bins::doubling ? axis + " (bins double)" : axis,
      .y_axis = "items",
      .histogram = degrees.histogram,
      .tone = tone};
  return {.title = title, .svg = svg(chart), .numbers = histogram_table(degrees.histogram, axis, "items")};
}

}  // namespace

Figure neighbours_figure(const Structure& facts) {
  return degree_figure("Neighbours of an item", facts.neighbours, "neighbours", Tone::one);
}

Figure used_by_figure(const Structure& facts) {
  return degree_figure("Used by", facts.used_by, "items that receive from it", Tone::three);
}

Figure weights_figure(const WeightFacts& facts) {
  const Spread& spread = facts.spread;
  const std::string word = weight_word(facts.meaning);
  const HistogramChart chart{.title = "Weights of the edges",
                             .description = fmt::format("From {} to {}, median {}.", number_text(spread.least),
                                                        number_text(spread.most), number_text(spread.median)),
                             .x_axis = word,
                             .y_axis = "edges",
                             .histogram = facts.histogram};
  return {.title = chart.title, .svg = svg(chart), .numbers = histogram_table(facts.histogram, word, "edges")};
}

Figure threshold_figure(const WeightFacts& facts) {
  const std::string title = "Edges that a threshold would prune";
  LineChart chart{.title = title,
                  .description = "Share of the edges below each threshold.",
                  .x_axis = "threshold on the " + weight_word(facts.meaning),
                  .y_axis = "share of edges below",
                  .y_unit = Unit::percent,
                  .series = {{.name = "below"}}};
  Table table{.columns = {{"threshold"}, {"edges below"}, {"share"}}};
  for (const Below& below : facts.below) {
    chart.series.front().points.push_back({below.threshold, below.share});
    table.rows.push_back({number_text(below.threshold), count_text(below.edges), percent_text(below.share)});
  }
  return {.title = title, .svg = svg(chart), .numbers = table};
}

}  // namespace graft::report

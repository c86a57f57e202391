#include "report/svg.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "report/format.hpp"
#include "report/html.hpp"
#include "report/scale.hpp"

namespace graft::report {
namespace {

// In units of the view box; on a phone one is about a pixel.
constexpr double kWidth = 360.0;
constexpr double kLetter = 7.6;  ///< width of a digit of a wide font at 12 pixels
constexpr double kLine = 16.0;   ///< height of a line of text
constexpr double kGap = 6.0;     ///< between texts and what they belong to
constexpr double kPlotHeight = 150.0;

const char* name(Tone tone) {
  switch (tone) {
    case Tone::one:
      return "one";
    case Tone::two:
      return "two";
    case Tone::three:
      return "three";
    case Tone::four:
      return "four";
  }
  return "one";
}

double text_width(std::string_view text) {
  constexpr double kWidePercent = 5.0;  // what a percent sign is wider than a digit
  return kLetter * static_cast<double>(width_of(text)) + (text.ends_with('%') ? kWidePercent : 0.0);
}

std::string value_text(double value, Unit unit) {
  return unit == Unit::percent ? percent_text(value) : number_text(value);
}

/// Ticks in percent need no decimals that all of them have.
std::string tick_text(double value, Unit unit) {
  return unit == Unit::percent ? fmt::format("{:.4g}%", 100.0 * value) : compact_text(value);
}

/// A drawing under construction.
class Canvas {
 public:
  Canvas(std::string_view title, std::string_view description, double height)
      : svg_(fmt::format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {:.0f}\" role=\"img\">\n<title>{}</title>\n"
            "<desc>{}</desc>\n",
            kWidth, height, escaped(title), escaped(description))) {}

  void line(double x1, double y1, double x2, double y2, const char* kind) {
    svg_ += fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kind, x1, y1,
                        x2, y2);
  }
  void text(double x, double y, const char* anchor, std::string_view words, const char* kind = "a") {
    svg_ += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", kind, x, y,
                        anchor, escaped(words));
  }
  /// Text around x, moved where it would leave the drawing.
  void centered(double x, double y, std::string_view words) {
    const double half = std::min(text_width(words), kWidth) / 2.0;
    text(std::clamp(x, half, kWidth - half), y, "middle", words);
  }
  /// `hint` is shown by the pointer.
  void rectangle(double x, double y, double width, double height, Tone tone, std::string_view hint) {
    svg_ += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>{}</title></rect>\n",
        name(tone), x, y, width, height, escaped(hint));
  }
  void circle(double x, double y, Tone tone, std::string_view hint, double radius = 3.5) {
    svg_ += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"><title>{}</title></circle>\n",
                        name(tone), x, y, radius, escaped(hint));
  }
  void polyline(const std::string& points, Tone tone) {
    svg_ += fmt::format("<polyline class=\"{}\" points=\"{}\"/>\n", name(tone), points);
  }
  std::string finish() { return svg_ + "</svg>\n"; }

 private:
  std::string svg_;
};

/// Maps values to places on an axis.
struct Axis {
  std::vector<double> ticks;  ///< the first and the last are the ends
  double begin = 0.0;         ///< place of the first
  double end = 0.0;           ///< place of the last

  [[nodiscard]] double place(double value) const {
    return begin + (end - begin) * (value - ticks.front()) / (ticks.back() - ticks.front());
  }
};

/// The plot area with its horizontal grid, its upright axis named above it and its level axis named below it.
struct Plot {
  Axis y;
  double left = 0.0;
  double right = 0.0;
  double bottom = 0.0;
};

Plot draw_plot(Canvas& canvas, double top, const std::vector<double>& ticks, Unit unit, std::string_view y_axis,
               std::string_view x_axis) {
  double widest = 0.0;
  for (const double tick : ticks) widest = std::max(widest, text_width(tick_text(tick, unit)));
  Plot plot;
  plot.left = widest + kGap;
  plot.right = kWidth - kGap;
  plot.bottom = top + kPlotHeight;
  plot.y = {.ticks = ticks, .begin = plot.bottom, .end = top};
  canvas.text(0.0, top - kGap - 4.0, "start", y_axis);
  for (const double tick : ticks) {
    const double y = plot.y.place(tick);
    canvas.line(plot.left, y, plot.right, y, "grid");
    canvas.text(plot.left - kGap, y + 4.0, "end", tick_text(tick, unit));
  }
  canvas.line(plot.left, plot.bottom, plot.right, plot.bottom, "axis");
  canvas.centered((plot.left + plot.right) / 2.0, plot.bottom + 2.0 * kLine + 4.0, x_axis);
  return plot;
}

constexpr double kPlotTop = kLine + kGap + 4.0;
constexpr double kBelowPlot = 2.0 * kLine + 10.0;

/// Every how many labels of this width one has room, when they are `step` apart.
std::size_t label_stride(double width, double step) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil((width + kGap) / step)));
}

std::string bin_text(const Histogram& histogram, std::size_t bin) {
  const double from = histogram.bounds[bin];
  const double to = histogram.bounds[bin + 1];
  if (histogram.bins == Histogram::Bins::equal) return number_text(from) + " to " + number_text(to);
  if (to - from <= 1.0) return number_text(from);
  return number_text(from) + " to " + number_text(to - 1.0);
}

/// Labels below a histogram: of a bin where it is one number, else of the bounds.
void draw_bin_labels(Canvas& canvas, const Histogram& histogram, const Plot& plot, double step) {
  const bool single = histogram.bins == Histogram::Bins::single;
  double widest = 0.0;
  for (const double bound : histogram.bounds) widest = std::max(widest, text_width(compact_text(bound)));
  const std::size_t stride = label_stride(widest, step);
  const std::size_t labels = histogram.bounds.size() - (single ? 1 : 0);
  for (std::size_t b = 0; b < labels; b += stride) {
    const double x = plot.left + step * (static_cast<double>(b) + (single ? 0.5 : 0.0));
    canvas.centered(x, plot.bottom + kLine, compact_text(histogram.bounds[b]));
  }
}

/// Names of the series in as many lines as they need; none for a single one.
class Legend {
 public:
  explicit Legend(const std::vector<Series>& series) {
    if (series.size() < 2) return;
    double x = 0.0;
    for (const Series& one : series) {
      const double width = kDot + text_width(one.name) + 2.0 * kGap;
      if (x > 0.0 && x + width > kWidth) {
        x = 0.0;
        ++lines_;
      }
      entries_.push_back({&one, x, kLine * static_cast<double>(lines_)});
      x += width;
    }
    ++lines_;
  }

  [[nodiscard]] double height() const { return lines_ == 0 ? 0.0 : kLine * static_cast<double>(lines_) + kGap; }

  void draw(Canvas& canvas) const {
    for (const Entry& entry : entries_) {
      canvas.circle(entry.x + 5.0, entry.y + 8.0, entry.series->tone, entry.series->name);
      canvas.text(entry.x + kDot, entry.y + 12.0, "start", entry.series->name, "v");
    }
  }

 private:
  struct Entry {
    const Series* series;
    double x;
    double y;
  };
  static constexpr double kDot = 13.0;

  std::vector<Entry> entries_;
  int lines_ = 0;
};

void draw_mark(Canvas& canvas, const Mark& mark, double x, double top, double bottom) {
  canvas.line(x, top, x, bottom, "mark");
  const double width = text_width(mark.label);
  const double start = std::clamp(x - width / 2.0, 0.0, std::max(0.0, kWidth - width));
  canvas.text(start, top - 4.0, "start", mark.label, "v");
}

}  // namespace

std::string svg(const BarChart& chart) {
  constexpr double kRow = 26.0;
  constexpr double kBar = 16.0;
  constexpr std::size_t kMostLetters = 22;
  double label_width = 0.0;
  double value_width = 0.0;
  double most = chart.mark ? chart.mark->value : 0.0;
  for (const Bar& bar : chart.bars) {
    label_width = std::max(label_width, text_width(shortened(bar.label, kMostLetters)));
    value_width = std::max(value_width, text_width(value_text(bar.value, chart.unit)));
    if (!std::isnan(bar.value)) most = std::max(most, bar.value);
  }
  const double left = label_width + kGap;
  const double top = chart.mark ? kLine + kGap : kGap;
  const double bottom = top + kRow * static_cast<double>(chart.bars.size());
  Canvas canvas(chart.title, chart.description, bottom + kBelowPlot);
  // the longest bar leaves room for its value
  const Axis axis{.ticks = round_bounds(0.0, most, 3), .begin = left, .end = kWidth - value_width - kGap};
  for (const double tick : axis.ticks) {
    const double x = axis.place(tick);
    canvas.line(x, top, x, bottom, "grid");
    canvas.text(x, bottom + kLine, "middle", tick_text(tick, chart.unit));
  }
  for (std::size_t b = 0; b < chart.bars.size(); ++b) {
    const Bar& bar = chart.bars[b];
    const double y = top + kRow * static_cast<double>(b);
    const std::string value = value_text(bar.value, chart.unit);
    const double end = std::isnan(bar.value) ? left : axis.place(bar.value);
    canvas.text(left - kGap, y + kRow / 2.0 + 4.0, "end", shortened(bar.label, kMostLetters));
    canvas.rectangle(left, y + (kRow - kBar) / 2.0, end - left, kBar, bar.tone, bar.label + ": " + value);
  }
  canvas.line(left, top, left, bottom, "axis");
  if (chart.mark) draw_mark(canvas, *chart.mark, axis.place(chart.mark->value), top, bottom);
  for (std::size_t b = 0; b < chart.bars.size(); ++b) {  // above the mark, which may pass through them
    const double value = chart.bars[b].value;
    canvas.text((std::isnan(value) ? left : axis.place(value)) + 4.0,
                top + kRow * static_cast<double>(b) + kRow / 2.0 + 4.0, "start", value_text(value, chart.unit), "v");
  }
  canvas.centered((axis.begin + axis.end) / 2.0, bottom + 2.0 * kLine + 4.0, chart.axis);
  return canvas.finish();
}

std::string svg(const HistogramChart& chart) {
  const Histogram& histogram = chart.histogram;
  Canvas canvas(chart.title, chart.description, kPlotTop + kPlotHeight + kBelowPlot);
  std::int64_t most = 1;
  for (const std::int64_t count : histogram.counts) most = std::max(most, count);
  const std::vector<double> ticks = round_bounds(0.0, static_cast<double>(most), 4, true);
  const Plot plot = draw_plot(canvas, kPlotTop, ticks, Unit::number, chart.y_axis, chart.x_axis);
  if (histogram.counts.empty()) return canvas.finish();
  const double step = (plot.right - plot.left) / static_cast<double>(histogram.counts.size());
  const double gap = std::min(2.0, step / 8.0);
  for (std::size_t b = 0; b < histogram.counts.size(); ++b) {
    if (histogram.counts[b] == 0) continue;
    const double y = plot.y.place(static_cast<double>(histogram.counts[b]));
    const double height = std::max(plot.bottom - y, 0.8);  // one of many must still be seen
    canvas.rectangle(plot.left + step * static_cast<double>(b) + gap / 2.0, plot.bottom - height, step - gap, height,
                     chart.tone,
                     fmt::format("{}: {} {}", bin_text(histogram, b), count_text(histogram.counts[b]), chart.y_axis));
  }
  draw_bin_labels(canvas, histogram, plot, step);
  return canvas.finish();
}

std::string svg(const LineChart& chart) {
  double least_x = 0.0;
  double most_x = 0.0;
  double least_y = 0.0;
  double most_y = 0.0;
  bool any = false;
  for (const Series& series : chart.series) {
    for (const Point& point : series.points) {
      if (std::isnan(point.y)) continue;
      least_x = any ? std::min(least_x, point.x) : point.x;
      most_x = any ? std::max(most_x, point.x) : point.x;
      least_y = any || chart.y_from_zero ? std::min(least_y, point.y) : point.y;
      most_y = any || chart.y_from_zero ? std::max(most_y, point.y) : point.y;
      any = true;
    }
  }
  const Legend legend(chart.series);
  Canvas canvas(chart.title, chart.description, legend.height() + kPlotTop + kPlotHeight + kBelowPlot);
  legend.draw(canvas);
  const Plot plot = draw_plot(canvas, legend.height() + kPlotTop, round_bounds(least_y, most_y, 5), chart.y_unit,
                              chart.y_axis, chart.x_axis);
  constexpr double kInset = 12.0;  // the first and the last tick have their labels below the plot, not beside it
  const Axis x{.ticks = round_bounds(least_x, most_x, 6, chart.x_whole),
               .begin = plot.left + kInset,
               .end = plot.right - kInset};
  for (const double tick : x.ticks) {
    canvas.text(x.place(tick), plot.bottom + kLine, "middle", tick_text(tick, Unit::number));
  }
  for (const Series& series : chart.series) {
    std::string line;
    for (const Point& point : series.points) {
      if (!std::isnan(point.y)) line += fmt::format("{:.1f},{:.1f} ", x.place(point.x), plot.y.place(point.y));
    }
    canvas.polyline(line, series.tone);
    constexpr std::size_t kFew = 30;  // dots of more points would hide their line
    const double radius = series.points.size() <= kFew ? 3.5 : 1.0;
    for (const Point& point : series.points) {
      if (std::isnan(point.y)) continue;
      canvas.circle(x.place(point.x), plot.y.place(point.y), series.tone,
                    fmt::format("{}: {}", number_text(point.x), value_text(point.y, chart.y_unit)), radius);
    }
  }
  return canvas.finish();
}

}  // namespace graft::report

// Drawings for reports, as inline SVG: they scale with the page and take its colours (html.cpp), light or dark.
//
// Every drawing carries a title and a description for those who do not see it; all texts are escaped.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/inspection.hpp"

namespace graft::report {

/// Colours that stay apart for colour-blind eyes.
enum class Tone { one, two, three, four };

/// How values are written.
enum class Unit { number, percent };

struct Bar {
  std::string label = {};
  double value = 0.0;  ///< >= 0; a value that is not defined has no bar
  Tone tone = Tone::one;
};

/// A value to compare the bars with.
struct Mark {
  double value = 0.0;
  std::string label = {};
};

/// Horizontal bars, each with its label and its value.
struct BarChart {
  std::string title = {};
  std::string description = {};
  std::string axis = {};  ///< what the length of a bar is
  Unit unit = Unit::number;
  std::vector<Bar> bars = {};
  std::optional<Mark> mark = {};
};

/// Upright bars over the bins of a histogram.
struct HistogramChart {
  std::string title = {};
  std::string description = {};
  std::string x_axis = {};  ///< what the values are
  std::string y_axis = {};  ///< what is counted
  Histogram histogram = {};
  Tone tone = Tone::one;
};

struct Point {
  double x = 0.0;
  double y = 0.0;
};

/// A line through points by ascending x; points that are not defined are left out.
struct Series {
  std::string name = {};  ///< in the legend, which is drawn for two series and more
  std::vector<Point> points = {};
  Tone tone = Tone::one;
};

struct LineChart {
  std::string title = {};
  std::string description = {};
  std::string x_axis = {};
  std::string y_axis = {};
  Unit y_unit = Unit::number;
  bool y_from_zero = true;
  bool x_whole = false;  ///< x counts: no fractions on its axis
  std::vector<Series> series = {};
};

std::string svg(const BarChart& chart);
std::string svg(const HistogramChart& chart);
std::string svg(const LineChart& chart);

}  // namespace graft::report

// The parts of reports: round axes, texts, pages and drawings.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "report/format.hpp"
#include "report/html.hpp"
#include "report/scale.hpp"
#include "report/statistics.hpp"
#include "report/svg.hpp"

namespace report_test {
namespace {

using namespace graft;
using namespace graft::report;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

TEST_CASE("round_bounds: multiples of 1, 2 or 5 that enclose the range, as typed") {
  CHECK(round_bounds(0.0, 1.0, 5) == std::vector<double>{0.0, 0.2, 0.4, 0.6, 0.8, 1.0});
  CHECK(round_bounds(0.12, 0.31, 4) == std::vector<double>{0.1, 0.15, 0.2, 0.25, 0.3, 0.35});
  CHECK(round_bounds(-3.0, 12.0, 4) == std::vector<double>{-5.0, 0.0, 5.0, 10.0, 15.0});
  CHECK(round_bounds(0.0, 900.0, 3) == std::vector<double>{0.0, 500.0, 1000.0});
  CHECK(round_bounds(0.0, 3.0, 10, true) == std::vector<double>{0.0, 1.0, 2.0, 3.0});
}

TEST_CASE("round_bounds: ranges without width, tiny and huge ones") {
  CHECK(round_bounds(0.0, 0.0, 5) == std::vector<double>{0.0, 1.0});
  for (const double value : {1.0, -0.7, 1e-40, 3.4e38, 1e300, 123456.789}) {
    const std::vector<double> bounds = round_bounds(value, value, 25);
    REQUIRE(bounds.size() >= 2);
    CHECK(bounds.front() <= value);
    CHECK(bounds.back() >= value);
  }
  for (const auto& [least, most] : {std::pair{1.0, std::nextafter(1.0, 2.0)}, {-3.4e38, 3.4e38}, {0.0, 5e-324}}) {
    const std::vector<double> bounds = round_bounds(least, most, 10);
    CHECK(bounds.size() <= 13);
    CHECK(bounds.front() <= least);
    CHECK(bounds.back() >= most);
    for (std::size_t b = 1; b < bounds.size(); ++b) CHECK(bounds[b - 1] < bounds[b]);
  }
}

TEST_CASE("group_bounds: equal values stay together") {
  const auto bounds = [](std::vector<int> values, std::int64_t groups) {
    return group_bounds(std::span<const int>(values), groups);
  };
  CHECK(bounds({1, 2, 3, 4, 5, 6, 7, 8}, 4) == std::vector<int>{2, 4, 6, 8});
  CHECK(bounds({1, 1, 1, 1, 1, 1, 1, 2}, 4) == std::vector<int>{1, 2});
  CHECK(bounds({1, 2, 2, 2, 2, 2, 2, 2}, 4) == std::vector<int>{1, 2});
  CHECK(bounds({5, 5, 5}, 4) == std::vector<int>{5});
  CHECK(bounds({1, 2}, 4) == std::vector<int>{1, 2});
  CHECK(bounds({}, 4).empty());
}

TEST_CASE("sorted: many pieces merge into ascending values for any number of threads") {
  std::vector<float> values;
  std::uint32_t state = 1;
  for (int i = 0; i < 700001; ++i) {
    state = state * 1664525U + 1013904223U;
    values.push_back(static_cast<float>(state >> 8U));
  }
  std::vector<float> expected = values;
  std::sort(expected.begin(), expected.end());
  CHECK(sorted(values, {.threads = 1}) == expected);
  CHECK(sorted(values, {.threads = 4}) == expected);
}

TEST_CASE("numbers read as people write them") {
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(1234567) == "1,234,567");
  CHECK(count_text(-1000) == "-1,000");
  CHECK(percent_text(0.635) == "63.5%");
  CHECK(percent_text(0.018) == "1.8%");
  CHECK(percent_text(0.0057) == "0.57%");
  CHECK(percent_text(0.00003) == "0.003%");
  CHECK(percent_text(1.0) == "100%");
  CHECK(percent_text(0.99999) == ">99.9%");
  CHECK(percent_text(0.0) == "0%");
  CHECK(percent_text(kUndefined) == "n/a");
  CHECK(number_text(17.158) == "17.16");
  CHECK(number_text(63454.0) == "63,454");
  CHECK(number_text(1234.6) == "1,235");
  CHECK(number_text(-0.5) == "-0.5");
  CHECK(number_text(kUndefined) == "n/a");
  CHECK(compact_text(950.0) == "950");
  CHECK(compact_text(12000.0) == "12k");
  CHECK(compact_text(1500000.0) == "1.5M");
  CHECK(counted(1, "item") == "1 item");
  CHECK(counted(2000, "item") == "2,000 items");
}

TEST_CASE("texts: what is no UTF-8 or no character is replaced, long ones are cut between characters") {
  CHECK(printable("a\tb\xC3\xA9") == "a\tb\xC3\xA9");
  CHECK(printable("a\xFF\x01z") == "a\xEF\xBF\xBD\xEF\xBF\xBDz");
  CHECK(printable("\xE2\x82") == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(printable("\xEF\xBF\xBF") != "\xEF\xBF\xBF");
  CHECK(width_of("caf\xC3\xA9") == 4);
  CHECK(width_of("\xE8\xB5\xA4") == 2);
  CHECK(shortened("abcdef", 6) == "abcdef");
  CHECK(shortened("abcdefg", 6) == "abcde…");
  CHECK(shortened("\xE8\xB5\xA4\xE8\xB5\xA4\xE8\xB5\xA4", 4) == "\xE8\xB5\xA4…");
  CHECK(padded("ab", 4) == "ab  ");
  CHECK(padded("abcde", 4) == "abcde");
}

TEST_CASE("escaped: nothing is left that is markup") {
  CHECK(escaped("<script>alert('1') & \"2\"</script>") ==
        "&lt;script&gt;alert(&#39;1&#39;) &amp; &quot;2&quot;&lt;/script&gt;");
}

TEST_CASE("page: every text of the caller is escaped, wherever it goes") {
  const std::string evil = "<script>&\"'";
  const Table table{.columns = {{evil, Table::Align::text}, {evil}}, .rows = {{evil, evil}}};
  Page page(evil, evil, evil);
  page.footer(evil);
  Section section(evil);
  section.paragraph(evil).tiles({{evil, evil, evil}}).table(table);
  section.figure({.title = evil,
                  .svg = svg(BarChart{.title = evil,
                                      .description = evil,
                                      .axis = evil,
                                      .bars = {{.label = evil, .value = 1.0}},
                                      .mark = Mark{0.5, evil}}),
                  .numbers = table});
  section.figure({.title = evil,
                  .svg = svg(LineChart{.title = evil,
                                       .description = evil,
                                       .x_axis = evil,
                                       .y_axis = evil,
                                       .series = {{.name = evil, .points = {{0, 1}}}, {.name = evil}}}),
                  .numbers = table});
  page.add(section);
  const std::string html = page.html();
  CHECK_FALSE(holds(html, "<script"));
  CHECK(count_of(html, "&lt;script&gt;") > 20);
  CHECK(count_of(html, "<div class=\"figures\">") == 1);
  CHECK(count_of(html, "<div") == count_of(html, "</div>"));
}

TEST_CASE("bar chart: one bar a value, lengths in proportion, the mark at its place") {
  const std::string drawing = svg(BarChart{
      .title = "t",
      .description = "d",
      .axis = "share",
      .unit = Unit::percent,
      .bars = {{.label = "a", .value = 0.2}, {.label = "b", .value = 0.4}, {.label = "c", .value = kUndefined}},
      .mark = Mark{0.4, "base"}});
  CHECK(count_of(drawing, "<rect") == 3);
  const auto width = [&](const std::string& label) {
    const std::size_t end = drawing.find("\"><title>" + label + ": ");
    const std::size_t begin = drawing.rfind("width=\"", end) + 7;
    return std::stod(drawing.substr(begin, end - begin));
  };
  CHECK(width("b") == doctest::Approx(2.0 * width("a")).epsilon(0.01));
  CHECK(width("c") == 0.0);
  CHECK(holds(drawing, ">40.0%</text>"));
  CHECK(holds(drawing, ">n/a</text>"));
  CHECK(holds(drawing, "class=\"mark\""));
  CHECK(holds(drawing, "role=\"img\""));
  CHECK(holds(drawing, "<desc>d</desc>"));
}

TEST_CASE("histogram chart: a bar for every bin that is not empty") {
  const Histogram histogram{.bins = Histogram::Bins::doubling, .bounds = {0, 1, 2, 4}, .counts = {5, 0, 10}};
  const std::string drawing =
      svg(HistogramChart{.title = "t", .description = "d", .x_axis = "x", .y_axis = "items", .histogram = histogram});
  CHECK(count_of(drawing, "<rect") == 2);
  CHECK(holds(drawing, "<title>0: 5 items</title>"));
  CHECK(holds(drawing, "<title>2 to 3: 10 items</title>"));
  CHECK_FALSE(holds(svg(HistogramChart{.title = "t", .description = "", .x_axis = "", .y_axis = ""}), "<rect"));
}

TEST_CASE("line chart: a legend for two series and more, undefined points left out") {
  const Series first{.name = "first", .points = {{0, 1}, {1, kUndefined}, {2, 3}}};
  const Series second{.name = "second", .points = {{0, 2}, {2, 1}}, .tone = Tone::two};
  const LineChart one{.title = "t", .description = "d", .x_axis = "x", .y_axis = "y", .series = {first}};
  CHECK(count_of(svg(one), "<circle") == 2);
  CHECK_FALSE(holds(svg(one), ">first</text>"));
  const LineChart two{.title = "t", .description = "d", .x_axis = "x", .y_axis = "y", .series = {first, second}};
  CHECK(count_of(svg(two), "<polyline") == 2);
  CHECK(holds(svg(two), ">first</text>"));
  CHECK(holds(svg(two), ">second</text>"));
  const LineChart none{.title = "t", .description = "d", .x_axis = "x", .y_axis = "y"};
  CHECK_FALSE(holds(svg(none), "nan"));
}

}  // namespace
}  // namespace report_test

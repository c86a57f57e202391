// Self-contained HTML reports: one file, no script, no network, readable on a phone, in the dark and on paper.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::report {

/// The text with everything that HTML and XML would take for markup, in text and in attributes, made harmless.
std::string escaped(std::string_view text);

/// One fact in large letters.
struct Tile {
  std::string label = {};
  std::string value = {};
  std::string note = {};  ///< in small letters below; may be empty
};

/// Texts in rows and columns; all texts are escaped.
struct Table {
  /// Numbers align on the right.
  enum class Align { text, number };
  struct Column {
    std::string title;
    Align align = Align::number;
  };
  std::vector<Column> columns = {};
  std::vector<std::vector<std::string>> rows = {};  ///< each as long as `columns`
};

/// A drawing and the numbers behind it, which unfold on demand.
struct Figure {
  std::string title = {};
  std::string svg = {};  ///< from svg.hpp
  Table numbers;
};

/// A headed part of a page. Figures that follow each other share the width.
class Section {
 public:
  explicit Section(std::string title) : title_(std::move(title)) {}

  Section& paragraph(std::string_view text);
  Section& tiles(const std::vector<Tile>& tiles);
  Section& figure(const Figure& figure);
  Section& table(const Table& table);

  [[nodiscard]] std::string html() const;

 private:
  void close_figures();

  std::string title_;
  std::string body_;
  bool figures_open_ = false;
};

/// A whole document: well-formed as HTML and as XML; the same content gives the same bytes.
class Page {
 public:
  /// @param kind  what sort of report it is, above the title   @param subtitle  below the title; may be empty
  Page(std::string title, std::string kind, std::string subtitle)
      : title_(std::move(title)), kind_(std::move(kind)), subtitle_(std::move(subtitle)) {}

  /// Below the title, framed: what nobody who reads the page may miss.
  void banner(std::string_view text);
  void add(const Section& section) { body_ += section.html(); }
  /// The last line, in small letters.
  void footer(std::string text) { footer_ = std::move(text); }

  [[nodiscard]] std::string html() const;

 private:
  std::string title_;
  std::string kind_;
  std::string subtitle_;
  std::string footer_;
  std::string body_;
};

}  // namespace graft::report

#include "report/html.hpp"

#include <cstddef>

#include <fmt/format.h>

#include "report/format.hpp"

namespace graft::report {
namespace {

// Colours that stay apart for colour-blind eyes (after Okabe and Ito), lighter in the dark.
constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--page:#fff;--card:#f6f7f8;--ink:#1b1f23;--soft:#57606a;--line:#d9dee3;
--one:#0072b2;--two:#d55e00;--three:#009e73;--four:#8a939c}
@media (prefers-color-scheme:dark){:root{--page:#14171a;--card:#1e2327;--ink:#e8eaed;--soft:#a4adb6;--line:#363d44;
--one:#56b4e9;--two:#f08c3c;--three:#2fc79b;--four:#7d8790}}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;
--one:#0072b2;--two:#d55e00;--three:#009e73;--four:#8a939c}
section,figure{break-inside:avoid}details::details-content{content-visibility:visible;block-size:auto}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
-webkit-text-size-adjust:100%;text-size-adjust:100%}
main{max-width:66rem;margin:0 auto;padding:1.5rem 1rem 3rem}
.kind{margin:0;color:var(--soft);font-size:.875rem}
h1{margin:0;font-size:1.75rem;line-height:1.2;overflow-wrap:anywhere}
h2{margin:2.5rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--line);font-size:1.25rem;line-height:1.3}
.sub,footer{color:var(--soft)}.sub{margin:.25rem 0 0}footer{margin-top:3rem;font-size:.8125rem}
p{max-width:44rem;margin:.5rem 0 1rem;overflow-wrap:anywhere}
.banner{max-width:none;margin:1rem 0;padding:.75rem 1rem;border:2px solid var(--two);border-radius:.5rem;font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.75rem;margin:1rem 0;padding:0}
.tiles div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem}
dt,dd{margin:0}dt,dd.note{color:var(--soft);font-size:.8125rem;line-height:1.35}
dd{font-size:1.375rem;font-weight:600;line-height:1.3;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
dd.note{font-weight:400}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:1.5rem 2rem;margin:1rem 0}
figure{margin:0;min-width:0}figcaption{font-weight:600;margin-bottom:.25rem}
svg{display:block;width:100%;max-width:30rem;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
svg text{fill:var(--soft)}svg text.v{fill:var(--ink);paint-order:stroke;stroke:var(--page);stroke-width:3px;stroke-linejoin:round}
.grid{stroke:var(--line);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1}
.mark{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:4 3}
.one{fill:var(--one)}.two{fill:var(--two)}.three{fill:var(--three)}.four{fill:var(--four)}
polyline{fill:none;stroke-width:2.25;stroke-linejoin:round}
polyline.one{fill:none;stroke:var(--one)}polyline.two{fill:none;stroke:var(--two)}
polyline.three{fill:none;stroke:var(--three)}polyline.four{fill:none;stroke:var(--four)}
details{margin:.25rem 0 0;color:var(--soft);font-size:.875rem}summary{cursor:pointer;padding:.25rem 0}
.scroll{overflow-x:auto;margin:.5rem 0 1rem}
table{border-collapse:collapse;font-size:.875rem;color:var(--ink)}
th,td{padding:.3rem 1rem .3rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--soft);font-weight:600}td{overflow-wrap:anywhere}td:first-child{overflow-wrap:normal}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;overflow-wrap:normal}
)";

std::string table_html(const Table& table) {
  const auto cell = [&](const char* tag, std::size_t column, std::string_view text) {
    const char* kind = table.columns[column].align == Table::Align::number ? R"( class="n")" : "";
    const char* scope = std::string_view(tag) == "th" ? R"( scope="col")" : "";
    return fmt::format("<{0}{1}{2}>{3}</{0}>", tag, scope, kind, escaped(text));
  };
  std::string html = "<div class=\"scroll\"><table><thead><tr>";
  for (std::size_t c = 0; c < table.columns.size(); ++c) html += cell("th", c, table.columns[c].title);
  html += "</tr></thead><tbody>\n";
  for (const std::vector<std::string>& row : table.rows) {
    html += "<tr>";
    for (std::size_t c = 0; c < table.columns.size(); ++c) html += cell("td", c, row[c]);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char letter : printable(text)) {
    switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

void Section::close_figures() {
  if (figures_open_) body_ += "</div>\n";
  figures_open_ = false;
}

Section& Section::paragraph(std::string_view text) {
  close_figures();
  body_ += fmt::format("<p>{}</p>\n", escaped(text));
  return *this;
}

Section& Section::tiles(const std::vector<Tile>& tiles) {
  close_figures();
  body_ += "<dl class=\"tiles\">\n";
  for (const Tile& tile : tiles) {
    body_ += fmt::format("<div><dt>{}</dt><dd>{}</dd>", escaped(tile.label), escaped(tile.value));
    if (!tile.note.empty()) body_ += fmt::format("<dd class=\"note\">{}</dd>", escaped(tile.note));
    body_ += "</div>\n";
  }
  body_ += "</dl>\n";
  return *this;
}

Section& Section::figure(const Figure& figure) {
  if (!figures_open_) body_ += "<div class=\"figures\">\n";
  figures_open_ = true;
  body_ +=
      fmt::format("<figure><figcaption>{}</figcaption>\n{}<details><summary>Numbers</summary>\n{}</details></figure>\n",
                  escaped(figure.title), figure.svg, table_html(figure.numbers));
  return *this;
}

Section& Section::table(const Table& table) {
  close_figures();
  body_ += table_html(table);
  return *this;
}

std::string Section::html() const {
  const std::string head = title_.empty() ? "" : fmt::format("<h2>{}</h2>\n", escaped(title_));
  return fmt::format("<section>\n{}{}{}</section>\n", head, body_, figures_open_ ? "</div>\n" : "");
}

void Page::banner(std::string_view text) {
  body_ += fmt::format("<p class=\"banner\" role=\"alert\">{}</p>\n", escaped(text));
}

std::string Page::html() const {
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n";
  html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n";
  html += fmt::format("<title>{} - {}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n", escaped(title_),
                      escaped(kind_), kStyle);
  html += fmt::format("<header><p class=\"kind\">{}</p>\n<h1>{}</h1>\n", escaped(kind_), escaped(title_));
  if (!subtitle_.empty()) html += fmt::format("<p class=\"sub\">{}</p>\n", escaped(subtitle_));
  html += "</header>\n" + body_;
  if (!footer_.empty()) html += fmt::format("<footer>{}</footer>\n", escaped(footer_));
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace graft::report

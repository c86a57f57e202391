#include "interaction_log_lines.hpp"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/file_handle.hpp>
#include <graft/detail/file_reader.hpp>
#include <graft/detail/parallel.hpp>
#include <graft/detail/unicode.hpp>

namespace graft::data {
namespace {

constexpr unsigned kTextPiece = 1U << 20U;

gzFile as_gzip(void* file) { return static_cast<gzFile>(file); }

bool is_ascii(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::uint64_t seen = 0;
  std::size_t at = 0;
  for (; at + sizeof(seen) <= text.size(); at += sizeof(seen)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, sizeof(bytes));
    seen |= bytes;
  }
  for (; at < text.size(); ++at) seen |= static_cast<unsigned char>(text[at]);
  return (seen & kHighBits) == 0;
}

}  // namespace

void LineReader::CloseGzip::operator()(void* file) const { gzclose(as_gzip(file)); }

LineReader::LineReader(std::filesystem::path path, const Context& context)
    : path_(std::move(path)), context_(context), size_(detail::FileReader(kReadOperation, path_).size()) {
  file_.reset(gzopen(path_.c_str(), "rbe"));  // e: not inherited by children
  if (!file_) throw detail::io_error(kReadOperation, path_, "cannot open", errno);
  gzbuffer(as_gzip(file_.get()), kTextPiece / 4);
}

void LineReader::fail(std::int64_t line, std::string_view what, std::string_view value,
                      std::string_view allowed) const {
  const std::string place = fmt::format("{}:{}{}{}", path_.string(), line, what.empty() ? "" : ": ", what);
  throw FormatError(detail::message(kReadOperation, place, value.empty() ? "" : detail::quote(value), allowed));
}

void LineReader::fail(std::string_view allowed) const {
  throw FormatError(detail::message(kReadOperation, path_.string(), "", allowed));
}

bool LineReader::fill() {
  detail::throw_if_cancelled(context_.cancel, kReadOperation);
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t held = buffer_.size();
  buffer_.resize(held + kTextPiece);
  errno = 0;
  const int got = gzread(as_gzip(file_.get()), buffer_.data() + held, kTextPiece);
  buffer_.resize(held + static_cast<std::size_t>(got > 0 ? got : 0));
  int error = Z_OK;
  std::string_view words = gzerror(as_gzip(file_.get()), &error);
  if (error == Z_ERRNO) throw detail::io_error(kReadOperation, path_, "cannot read", errno);
  if (error != Z_OK && error != Z_STREAM_END) {
    const std::string prefix = path_.string() + ": ";  // zlib names the file too
    if (words.starts_with(prefix)) words.remove_prefix(prefix.size());
    fail(fmt::format("cannot be unpacked as gzip: {}: is the file complete?", words));
  }
  report();
  return got > 0;
}

void LineReader::report() {
  constexpr std::chrono::milliseconds kBetweenReports(100);
  const auto now = std::chrono::steady_clock::now();
  if (!context_.progress || now - last_report_ < kBetweenReports) return;
  last_report_ = now;
  context_.progress({kReadOperation, std::int64_t{gzoffset(as_gzip(file_.get()))}, size_});
}

void LineReader::check(std::string_view text) const {
  constexpr std::string_view kMend = "must be text in UTF-8; convert the file first, e.g. with iconv";
  if (std::memchr(text.data(), 0, text.size()) != nullptr) {
    fail(line_, "", "", fmt::format("has a zero byte: {}", kMend));
  }
  if (!is_ascii(text) && !detail::decode_utf8(text)) fail(line_, "", text, kMend);
}

bool LineReader::next(std::string_view& line) {
  if (std::exchange(given_back_, false)) {
    line = current_;
    return true;
  }
  std::size_t searched = begin_;
  std::size_t end = buffer_.find('\n', searched);
  while (end == std::string::npos && !at_end_) {
    searched = buffer_.size() - begin_;  // where the new piece will begin
    if (searched > kMostLine) break;
    at_end_ = !fill();
    end = buffer_.find('\n', searched);
  }
  if (begin_ == buffer_.size()) return false;
  const std::size_t stop = std::min(end, buffer_.size());
  current_ = std::string_view(buffer_).substr(begin_, stop - begin_);
  begin_ = std::min(stop + 1, buffer_.size());
  ++line_;
  if (current_.size() > kMostLine) {
    fail(line_, "", "", fmt::format("is longer than {} bytes: is this a file of interactions?", kMostLine));
  }
  if (line_ == 1 && current_.starts_with("\xEF\xBB\xBF")) current_.remove_prefix(3);
  check(current_);
  line = current_;
  return true;
}

}  // namespace graft::data

#include "server/tool/text_table.h"

#include <algorithm>

#include "engine/base/check.h"

namespace pollux::tool {

namespace {

size_t places(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

void TextTable::add(std::vector<std::string> cells) {
  POLLUX_CHECK(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  std::vector<size_t> widths;
  std::vector<std::string> titles;
  for (size_t i = 0; i < columns_.size(); ++i) {
    titles.push_back(columns_[i].title);
    widths.push_back(places(columns_[i].title));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], places(row[i]));
  }
  std::string text;
  auto append = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i != 0) line += "  ";
      const std::string padding(widths[i] - places(cells[i]), ' ');
      line += columns_[i].right ? padding + cells[i] : cells[i] + padding;
    }
    while (line.ends_with(' ')) line.pop_back();
    text += line + "\n";
  };
  append(titles);
  for (const auto& row : rows_) append(row);
  return text;
}

}  // namespace pollux::tool

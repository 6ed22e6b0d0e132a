#include "server/tool/error_report.h"

#include "server/tool/text_format.h"

namespace pollux::tool {

void ErrorReport::add(std::string_view file, const RowError& error) {
  ++counts_[static_cast<size_t>(error.kind)];
  ++total_;
  if (total_ <= kPrintedMax) console_.message(to_text(error, file));
  if (total_ == kPrintedMax) console_.message("further errors are only counted");
}

std::string ErrorReport::summary() const {
  std::string text = counted(total_, "error");
  std::string kinds;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    if (!kinds.empty()) kinds += ", ";
    kinds += with_thousands(counts_[i]) + " " + std::string(name_of(static_cast<RowErrorKind>(i)));
  }
  if (!kinds.empty()) text += " (" + kinds + ")";
  return text;
}

}  // namespace pollux::tool

#include "server/tool/plan_file.h"

#include <filesystem>

#include "server/formats/input_buffer.h"
#include "server/formats/utf8.h"

namespace pollux::tool {

PlanFile read_plan_file(const std::string& path) {
  PlanFile file{path, {}, std::filesystem::path(path).stem().string(), {}};
  std::string why;
  std::unique_ptr<FileSource> source = FileSource::open(path, why);
  if (source == nullptr) {
    file.error = path + ": cannot open: " + why;
    return file;
  }
  InputBuffer buffer(std::move(source));
  InputBuffer::Fill fill = InputBuffer::Fill::kData;
  while (fill == InputBuffer::Fill::kData && buffer.view().size() <= kPlanBytesMax) {
    fill = buffer.fill(Wait::kYes);
  }
  if (fill == InputBuffer::Fill::kFailed) {
    file.error = path + ": cannot read: " + buffer.error();
  } else if (buffer.view().size() > kPlanBytesMax) {
    file.error = path + ": longer than " + std::to_string(kPlanBytesMax) + " bytes: not a plan";
  } else if (!is_utf8(buffer.view())) {
    file.error = path + ": not valid UTF-8: not a plan";
  } else {
    file.text = buffer.view();
  }
  return file;
}

}  // namespace pollux::tool

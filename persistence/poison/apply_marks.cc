#include "persistence/poison/apply_marks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "absl/status/status.h"

namespace pollux {
namespace {

constexpr uint32_t kMagic = 0x4d584c50;  // "PLXM"
constexpr uint32_t kVersion = 1;

absl::Status failed(const std::string& path, const char* what) {
  return absl::InternalError(path + ": cannot " + what + ": " +
                             std::generic_category().message(errno));
}

/// What stands before the call in the text stands before it in memory as a dying process leaves it.
void keep_order() { std::atomic_signal_fence(std::memory_order_seq_cst); }

}  // namespace

struct ApplyMarks::Page {
  uint32_t magic;
  uint32_t version;
  uint8_t reserved[248];
  Mark marks[kPlansMax];
};

static_assert(sizeof(ApplyMarks::Mark) == 248);

void ApplyMarks::Mark::begin(EntryId entry) {
  position = entry.position.value;
  keep_order();
  epoch = entry.epoch.value;
  keep_order();
}

void ApplyMarks::Mark::end() {
  keep_order();
  epoch = 0;
  if (deaths == 0) return;
  deaths = 0;
  died_epoch = died_position = 0;
}

absl::StatusOr<std::unique_ptr<ApplyMarks>> ApplyMarks::open(const std::string& path) {
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return failed(path, "open it");
  struct stat about;
  bool known = ::fstat(file, &about) == 0;
  if (known && about.st_size != 0 && about.st_size != sizeof(Page)) {
    ::close(file);
    return absl::FailedPreconditionError(path + ": this holds no marks");
  }
  // All of it: a hole that the disk has no room for would end the process at a write.
  if (known) errno = ::posix_fallocate(file, 0, sizeof(Page));
  if (!known || errno != 0) {
    absl::Status why = failed(path, "make room in it");
    ::close(file);
    return why;
  }
  void* mapped = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  absl::Status why = mapped == MAP_FAILED ? failed(path, "map it") : absl::OkStatus();
  ::close(file);
  if (!why.ok()) return why;
  auto* page = static_cast<Page*>(mapped);
  std::unique_ptr<ApplyMarks> marks(new ApplyMarks(page));
  if (page->magic == 0 && page->version == 0) {  // new, or its maker died
    page->magic = kMagic;
    page->version = kVersion;
  }
  if (page->magic != kMagic) return absl::FailedPreconditionError(path + ": this holds no marks");
  if (page->version != kVersion) {
    return absl::FailedPreconditionError(path + ": marks of version " +
                                         std::to_string(page->version));
  }
  marks->count_deaths();
  return marks;
}

ApplyMarks::~ApplyMarks() { ::munmap(page_, sizeof(Page)); }

void ApplyMarks::count_deaths() {
  for (Mark& mark : page_->marks) {
    mark.name_bytes = std::min<uint32_t>(mark.name_bytes, kNameBytesMax);
    if (mark.name_bytes == 0 || mark.epoch == 0) continue;
    bool again = mark.died_epoch == mark.epoch && mark.died_position == mark.position;
    mark.deaths = again ? mark.deaths + 1 : 1;
    mark.died_epoch = mark.epoch;
    mark.died_position = mark.position;
    keep_order();
    mark.epoch = 0;  // this death is counted
  }
}

std::vector<ApplyMarks::Poisoned> ApplyMarks::poisoned() const {
  std::vector<Poisoned> found;
  for (const Mark& mark : page_->marks) {
    if (mark.name_bytes == 0 || mark.deaths < kDeathsMax) continue;
    found.push_back(
        {std::string(mark.name, mark.name_bytes), {{mark.died_epoch}, {mark.died_position}}});
  }
  return found;
}

ApplyMarks::Mark* ApplyMarks::find(std::string_view plan) {
  if (plan.empty() || plan.size() > kNameBytesMax) return nullptr;
  Mark* free = nullptr;
  for (Mark& mark : page_->marks) {
    if (std::string_view(mark.name, mark.name_bytes) == plan) return &mark;
    if (mark.name_bytes == 0 && free == nullptr) free = &mark;
  }
  if (free == nullptr) return nullptr;
  *free = Mark{};
  std::memcpy(free->name, plan.data(), plan.size());
  free->name_bytes = static_cast<uint32_t>(plan.size());
  return free;
}

void ApplyMarks::forget(std::string_view plan) {
  for (Mark& mark : page_->marks) {
    if (mark.name_bytes != 0 && std::string_view(mark.name, mark.name_bytes) == plan) mark = Mark{};
  }
}

}  // namespace pollux

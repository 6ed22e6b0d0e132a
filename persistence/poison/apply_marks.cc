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
  if (deaths == 0 || position < died_position) return;
  deaths = 0;
  died_epoch = died_position = 0;
}

bool ApplyMarks::Mark::suspects(EntryId entry) const {
  return deaths != 0 && died_epoch == entry.epoch.value && died_position == entry.position.value;
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
  return marks;
}

ApplyMarks::~ApplyMarks() { ::munmap(page_, sizeof(Page)); }

void ApplyMarks::Mark::note_death() {
  EntryId entry{{epoch}, {position}};
  // A death that is counted once too often would be worse than one that is not counted.
  epoch = 0;
  keep_order();
  if (suspects(entry)) {
    ++deaths;
    return;
  }
  deaths = 0;
  keep_order();
  died_epoch = entry.epoch.value;
  died_position = entry.position.value;
  keep_order();
  deaths = 1;
}

void ApplyMarks::note_deaths(Position first) {
  for (Mark& mark : page_->marks) {
    mark.name_bytes = std::min<uint32_t>(mark.name_bytes, kNameBytesMax);
    if (mark.name_bytes != 0 && mark.epoch != 0) mark.note_death();
    if (mark.deaths == 0 || mark.died_position < first.value) mark = Mark{};
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
    // What is poisoned keeps its slot; the plan goes on in another one.
    if (mark.deaths >= kDeathsMax) continue;
    if (std::string_view(mark.name, mark.name_bytes) == plan) return &mark;
    if (mark.name_bytes == 0 && free == nullptr) free = &mark;
  }
  if (free == nullptr) return nullptr;
  *free = Mark{};
  std::memcpy(free->name, plan.data(), plan.size());
  keep_order();
  free->name_bytes = static_cast<uint32_t>(plan.size());
  return free;
}

}  // namespace pollux

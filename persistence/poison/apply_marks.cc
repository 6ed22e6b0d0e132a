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
#include <utility>

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
    if (mark.name_bytes == 0) continue;
    found_.push_back({std::string(mark.name, mark.name_bytes),
                      {{mark.died_epoch}, {mark.died_position}},
                      std::min(mark.deaths, kDeathsMax)});
  }
}

std::vector<ApplyMarks::Poisoned> ApplyMarks::poisoned() const {
  std::vector<Poisoned> all;
  for (const Deaths& found : found_) {
    if (found.deaths >= kDeathsMax) all.push_back({found.plan, found.entry});
  }
  return all;
}

ApplyMarks::Mark* ApplyMarks::find(std::string_view plan) {
  if (plan.empty() || plan.size() > kNameBytesMax) return nullptr;
  std::lock_guard lock(mutex_);
  for (Mark& mark : page_->marks) {
    // What is poisoned keeps its slot; the plan goes on in another one.
    if (mark.deaths >= kDeathsMax) continue;
    if (std::string_view(mark.name, mark.name_bytes) == plan) return &mark;
  }
  Mark* free = free_slot();
  if (free == nullptr) return nullptr;
  std::memcpy(free->name, plan.data(), plan.size());
  keep_order();
  free->name_bytes = static_cast<uint32_t>(plan.size());
  return free;
}

/// Blank; null when there is none. With the lock held.
ApplyMarks::Mark* ApplyMarks::free_slot() {
  for (Mark& mark : page_->marks) {
    if (mark.name_bytes != 0) continue;
    mark = Mark{};
    return &mark;
  }
  return nullptr;
}

std::vector<ApplyMarks::Deaths> ApplyMarks::to_tell() const {
  std::lock_guard lock(mutex_);
  std::vector<Deaths> all = poisoned_;
  all.insert(all.end(), found_.begin(), found_.end());
  return all;
}

void ApplyMarks::set_on_poisoned(std::function<void(const Deaths&)> on_poisoned) {
  std::lock_guard lock(mutex_);
  on_poisoned_ = std::move(on_poisoned);
}

namespace {

bool same(const ApplyMarks::Deaths& a, const ApplyMarks::Deaths& b) {
  return a.plan == b.plan && a.entry == b.entry;
}

}  // namespace

void ApplyMarks::note_told(const Deaths& deaths) {
  if (deaths.plan.empty() || deaths.plan.size() > kNameBytesMax || deaths.deaths == 0) return;
  std::lock_guard lock(mutex_);
  if (deaths.deaths >= kDeathsMax) return poison(deaths);
  std::erase_if(told_, [&](const Deaths& known) { return same(known, deaths); });
  if (told_.size() >= kPlansMax) return;
  told_.push_back(deaths);
  ++changes_;
}

/// Lasts as marks do. With the lock held.
void ApplyMarks::poison(const Deaths& deaths) {
  auto is_known = [&](const Deaths& known) {
    return same(known, deaths) && known.deaths >= kDeathsMax;
  };
  if (std::any_of(found_.begin(), found_.end(), is_known) ||
      std::any_of(poisoned_.begin(), poisoned_.end(), is_known)) {
    return;
  }
  if (Mark* slot = free_slot()) {
    slot->died_epoch = deaths.entry.epoch.value;
    slot->died_position = deaths.entry.position.value;
    slot->deaths = kDeathsMax;
    std::memcpy(slot->name, deaths.plan.data(), deaths.plan.size());
    keep_order();
    slot->name_bytes = static_cast<uint32_t>(deaths.plan.size());
  }
  poisoned_.push_back({deaths.plan, deaths.entry, kDeathsMax});
  ++changes_;
}

bool ApplyMarks::passes_over(std::string_view plan, EntryId entry, const Mark* mark, Known& known) {
  if (known.changes != changes_.load(std::memory_order_acquire)) {
    std::lock_guard lock(mutex_);
    known = {changes_.load(), {}};
    for (const auto* some : {&found_, &poisoned_, &told_}) {
      for (const Deaths& one : *some) {
        bool counts = one.deaths >= kDeathsMax || some == &told_;
        if (counts && one.plan == plan) known.deaths.push_back(one);
      }
    }
  }
  for (const Deaths& one : known.deaths) {
    if (one.entry != entry) continue;
    if (one.deaths >= kDeathsMax) return true;
    uint32_t own = mark != nullptr && mark->suspects(entry) ? mark->deaths : 0;
    if (!first_.load(std::memory_order_acquire) || own + one.deaths < kDeathsMax) continue;
    std::lock_guard lock(mutex_);
    Deaths judged{std::string(plan), entry, kDeathsMax};
    poison(judged);
    if (on_poisoned_) on_poisoned_(judged);
    return true;
  }
  return false;
}

}  // namespace pollux

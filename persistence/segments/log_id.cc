#include "persistence/segments/log_id.h"

#include <sys/random.h>

#include "absl/strings/str_format.h"
#include "engine/base/check.h"

namespace pollux {

LogId random_log_id() {
  LogId id;
  ssize_t got = ::getrandom(&id, sizeof(id), 0);
  POLLUX_CHECK(got == static_cast<ssize_t>(sizeof(id)));  // 256 bytes and less come at once
  return id;
}

std::string to_string(const LogId& id) { return absl::StrFormat("%016x%016x", id.high, id.low); }

}  // namespace pollux

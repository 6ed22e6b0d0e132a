#include "storage/remote/host_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

bool is_address(const std::string& host) {
  in6_addr bytes;
  return ::inet_pton(AF_INET, host.c_str(), &bytes) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &bytes) == 1;
}

absl::StatusOr<std::vector<std::string>> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    return absl::UnavailableError(
        absl::StrCat("no address of host ", host, ": ", ::gai_strerror(error)));
  }
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, ::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof(text), nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  if (addresses.empty()) return absl::UnavailableError("no address of host " + host);
  return addresses;
}

}  // namespace

struct HostLookup::Running {
  std::mutex mutex;
  std::condition_variable ended;
  bool has_ended = false;
  absl::StatusOr<std::vector<std::string>> found = absl::UnknownError("");
};

absl::StatusOr<std::vector<std::string>> HostLookup::find(const Deadline& deadline) {
  if (is_address(host_)) return std::vector<std::string>{host_};
  if (!running_) {
    running_ = std::make_shared<Running>();
    std::thread([running = running_, host = host_] {
      auto found = resolve(host);
      std::lock_guard lock(running->mutex);
      running->found = std::move(found);
      running->has_ended = true;
      running->ended.notify_all();
    }).detach();
  }
  std::shared_ptr<Running> running = running_;
  std::unique_lock lock(running->mutex);
  auto left = std::chrono::milliseconds(deadline.remaining_ms());
  if (!running->ended.wait_for(lock, left, [&] { return running->has_ended; })) {
    return absl::DeadlineExceededError("the name servers did not answer for host " + host_);
  }
  running_.reset();
  return running->found;
}

}  // namespace pollux

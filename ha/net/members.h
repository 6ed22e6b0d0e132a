// Where a peer may be found: settings `members`, and what a node says of itself. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pollux {

constexpr size_t kMembersMax = 256;  ///< addresses, with those of ranges

struct HostPort {
  std::string host;  ///< a name, or an address of IPv4 or IPv6 (without brackets)
  uint16_t port = 0;
  friend auto operator<=>(const HostPort&, const HostPort&) = default;
};

/// host:port, with brackets where they are needed.
std::string to_text(const HostPort& address);

/// "host", "host:port", "[::1]:port", "::1". kInvalidArgument says what is wrong.
absl::StatusOr<HostPort> parse_host_port(std::string_view text, uint16_t default_port);

/// The same, and ranges of the last number of an IPv4 address: "192.168.1.2-10",
/// "192.168.1.2-10:4000", "192.168.1.2-192.168.1.10". Each address once, in order. Everything that
/// is wrong is told at once; more than kMembersMax are an error.
absl::StatusOr<std::vector<HostPort>> parse_members(const std::vector<std::string>& members,
                                                    uint16_t default_port);

/// Of this machine alone: "localhost", 127.0.0.0/8, "::1".
bool is_loopback(std::string_view host);

/// Whether the peer could reach this node under `advertised`, a host without port: not when it is
/// empty or an address that only stands for "all" or for the machine itself, while some member is
/// on another machine. kInvalidArgument says what to do.
absl::Status check_advertised(std::string_view advertised, const std::vector<HostPort>& members);

}  // namespace pollux

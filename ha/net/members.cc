#include "ha/net/members.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

constexpr size_t kHostBytesMax = 255;

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::optional<uint32_t> ipv4_of(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return {};
  return ntohl(address.s_addr);
}

std::string text_of_ipv4(uint32_t address) {
  return absl::StrCat(address >> 24, ".", address >> 16 & 255, ".", address >> 8 & 255, ".",
                      address & 255);
}

bool is_ipv6(std::string_view text) {
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

absl::Status wrong(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("'", std::string(text), "': ", std::string(why)));
}

bool may_be_host(std::string_view host) {
  if (host.empty() || host.size() > kHostBytesMax) return false;
  if (is_ipv6(host)) return true;
  return std::all_of(host.begin(), host.end(), [](char c) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

/// "192.168.1.2-10" or "192.168.1.2-192.168.1.10"; nothing when it is no range of addresses, as a
/// name with a dash is none.
struct Range {
  uint32_t first = 0;
  uint32_t last = 0;
};
std::optional<Range> range_of(std::string_view host) {
  size_t dash = host.find('-');
  if (dash == std::string_view::npos) return {};
  auto first = ipv4_of(host.substr(0, dash));
  if (!first) return {};
  std::string_view rest = host.substr(dash + 1);
  if (auto last = ipv4_of(rest)) return Range{*first, *last};
  auto low = number_of<uint8_t>(rest);
  if (!low) return {};
  return Range{*first, (*first & ~uint32_t{255}) | *low};
}

absl::Status add_member(std::string_view text, uint16_t default_port, std::vector<HostPort>& all) {
  auto address = parse_host_port(text, default_port);
  if (!address.ok()) return address.status();
  auto range = range_of(address->host);
  if (!range) {
    all.push_back(*address);
    return absl::OkStatus();
  }
  if (range->last < range->first) return wrong(text, "the range ends before it begins");
  if (range->last - range->first >= kMembersMax) {
    return wrong(text, absl::StrCat("the range has more than ", kMembersMax, " addresses"));
  }
  for (uint32_t one = range->first; one <= range->last; ++one) {
    all.push_back({text_of_ipv4(one), address->port});
  }
  return absl::OkStatus();
}

bool stands_for_all(std::string_view host) {
  in6_addr address{};
  if (inet_pton(AF_INET6, std::string(host).c_str(), &address) == 1) {
    return IN6_IS_ADDR_UNSPECIFIED(&address);
  }
  return ipv4_of(host) == uint32_t{0} || host == "*";
}

}  // namespace

std::string to_text(const HostPort& address) {
  bool brackets = address.host.find(':') != std::string::npos;
  return absl::StrCat(brackets ? "[" : "", address.host, brackets ? "]" : "", ":", address.port);
}

absl::StatusOr<HostPort> parse_host_port(std::string_view text, uint16_t default_port) {
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong(text, "a ']' is missing");
    host = text.substr(1, end - 1);
    std::string_view rest = text.substr(end + 1);
    has_port = rest.starts_with(':');
    if (!rest.empty() && !has_port) return wrong(text, "behind ']' only ':' and a port may stand");
    if (has_port) port = rest.substr(1);
    if (!is_ipv6(host)) return wrong(text, "in brackets an IPv6 address is expected");
  } else if (!is_ipv6(text)) {
    size_t colon = text.rfind(':');
    has_port = colon != std::string_view::npos;
    host = text.substr(0, colon);
    if (has_port) port = text.substr(colon + 1);
  }
  HostPort address{std::string(host), default_port};
  if (has_port) {
    auto number = number_of<uint16_t>(port);
    if (!number || *number == 0) return wrong(text, "the port is no number from 1 to 65535");
    address.port = *number;
  }
  if (!may_be_host(host)) return wrong(text, "this is no host name and no address");
  return address;
}

absl::StatusOr<std::vector<HostPort>> parse_members(const std::vector<std::string>& members,
                                                    uint16_t default_port) {
  std::vector<HostPort> all;
  std::string mistakes;
  for (const std::string& member : members) {
    absl::Status added = add_member(member, default_port, all);
    if (!added.ok()) absl::StrAppend(&mistakes, mistakes.empty() ? "" : "; ", added.message());
  }
  if (!mistakes.empty()) return absl::InvalidArgumentError(absl::StrCat("members: ", mistakes));
  std::vector<HostPort> once;
  for (HostPort& address : all) {
    if (std::find(once.begin(), once.end(), address) == once.end()) {
      once.push_back(std::move(address));
    }
  }
  if (once.size() > kMembersMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("members: ", once.size(), " addresses; at most ", kMembersMax, " are tried"));
  }
  return once;
}

bool is_loopback(std::string_view host) {
  if (host == "localhost") return true;
  if (auto address = ipv4_of(host)) return *address >> 24 == 127;
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(host).c_str(), &address) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&address);
}

absl::Status check_advertised(std::string_view advertised, const std::vector<HostPort>& members) {
  const std::string text(advertised);
  constexpr const char* kWhatToDo =
      "set the advertised host to the name or address under which the other node reaches this one";
  if (advertised.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("no advertised host: ", kWhatToDo));
  }
  if (stands_for_all(advertised)) {
    return absl::InvalidArgumentError(
        absl::StrCat("advertised host '", text,
                     "' stands for all addresses and can only be listened on: ", kWhatToDo));
  }
  if (!may_be_host(advertised)) {
    return absl::InvalidArgumentError(
        absl::StrCat("advertised host '", text, "' is no host name and no address: ", kWhatToDo));
  }
  if (!is_loopback(advertised)) return absl::OkStatus();
  for (const HostPort& member : members) {
    if (is_loopback(member.host)) continue;
    return absl::InvalidArgumentError(absl::StrCat("advertised host '", text,
                                                   "' is this machine alone, and member ",
                                                   to_text(member), " is not on it: ", kWhatToDo));
  }
  return absl::OkStatus();
}

}  // namespace pollux

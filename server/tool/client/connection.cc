#include "server/tool/client/connection.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace pollux::tool {

namespace {

constexpr const char* kDefaultServer = "http://127.0.0.1:9763";
constexpr const char* kServerVariable = "POLLUX_SERVER";

constexpr size_t kServersMax = 2;

std::string check_count(const std::string& text) {
  const size_t count = split_list(text).size();
  return count >= 1 && count <= kServersMax ? "" : "expected one or two addresses: A or A,B";
}

std::string check_targets(const std::string& text) {
  for (const std::string& target : split_list(text)) {
    const size_t colon = target.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == target.size()) {
      return "expected HOST:PORT, as in 127.0.0.1:9873";
    }
  }
  return check_count(text);
}

}  // namespace

ConnectionOptions::ConnectionOptions() : server(kDefaultServer) {
  const char* named = std::getenv(kServerVariable);
  if (named != nullptr && !split_list(named).empty()) server = named;
}

void add_server_option(CLI::App& command, ConnectionOptions& to) {
  command
      .add_option("--server", to.server,
                  "The server's HTTP address, or both of a pair (default: $POLLUX_SERVER, else " +
                      std::string(kDefaultServer) + ")")
      ->check(CLI::Validator(check_count, ""))
      ->type_name("URL[,URL]");
}

void add_grpc_option(CLI::App& command, ConnectionOptions& to) {
  command
      .add_option(
          "--grpc", to.grpc,
          "The server's gRPC address, or both of a pair (default: the hosts of --server, and "
          "the ports that they name)")
      ->check(CLI::Validator(check_targets, ""))
      ->type_name("HOST:PORT[,HOST:PORT]");
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> items;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    if (end > at) items.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return items;
}

std::string normal_server_url(const std::string& server) {
  std::string url = server.find("://") == std::string::npos ? "http://" + server : server;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string host_of_url(const std::string& url) {
  std::string_view host = url;
  if (size_t scheme = host.find("://"); scheme != std::string_view::npos) {
    host.remove_prefix(scheme + 3);
  }
  host = host.substr(0, host.find_first_of("/?#"));
  if (size_t user = host.rfind('@'); user != std::string_view::npos) host.remove_prefix(user + 1);
  if (host.starts_with('[')) return std::string(host.substr(0, host.find(']') + 1));
  return std::string(host.substr(0, host.find(':')));
}

}  // namespace pollux::tool

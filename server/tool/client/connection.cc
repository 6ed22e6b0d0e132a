#include "server/tool/client/connection.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string_view>

namespace pollux::tool {

namespace {

constexpr const char* kDefaultServer = "http://127.0.0.1:9763";
constexpr const char* kServerVariable = "POLLUX_SERVER";

std::string check_target(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon != std::string::npos && colon != 0 && colon + 1 < text.size()) return {};
  return "expected HOST:PORT, as in 127.0.0.1:9873";
}

}  // namespace

ConnectionOptions::ConnectionOptions() : server(kDefaultServer) {
  const char* named = std::getenv(kServerVariable);
  if (named != nullptr && *named != '\0') server = named;
}

void add_server_option(CLI::App& command, ConnectionOptions& to) {
  command
      .add_option("--server", to.server,
                  "The server's HTTP address (default: $POLLUX_SERVER, else " +
                      std::string(kDefaultServer) + ")")
      ->type_name("URL");
}

void add_grpc_option(CLI::App& command, ConnectionOptions& to) {
  command
      .add_option("--grpc", to.grpc,
                  "The server's gRPC address (default: the host of --server, and the port that it "
                  "names)")
      ->check(CLI::Validator(check_target, ""))
      ->type_name("HOST:PORT");
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

// Where the server is: the options --server and --grpc, which all subcommands that talk to one
// have.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace pollux::tool {

struct ConnectionOptions {
  /// From the environment (POLLUX_SERVER), else http://127.0.0.1:9763.
  ConnectionOptions();

  std::string server;  ///< URL, or the two of a pair with a comma between
  std::string grpc{};  ///< HOST:PORT, or two of them; empty: asked of the servers
};

/// Adds --server. `to` outlives the parse and may be shared by several commands.
void add_server_option(CLI::App& command, ConnectionOptions& to);
/// Adds --grpc.
void add_grpc_option(CLI::App& command, ConnectionOptions& to);

/// "a,b" is a and b, without what is empty.
std::vector<std::string> split_list(const std::string& text);
/// "http://" in front where there is no scheme, and no slash at the end.
std::string normal_server_url(const std::string& server);
/// The host of a URL, with the brackets of an IPv6 address: "http://[::1]:9763" has "[::1]".
std::string host_of_url(const std::string& url);

}  // namespace pollux::tool

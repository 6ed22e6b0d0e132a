// pollux plan list, deploy, show, persist, undeploy: the plans of a server.
#pragma once

namespace CLI {
class App;
}

namespace pollux::tool {

struct ConnectionOptions;
enum class ExitCode : int;

void add_server_plan_commands(CLI::App& plan, ConnectionOptions& connection, ExitCode& exit_code);

}  // namespace pollux::tool

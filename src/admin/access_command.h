#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace hangar {

/// `hangar access explain`: what the policy says of somebody, and which of its rules. See
/// AddAdminCommands.
void AddAccessCommand(CLI::App& app, const std::function<void(int exit_code)>& set_exit_code);

}  // namespace hangar

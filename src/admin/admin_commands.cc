#include "admin/admin_commands.h"

#include "admin/access_command.h"
#include "admin/config_command.h"
#include "admin/doctor_command.h"
#include "admin/manual_command.h"
#include "admin/token_command.h"
#include "admin/user_command.h"

namespace hangar {

void AddAdminCommands(CLI::App& app, std::function<void(int exit_code)> set_exit_code) {
  AddAccessCommand(app, set_exit_code);
  AddConfigCommand(app, set_exit_code);
  AddDoctorCommand(app, set_exit_code);
  AddManualCommand(app, set_exit_code);
  AddTokenCommand(app, set_exit_code);
  AddUserCommand(app, set_exit_code);
}

}  // namespace hangar

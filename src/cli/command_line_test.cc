#include "cli/command_line.h"

#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>

namespace hangar::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Outcome RunHangar(std::vector<std::string> arguments, const AddCommands& add_commands = {}) {
  arguments.insert(arguments.begin(), "hangar");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.exit_code = RunCommandLine(static_cast<int>(argv.size()), argv.data(), add_commands);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

// An address where nobody can listen.
constexpr char kNobody[] = "grpc+unix:///no-such-folder/socket";

TEST(CommandLine, EveryCommandHasHelpWithAnExample) {
  for (const char* command :
       {"ls", "info", "schema", "head", "put", "get", "rm", "mv", "versions", "restore", "undrop",
        "trash", "check", "actions", "completion", "sync", "login", "logout", "profiles"}) {
    const Outcome outcome = RunHangar({command, "--help"});
    EXPECT_EQ(outcome.exit_code, 0) << command;
    EXPECT_THAT(outcome.out, HasSubstr(std::string("Example:\n  "))) << command;
    EXPECT_THAT(outcome.out.substr(outcome.out.find("Example:")), HasSubstr(command));
  }
}

TEST(CommandLine, TheHelpNamesTheExitCodes) {
  const Outcome outcome = RunHangar({"--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("Exit codes: 0 done, 1 failed, 2 "));
}

TEST(CommandLine, TellsItsVersion) {
  const Outcome outcome = RunHangar({"--version"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, testing::MatchesRegex("hangar [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(CommandLine, WithoutACommandShowsHowAndIsAUsageError) {
  const Outcome outcome = RunHangar({});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("put"));
}

TEST(CommandLine, UsageErrorsAreOneSentence) {
  const std::vector<std::vector<std::string>> wrong = {
      {"fly"},
      {"ls", "--colour"},
      {"put", "a"},
      {"get", "a", "--partitions", "0"},
      {"get", "a", "--limit", "-1"},
      {"get", "a", "--format", "xls"},
      {"put", "a", "b.csv", "--mode", "append"},
      {"ls", "--output", "yaml"},
      {"mv", "a"},
      {"get", "a", "--as-of", "yesterday"},
      {"info", "a", "--as-of", "2026-01-31", "--version", "v"},
      {"rm", "a", "b", "--if-version", "v"},
      {"trash", "--yes"},
      {"undrop"},
      {"completion", "csh"},
  };
  for (const auto& arguments : wrong) {
    const Outcome outcome = RunHangar(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments[0];
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, AllOf(StartsWith("hangar: "), EndsWith(")\n")));
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
  }
}

TEST(CommandLine, AnUnknownValueIsNamedWithThePossibleOnes) {
  EXPECT_THAT(RunHangar({"ls", "--output", "yaml"}).err,
              AllOf(HasSubstr("'yaml'"), HasSubstr("text|json")));
}

TEST(CommandLine, AServerThatIsNotThereIsAFailureThatSaysWhatToDo) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"ls"},
                                                                     {"info", "a"},
                                                                     {"rm", "a", "b"},
                                                                     {"mv", "a", "b"},
                                                                     {"versions", "a"},
                                                                     {"restore", "a@2026-01-31"},
                                                                     {"undrop", "a", "b"},
                                                                     {"trash"},
                                                                     {"trash", "--empty", "--yes"},
                                                                     {"check"},
                                                                     {"check", "a", "b"},
                                                                     {"actions"}}) {
    auto with_server = arguments;
    with_server.insert(with_server.end(), {"--server", kNobody});
    const Outcome outcome = RunHangar(with_server);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.err, std::string("hangar: cannot reach ") + kNobody +
                               " (No such file or directory): is \"hangar serve\" running there? "
                               "(--server or HANGAR_SERVER "
                               "chooses another)\n");
  }
}

TEST(CommandLine, AFailedCommandThatCannotReadItsFileNeedsNoServer) {
  const Outcome outcome = RunHangar({"put", "a", "/no-such-file.csv", "--server", kNobody});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.err, "hangar: cannot read '/no-such-file.csv': No such file or directory\n");
}

TEST(CommandLine, RestoreWantsAVersion) {
  const Outcome outcome = RunHangar({"restore", "a", "--server", kNobody});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("'a' names no version"), HasSubstr("NAME@VERSION")));
}

TEST(CommandLine, RunsCommandsOfOtherFoldersWithTheirExitCode) {
  const AddCommands add = [](CLI::App& app, std::function<void(int)> set_exit_code) {
    app.add_subcommand("serve", "")->callback([set_exit_code] { set_exit_code(7); });
  };
  EXPECT_EQ(RunHangar({"serve"}, add).exit_code, 7);
}

}  // namespace
}  // namespace hangar::cli

#include "cli/completion_script.h"

#include <string>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>

#include "cli/commands.h"

namespace hangar::cli {
namespace {

using testing::HasSubstr;

class CompletionScriptTest : public testing::Test {
 protected:
  CompletionScriptTest() {
    CLI::App& command = *app_.add_subcommand("fetch", "It's a [test]: fetch");
    command.add_option("NAME", text_, "The dataset");
    command.add_option("FILE", text_, "A file");
    command.add_option("-s,--server", text_, "The server")->type_name("URI");
    LimitTo(*command.add_option("--mode", text_, "How"), {"fast", "slow"});
    command.add_flag("-q,--quiet", flag_, "Say nothing");
  }

  // Adds a command that takes dropped datasets.
  void AddRecover() {
    app_.add_subcommand("recover", "Recover")->add_option("DROPPED", text_, "Dropped datasets");
  }

  CLI::App app_;
  std::string text_;
  bool flag_ = false;
};

TEST_F(CompletionScriptTest, BashCompletesCommandsOptionsValuesAndDatasets) {
  const std::string script = CompletionScript(app_, Shell::kBash);
  EXPECT_THAT(script, HasSubstr(R"(compgen -W $'fetch\n--help\n--version')"));
  EXPECT_THAT(script, HasSubstr(R"("fetch --mode") COMPREPLY=($(compgen -W $'fast\nslow')"));
  EXPECT_THAT(script, HasSubstr(R"("fetch -s"|"fetch --server") :; return)"));
  EXPECT_THAT(script, HasSubstr(R"(-s\n--server\n--mode\n-q\n--quiet)"));
  EXPECT_THAT(script, testing::Not(HasSubstr("\"fetch --quiet\"")));  // Flags take no value.
  EXPECT_THAT(script, HasSubstr("elif ((COMP_CWORD == 2)); then COMPREPLY=($(compgen -W "
                                "\"$(_hangar_datasets \"$cur\")\""));
  EXPECT_THAT(script, HasSubstr("else compopt -o filenames"));
}

TEST_F(CompletionScriptTest, ZshEscapesDescriptions) {
  const std::string script = CompletionScript(app_, Shell::kZsh);
  EXPECT_THAT(script, HasSubstr(R"('fetch:It'\''s a (test) - fetch')"));
  EXPECT_THAT(script, HasSubstr("'--mode[How]:value:(fast slow)'"));
  EXPECT_THAT(script, HasSubstr("'--quiet[Say nothing]'"));
  EXPECT_THAT(script, HasSubstr("'1:argument:_hangar_datasets'"));
  EXPECT_THAT(script, HasSubstr("'*:argument:_files'"));
}

TEST_F(CompletionScriptTest, FishNamesEveryOption) {
  const std::string script = CompletionScript(app_, Shell::kFish);
  EXPECT_THAT(script, HasSubstr("-s s -l server -x -d 'The server'"));
  EXPECT_THAT(script, HasSubstr("-l mode -x -a 'fast slow' -d 'How'"));
  EXPECT_THAT(script, HasSubstr("-s q -l quiet -d 'Say nothing'"));
}

TEST_F(CompletionScriptTest, DroppedDatasetsAreAskedForInTheTrash) {
  AddRecover();
  EXPECT_THAT(CompletionScript(app_, Shell::kBash),
              HasSubstr("compgen -W \"$(_hangar_dropped \"$cur\")\""));
  EXPECT_THAT(CompletionScript(app_, Shell::kZsh), HasSubstr("'*:argument:_hangar_dropped'"));
  EXPECT_THAT(CompletionScript(app_, Shell::kFish),
              HasSubstr("-a '(hangar trash -q --limit 500 --prefix (commandline -ct) "));
}

TEST_F(CompletionScriptTest, ProfilesAreThoseThatAreStored) {
  app_.add_subcommand("enter", "Enter")->add_option("--profile", text_, "As")->type_name("PROFILE");
  EXPECT_THAT(CompletionScript(app_, Shell::kBash),
              HasSubstr("\"enter --profile\") COMPREPLY=($(compgen -W \"$(_hangar_profiles)\""));
  EXPECT_THAT(CompletionScript(app_, Shell::kZsh),
              HasSubstr("'--profile[As]:value:_hangar_profiles'"));
  EXPECT_THAT(CompletionScript(app_, Shell::kFish), HasSubstr("-a '(hangar profiles -q "));
}

TEST_F(CompletionScriptTest, CommandsOfTwoWordsCompleteTheSecond) {
  CLI::App& key = *app_.add_subcommand("key", "Keys");
  key.add_subcommand("make", "Make one")->add_option("--name", text_, "Its name");
  key.add_subcommand("list", "List them")->add_option("--name", text_, "Its name");
  const std::string bash = CompletionScript(app_, Shell::kBash);
  EXPECT_THAT(bash, HasSubstr(R"(elif ((COMP_CWORD == 2)); then COMPREPLY=($(compgen -W )"
                              R"($'make\nlist' -- "$cur")))"));
  EXPECT_THAT(bash, HasSubstr(R"("key --name") :; return)"));
  EXPECT_THAT(CompletionScript(app_, Shell::kZsh), HasSubstr("'1:argument:(make list)'"));
  EXPECT_THAT(CompletionScript(app_, Shell::kFish), HasSubstr("-a 'make list'"));
}

}  // namespace
}  // namespace hangar::cli

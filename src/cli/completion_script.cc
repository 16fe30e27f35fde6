#include "cli/completion_script.h"

#include <algorithm>
#include <format>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace hangar::cli {
namespace {

// What a value may be.
struct Value {
  enum class Kind { kNone, kDataset, kDropped, kProfile, kFile, kWords };
  Kind kind = Kind::kNone;
  std::vector<std::string> words;
};

struct OptionSpec {
  std::vector<std::string> names;  // With their dashes.
  std::string description;
  bool takes_value = false;
  Value value;
};

struct CommandSpec {
  std::string name;
  std::string description;
  std::vector<OptionSpec> options;
  std::vector<Value> positionals;  // The last one holds for all that follow.
};

Value ValueOf(const std::string& positional_name, const std::string& type) {
  Value value;
  if (type.find('|') != std::string::npos) {
    value.kind = Value::Kind::kWords;
    for (size_t start = 0; start <= type.size();) {
      const size_t end = std::min(type.find('|', start), type.size());
      value.words.push_back(type.substr(start, end - start));
      start = end + 1;
    }
  } else if (type == "FILE" || type == "DIR" || positional_name == "FILE") {
    value.kind = Value::Kind::kFile;
  } else if (positional_name == "NAME" || positional_name == "OLD" || positional_name == "NEW" ||
             positional_name == "GLOB") {
    value.kind = Value::Kind::kDataset;
  } else if (positional_name == "DROPPED") {
    value.kind = Value::Kind::kDropped;
  } else if (positional_name == "PROFILE" || type == "PROFILE") {
    value.kind = Value::Kind::kProfile;
  }
  return value;
}

void AddOptions(const CLI::App& command, CommandSpec* spec) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) {
      spec->positionals.push_back(ValueOf(option->get_name(true), option->get_type_name()));
      continue;
    }
    OptionSpec out;
    for (const auto& name : option->get_snames()) out.names.push_back("-" + name);
    for (const auto& name : option->get_lnames()) out.names.push_back("--" + name);
    if (std::ranges::contains(spec->options, out.names, &OptionSpec::names)) continue;
    out.description = option->get_description();
    out.takes_value = option->get_items_expected_max() > 0;
    if (out.takes_value) out.value = ValueOf("", option->get_type_name());
    spec->options.push_back(std::move(out));
  }
}

// `hangar token create` is the command "token" with the word "create" and the options of all words
// that can stand there.
CommandSpec SpecOf(const CLI::App& command) {
  CommandSpec spec{command.get_name(), command.get_description(), {}, {}};
  const auto words = command.get_subcommands([](const CLI::App*) { return true; });
  if (!words.empty()) {
    Value& word = spec.positionals.emplace_back();
    word.kind = Value::Kind::kWords;
    for (const CLI::App* each : words) word.words.push_back(each->get_name());
  }
  AddOptions(command, &spec);
  const size_t positionals = spec.positionals.size();
  for (const CLI::App* each : words) AddOptions(*each, &spec);
  // What follows differs from word to word.
  if (!words.empty()) {
    spec.positionals.resize(positionals);
    spec.positionals.emplace_back();
  }
  return spec;
}

std::vector<CommandSpec> SpecsOf(const CLI::App& app) {
  std::vector<CommandSpec> specs;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    specs.push_back(SpecOf(*command));
  }
  return specs;
}

std::string Join(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += between;
    out += word;
  }
  return out;
}

std::string Replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with(from)) {
      out += to;
      at += from.size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string InQuotes(std::string_view text) { return "'" + Replaced(text, "'", "'\\''") + "'"; }

std::string CommandNames(const std::vector<CommandSpec>& commands) {
  std::vector<std::string> names;
  for (const CommandSpec& command : commands) names.push_back(command.name);
  return Join(names, " ");
}

constexpr char kBashStart[] =
    R"BASH(# bash completion for hangar: source <(hangar completion bash)
_hangar_datasets() { hangar ls -q --limit 500 --prefix "$1" 2>/dev/null; }
_hangar_dropped() { hangar trash -q --limit 500 --prefix "$1" 2>/dev/null; }
_hangar_profiles() { hangar profiles -q 2>/dev/null; }
_hangar() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  local IFS=$'\n'
  COMPREPLY=()
)BASH";

std::string BashReply(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNone:
      return ":";
    case Value::Kind::kDataset:
      return "COMPREPLY=($(compgen -W \"$(_hangar_datasets \"$cur\")\" -- \"$cur\"))";
    case Value::Kind::kDropped:
      return "COMPREPLY=($(compgen -W \"$(_hangar_dropped \"$cur\")\" -- \"$cur\"))";
    case Value::Kind::kProfile:
      return "COMPREPLY=($(compgen -W \"$(_hangar_profiles)\" -- \"$cur\"))";
    case Value::Kind::kFile:
      return "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\"))";
    case Value::Kind::kWords:
      return std::format("COMPREPLY=($(compgen -W $'{}' -- \"$cur\"))", Join(value.words, "\\n"));
  }
  return ":";
}

std::string BashValues(const std::vector<CommandSpec>& commands) {
  std::string out = "  case \"$command $prev\" in\n";
  for (const CommandSpec& command : commands) {
    for (const OptionSpec& option : command.options) {
      if (!option.takes_value) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) {
        patterns.push_back(std::format("\"{} {}\"", command.name, name));
      }
      out += std::format("    {}) {}; return ;;\n", Join(patterns, "|"), BashReply(option.value));
    }
  }
  return out + "  esac\n";
}

std::string BashScript(const std::vector<CommandSpec>& commands) {
  std::string out = kBashStart;
  out += std::format(
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W $'{}\\n--help\\n--version' -- \"$cur\"))\n"
      "    return\n  fi\n",
      Replaced(CommandNames(commands), " ", "\\n"));
  out += BashValues(commands);
  out += "  case $command in\n";
  for (const CommandSpec& command : commands) {
    std::vector<std::string> names;
    for (const OptionSpec& option : command.options) {
      names.insert(names.end(), option.names.begin(), option.names.end());
    }
    out += std::format(
        "    {})\n      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W $'{}' -- \"$cur\"))\n",
        command.name, Join(names, "\\n"));
    for (size_t i = 0; i < command.positionals.size(); ++i) {
      const bool last = i + 1 == command.positionals.size();
      const std::string reply = BashReply(command.positionals[i]);
      out += last ? std::format("      else {}\n", reply)
                  : std::format("      elif ((COMP_CWORD == {})); then {}\n", i + 2, reply);
    }
    out += "      fi ;;\n";
  }
  return out + "  esac\n}\ncomplete -F _hangar hangar\n";
}

constexpr char kZshStart[] = R"ZSH(#compdef hangar
# zsh completion for hangar: source <(hangar completion zsh)
_hangar_datasets() {
  local -a names
  names=(${(f)"$(hangar ls -q --limit 500 --prefix "$PREFIX" 2>/dev/null)"})
  compadd -a names
}
_hangar_dropped() {
  local -a names
  names=(${(f)"$(hangar trash -q --limit 500 --prefix "$PREFIX" 2>/dev/null)"})
  compadd -a names
}
_hangar_profiles() {
  local -a names
  names=(${(f)"$(hangar profiles -q 2>/dev/null)"})
  compadd -a names
}
_hangar() {
  local -a commands
)ZSH";

std::string ZshAction(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNone:
      return " ";
    case Value::Kind::kDataset:
      return "_hangar_datasets";
    case Value::Kind::kDropped:
      return "_hangar_dropped";
    case Value::Kind::kProfile:
      return "_hangar_profiles";
    case Value::Kind::kFile:
      return "_files";
    case Value::Kind::kWords:
      return "(" + Join(value.words, " ") + ")";
  }
  return " ";
}

// Brackets and colons have a meaning in _arguments.
std::string ZshDescription(std::string_view text) {
  return Replaced(Replaced(Replaced(text, "[", "("), "]", ")"), ":", " -");
}

std::string ZshScript(const std::vector<CommandSpec>& commands) {
  std::string out = kZshStart;
  out += "  commands=(\n";
  for (const CommandSpec& command : commands) {
    out += "    " +
           InQuotes(std::format("{}:{}", command.name, ZshDescription(command.description))) + "\n";
  }
  out +=
      "  )\n  if ((CURRENT == 2)); then _describe command commands; return; fi\n"
      "  local command=$words[2]\n  shift words\n  ((CURRENT--))\n  case $command in\n";
  for (const CommandSpec& command : commands) {
    out += std::format("    {})\n      _arguments -s", command.name);
    for (const OptionSpec& option : command.options) {
      for (const std::string& name : option.names) {
        std::string spec = std::format("{}[{}]", name, ZshDescription(option.description));
        if (option.takes_value) spec += ":value:" + ZshAction(option.value);
        out += " \\\n        " + InQuotes(spec);
      }
    }
    for (size_t i = 0; i < command.positionals.size(); ++i) {
      const bool last = i + 1 == command.positionals.size();
      out += " \\\n        " +
             InQuotes(std::format("{}:argument:{}", last ? "*" : std::to_string(i + 1),
                                  ZshAction(command.positionals[i])));
    }
    out += " ;;\n";
  }
  return out + "  esac\n}\ncompdef _hangar hangar\n";
}

std::string FishValue(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNone:
      return "-x";
    case Value::Kind::kDataset:
      return "-x -a '(hangar ls -q --limit 500 --prefix (commandline -ct) 2>/dev/null)'";
    case Value::Kind::kDropped:
      return "-x -a '(hangar trash -q --limit 500 --prefix (commandline -ct) 2>/dev/null)'";
    case Value::Kind::kProfile:
      return "-x -a '(hangar profiles -q 2>/dev/null)'";
    case Value::Kind::kFile:
      return "-r -F";
    case Value::Kind::kWords:
      return std::format("-x -a '{}'", Join(value.words, " "));
  }
  return "-x";
}

std::string FishScript(const std::vector<CommandSpec>& commands) {
  std::string out = "# fish completion for hangar: hangar completion fish | source\n";
  out += "complete -c hangar -f\n";
  for (const CommandSpec& command : commands) {
    out += std::format("complete -c hangar -n __fish_use_subcommand -a {} -d {}\n", command.name,
                       InQuotes(command.description));
    const std::string when =
        std::format("complete -c hangar -n '__fish_seen_subcommand_from {}'", command.name);
    for (const OptionSpec& option : command.options) {
      out += when;
      for (const std::string& name : option.names) {
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (option.takes_value) out += " " + FishValue(option.value);
      out += " -d " + InQuotes(option.description) + "\n";
    }
    for (const Value& value : command.positionals) {
      if (value.kind == Value::Kind::kNone) continue;
      out += when + " " + (value.kind == Value::Kind::kFile ? "-F" : FishValue(value).substr(3)) +
             "\n";
    }
  }
  return out;
}

}  // namespace

std::string CompletionScript(const CLI::App& app, Shell shell) {
  const std::vector<CommandSpec> commands = SpecsOf(app);
  switch (shell) {
    case Shell::kBash:
      return BashScript(commands);
    case Shell::kZsh:
      return ZshScript(commands);
    case Shell::kFish:
      return FishScript(commands);
  }
  return "";
}

}  // namespace hangar::cli

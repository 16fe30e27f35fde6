#include "config/config_text.h"

#include <cstdint>
#include <format>
#include <string_view>
#include <vector>

#include "config/mdoc_text.h"

namespace hangar {
namespace {

constexpr std::string_view kExampleHead =
    R"(# The settings of hangar serve. Each stands here with its default, as a comment.
#
# The environment goes over this file (HANGAR_LOG_LEVEL over log_level), flags go over both
# (--log-level). Amounts of memory and disk space are written as 512MiB, 4GiB or 25%, durations as
# 500ms, 30s, 10m, 1h or 7d. hangar config check FILE says what is wrong with a file,
# hangar config show what is in force, and hangar doctor whether it works on this machine.
)";

// A basic string of TOML.
std::string TomlString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      out += std::format("\\u{:04X}", static_cast<uint8_t>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

// A setting's value as a file has it.
std::string TomlValue(const Setting& setting, const std::vector<std::string>& texts) {
  if (setting.form == SettingForm::kNumber || setting.form == SettingForm::kSwitch) {
    return texts.back();
  }
  if (!setting.repeatable()) return TomlString(texts.back());
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + TomlString(text);
  return "[" + out + "]";
}

// Control characters in a file's name must not end the comment.
std::string CommentText(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

std::string OriginText(const SettingValue& value) {
  if (!value.is_default()) return CommentText(value.origin);
  const std::string_view absence = value.setting->absence;
  return absence.empty() ? "default" : std::format("default: {}", absence);
}

std::vector<std::string> Shown(const SettingValue& value) {
  std::vector<std::string> texts = value.texts;
  for (std::string& text : texts) text = WithoutSecrets(text);
  return texts;
}

std::string FormName(const Setting& setting) {
  switch (setting.form) {
    case SettingForm::kText:
      return "a string";
    case SettingForm::kFile:
      return "a file's path";
    case SettingForm::kFolder:
      return "a folder's path";
    case SettingForm::kChoice:
      return "a string";
    case SettingForm::kAmount:
      return "an amount";
    case SettingForm::kNumber:
      return "a number";
    case SettingForm::kSwitch:
      return "true or false";
    case SettingForm::kList:
      return "an array of strings";
  }
  return "";
}

constexpr std::string_view kManualHead = R"(.Dd $Mdocdate$
.Dt HANGAR.TOML 5
.Os
.Sh NAME
.Nm hangar.toml
.Nd settings of a Hangar server
.Sh DESCRIPTION
The file that
.Ql hangar serve \-\-config
reads is TOML: one
.Ql name = value
a line, in no table.
Strings stand in quotes; numbers and true and false may stand without.
An amount is a string with a unit: of memory and disk space KiB, MiB, GiB, TiB or %, of time
ms, s, m, h or d.
.Pp
What a setting has in the file, the variable of the environment goes over, and the flag over both.
What no setting is called like is an error.
)";

constexpr std::string_view kManualTail = R"(.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/hangar/hangar.toml
what the service that the Debian package installs runs with
.El
.Sh EXAMPLES
Every setting with its default:
.Pp
.Dl hangar config example
.Pp
What is wrong with a file, what is in force, and whether it works on this machine:
.Pp
.Dl hangar config check hangar.toml
.Dl hangar config show \-\-config hangar.toml
.Dl hangar doctor \-\-config hangar.toml
.Sh SEE ALSO
.Xr hangar 1
)";

}  // namespace

std::string ExampleConfiguration(const LoadedSettings& settings) {
  std::string out(kExampleHead);
  std::string_view group;
  for (const SettingValue& value : settings.values) {
    const Setting& setting = *value.setting;
    if (setting.group != group) {
      group = setting.group;
      out += std::format("\n# ---- {}\n", group);
    }
    const std::string meaning =
        setting.absence.empty() ? "" : std::format(" [{}]", setting.absence);
    out +=
        std::format("\n# {}{}\n{}{} = {}\n", setting.help, meaning, value.is_default() ? "#" : "",
                    setting.name, TomlValue(setting, value.texts));
  }
  return out;
}

std::string EffectiveConfiguration(const LoadedSettings& settings) {
  std::string out;
  for (const SettingValue& value : settings.values) {
    out += std::format("{} = {}  # {}\n", value.setting->name,
                       TomlValue(*value.setting, Shown(value)), OriginText(value));
  }
  return out;
}

std::string ConfigurationManual() {
  std::string out(kManualHead);
  std::string_view group;
  for (const Setting& setting : ServeSettings()) {
    if (setting.group != group) {
      if (!group.empty()) out += ".El\n";
      group = setting.group;
      out += std::format(".Ss {}\n.Bl -tag -width Ds\n", group);
    }
    out += std::format(
        ".It Ic {}\n{}\n.br\n({}; default: {}; environment:\n.Ev {} ;\nflag:\n.Fl \\-{})\n",
        setting.name, MdocText(setting.help), FormName(setting), MdocText(setting.default_text()),
        setting.environment(), MdocText(setting.flag().substr(2)));
  }
  out += ".El\n";
  out += kManualTail;
  return out;
}

std::string WithoutSecrets(const std::string& uri) {
  const size_t scheme = uri.find("://");
  if (scheme == std::string::npos) return uri;
  std::string out = uri;
  if (const size_t query = out.find('?', scheme); query != std::string::npos) {
    out.replace(query + 1, std::string::npos, "***");
  }
  const size_t host = scheme + 3;
  const size_t at = out.substr(0, out.find('/', host)).rfind('@');
  if (at != std::string::npos && at >= host) out.replace(host, at - host, "***");
  return out;
}

}  // namespace hangar

#include "config/load.h"

#include <algorithm>
#include <format>
#include <sstream>
#include <utility>

#include <toml++/toml.hpp>

#include "base/error.h"
#include "base/text.h"
#include "config/check_options.h"

namespace hangar {
namespace {

using Values = std::vector<std::string>;

// Gathers what the sources say, each over what was there before.
class Loader {
 public:
  Loader() {
    for (const Setting& setting : ServeSettings()) {
      SettingValue value{.setting = &setting, .texts = {}, .origin = "default"};
      if (!setting.repeatable()) value.texts = {std::string(setting.default_value)};
      loaded_.values.push_back(std::move(value));
    }
  }

  void TakeFile(const std::string& file);
  void TakeEnvironment(const SettingSources& sources);
  void TakeFlags(const SettingSources& sources);
  LoadedSettings Finish() &&;

 private:
  void TakeNode(const std::string& file, std::string_view key, const toml::node& node);
  // Sets the setting; `called` is how a problem names it.
  void Take(const Setting& setting, Values texts, std::string origin, std::string_view called,
            SettingProblem place);

  LoadedSettings loaded_;
};

int64_t LineOf(const toml::source_region& source) { return source.begin.line; }

// The texts of a node of the file, or why it cannot be a value of this setting.
arrow::Result<Values> TextsOf(const toml::node& node, const Setting& setting) {
  if (const auto* text = node.as_string()) return Values{text->get()};
  if (const auto* array = node.as_array(); array != nullptr && setting.repeatable()) {
    Values texts;
    for (const toml::node& item : *array) {
      if (!item.is_string()) {
        return MakeError(ErrorKind::kInvalidArgument, "must be an array of strings");
      }
      texts.push_back(item.as_string()->get());
    }
    return texts;
  }
  const bool takes_numbers =
      setting.form == SettingForm::kNumber || setting.form == SettingForm::kAmount;
  if (const auto* number = node.as_integer(); number != nullptr && takes_numbers) {
    return Values{std::to_string(number->get())};
  }
  if (const auto* is = node.as_boolean(); is != nullptr && setting.form == SettingForm::kSwitch) {
    return Values{is->get() ? "true" : "false"};
  }
  switch (setting.form) {
    case SettingForm::kList:
      return MakeError(ErrorKind::kInvalidArgument, "must be a string or an array of strings");
    case SettingForm::kNumber:
      return MakeError(ErrorKind::kInvalidArgument, "must be a whole number");
    case SettingForm::kSwitch:
      return MakeError(ErrorKind::kInvalidArgument, "must be true or false");
    default:
      return MakeError(ErrorKind::kInvalidArgument, "must be a string");
  }
}

std::string UnknownKey(std::string_view key, const toml::node& node) {
  if (node.is_table() || node.is_array_of_tables()) {
    return std::format("unknown key {}; settings stand by themselves, in no table", Quoted(key));
  }
  return std::format("unknown key {}; the nearest setting is '{}'", Quoted(key),
                     NearestSetting(key).name);
}

void Loader::Take(const Setting& setting, Values texts, std::string origin, std::string_view called,
                  SettingProblem place) {
  // An empty array says nothing, as an absent key does.
  if (texts.empty()) return;
  const auto status = setting.set(loaded_.options, texts);
  if (!status.ok()) {
    place.sentence = std::format("{} is wrong: {}", called, status.message());
    loaded_.problems.push_back(std::move(place));
    return;
  }
  SettingValue& value = loaded_.values[&setting - ServeSettings().data()];
  value.texts = std::move(texts);
  value.origin = std::move(origin);
}

void Loader::TakeNode(const std::string& file, std::string_view key, const toml::node& node) {
  SettingProblem place{.file = file, .line = LineOf(node.source()), .sentence = {}};
  const Setting& setting = NearestSetting(key);
  if (setting.name != key) {
    place.sentence = UnknownKey(key, node);
    loaded_.problems.push_back(std::move(place));
    return;
  }
  auto texts = TextsOf(node, setting);
  if (!texts.ok()) {
    place.sentence = std::format("'{}' {}", key, texts.status().message());
    loaded_.problems.push_back(std::move(place));
    return;
  }
  std::string origin = std::format("line {} of {}", place.line, file);
  Take(setting, *std::move(texts), std::move(origin), std::format("'{}'", key), std::move(place));
}

void Loader::TakeFile(const std::string& file) {
  try {
    const toml::table table = toml::parse_file(file);
    for (const auto& [key, node] : table) TakeNode(file, key.str(), node);
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    const std::string sentence =
        begin.line == 0
            ? std::format("it cannot be read: {}", error.description())
            : std::format("it cannot be read: {} (column {})", error.description(), begin.column);
    loaded_.problems.push_back({.file = file, .line = begin.line, .sentence = sentence});
  }
}

Values SplitAtCommas(const std::string& text) {
  Values values;
  std::istringstream stream(text);
  for (std::string value; std::getline(stream, value, ',');) values.push_back(value);
  return values;
}

void Loader::TakeEnvironment(const SettingSources& sources) {
  if (!sources.environment) return;
  for (const Setting& setting : ServeSettings()) {
    const std::string name = setting.environment();
    const auto text = sources.environment(name);
    if (!text || text->empty()) continue;
    Take(setting, setting.repeatable() ? SplitAtCommas(*text) : Values{*text}, name,
         "the environment's " + name, {});
  }
}

void Loader::TakeFlags(const SettingSources& sources) {
  for (const Setting& setting : ServeSettings()) {
    const auto found = sources.flags.find(setting.name);
    if (found == sources.flags.end()) continue;
    Values texts = found->second;
    // A switch alone is one that is on.
    if (setting.form == SettingForm::kSwitch && texts == Values{""}) texts = {"true"};
    Take(setting, std::move(texts), setting.flag(), setting.flag(), {});
  }
}

LoadedSettings Loader::Finish() && {
  const auto is_given = [this](std::string_view name) {
    return std::ranges::any_of(loaded_.values, [name](const SettingValue& value) {
      return value.setting->name == name && value.texts.back() != value.setting->default_value;
    });
  };
  // With a value missing, what does not go together would be a guess.
  if (loaded_.problems.empty()) {
    for (std::string& sentence : CheckServeOptions(loaded_.options, is_given)) {
      loaded_.problems.push_back({.sentence = std::move(sentence)});
    }
  }
  // toml++ gives the keys by name, a reader wants the lines from the top.
  std::ranges::stable_sort(loaded_.problems, {}, &SettingProblem::line);
  return std::move(loaded_);
}

}  // namespace

std::string SettingProblem::ToString() const {
  if (file.empty()) return sentence;
  if (line == 0) return std::format("the configuration file {}: {}", Quoted(file), sentence);
  return std::format("the configuration file {}, line {}: {}", Quoted(file), line, sentence);
}

LoadedSettings LoadSettings(const SettingSources& sources) {
  Loader loader;
  if (sources.file) loader.TakeFile(*sources.file);
  loader.TakeEnvironment(sources);
  loader.TakeFlags(sources);
  return std::move(loader).Finish();
}

arrow::Result<ServeOptions> LoadServeOptions(const SettingSources& sources) {
  LoadedSettings loaded = LoadSettings(sources);
  if (loaded.problems.empty()) return std::move(loaded.options);
  const std::string first = loaded.problems.front().ToString();
  if (loaded.problems.size() == 1) return MakeError(ErrorKind::kInvalidArgument, first);
  return Error(ErrorKind::kInvalidArgument, "{} (and {} more: 'hangar config show' lists them)",
               first, loaded.problems.size() - 1);
}

}  // namespace hangar

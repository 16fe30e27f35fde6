#include "config/load.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <sstream>
#include <utility>

#include <toml++/toml.hpp>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

using Values = std::vector<std::string>;

arrow::Status SetData(ServeOptions& options, const Values& values) {
  if (values.back().empty()) return MakeError(ErrorKind::kInvalidArgument, "it is empty");
  options.data = values.back();
  return arrow::Status::OK();
}

arrow::Status SetListen(ServeOptions& options, const Values& values) {
  options.listen = values.back();
  return arrow::Status::OK();
}

arrow::Status SetAdvertise(ServeOptions& options, const Values& values) {
  for (const std::string& uri : values) {
    if (!uri.contains("://")) {
      return Error(ErrorKind::kInvalidArgument,
                   "{} is not a URI such as grpc://data.example.org:8815", Quoted(uri));
    }
  }
  options.advertise = values;
  return arrow::Status::OK();
}

arrow::Status SetCacheMemory(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(options.cache_memory, ParseMemoryAmount(values.back()));
  return arrow::Status::OK();
}

arrow::Status SetMemoryLimit(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(options.memory_limit, ParseMemoryAmount(values.back()));
  return arrow::Status::OK();
}

arrow::Status SetQueueTimeout(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(options.queue_timeout, ParseDuration(values.back()));
  return arrow::Status::OK();
}

arrow::Status SetLogLevel(ServeOptions& options, const Values& values) {
  constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
  if (std::ranges::find(kLevels, values.back()) == kLevels.end()) {
    return Error(ErrorKind::kInvalidArgument, "{} is none of debug, info, warning and error",
                 Quoted(values.back()));
  }
  options.log_level = values.back();
  return arrow::Status::OK();
}

arrow::Status SetLogFormat(ServeOptions& options, const Values& values) {
  if (values.back() == "text") {
    options.log_format = LogFormat::kText;
  } else if (values.back() == "json") {
    options.log_format = LogFormat::kJson;
  } else {
    return Error(ErrorKind::kInvalidArgument, "{} is neither text nor json", Quoted(values.back()));
  }
  return arrow::Status::OK();
}

arrow::Status SetGrace(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(options.grace, ParseDuration(values.back()));
  return arrow::Status::OK();
}

arrow::Result<int64_t> ParseCount(const std::string& text, int64_t least) {
  constexpr int64_t kCountMax = 1'000'000'000;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least ||
      number > kCountMax) {
    return Error(ErrorKind::kInvalidArgument, "{} is not a number from {} to {}", Quoted(text),
                 least, kCountMax);
  }
  return number;
}

// A setting of `Limits` that is a number of things.
template <int64_t Limits::* field>
arrow::Status SetCount(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(options.limits.*field, ParseCount(values.back(), /*least=*/1));
  return arrow::Status::OK();
}

// A setting of `Limits` that is a number of bytes.
template <int64_t Limits::* field>
arrow::Status SetBytes(ServeOptions& options, const Values& values) {
  const auto amount = ParseMemoryAmount(values.back());
  if (!amount.ok() || amount->bytes == 0) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is not a number of bytes; they are written as 64KiB, 512MiB or 4GiB",
                 Quoted(values.back()));
  }
  options.limits.*field = amount->bytes;
  return arrow::Status::OK();
}

// A setting of `Limits` that is a duration, which cannot be 0.
template <std::chrono::milliseconds Limits::* field>
arrow::Status SetDuration(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(const auto duration, ParseDuration(values.back()));
  if (duration.count() == 0) return MakeError(ErrorKind::kInvalidArgument, "it cannot be 0");
  options.limits.*field = duration;
  return arrow::Status::OK();
}

arrow::Status SetTicketTtl(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(options.history.ticket_ttl, ParseDuration(values.back()));
  return arrow::Status::OK();
}

arrow::Status SetKeepVersions(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(options.history.versions, ParseCount(values.back(), /*least=*/0));
  return arrow::Status::OK();
}

arrow::Status SetKeepFor(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(options.history.time, ParseDuration(values.back()));
  return arrow::Status::OK();
}

arrow::Status SetHistoryBytes(ServeOptions& options, const Values& values) {
  const auto amount = ParseMemoryAmount(values.back());
  if (!amount.ok()) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is not an amount of disk space; amounts are written as 10%, 512MiB, 4GiB or 0",
                 Quoted(values.back()));
  }
  options.history.bytes = *amount;
  return arrow::Status::OK();
}

constexpr Setting kSettings[] = {
    {"data", "folder whose Parquet files are the datasets; made when missing", "./datasets", false,
     SetData},
    {"listen", "address: grpc://HOST:PORT (port 0: a free one) or grpc+unix:///PATH",
     "grpc://0.0.0.0:8815", false, SetListen},
    {"advertise", "address that endpoints name for clients, can be repeated",
     "the connection that asked", true, SetAdvertise},
    {"cache_memory", "memory for what reads decode, kept for the next ones: 4GiB, 25% or 0", "25%",
     false, SetCacheMemory},
    {"memory_limit", "memory that the server takes, about: 4GiB or 50%, 128MiB at least", "50%",
     false, SetMemoryLimit},
    {"queue_timeout", "how long a read or an upload waits for memory that others hold", "30s",
     false, SetQueueTimeout},
    {"log_level", "least severe messages logged: debug, info, warning or error", "info", false,
     SetLogLevel},
    {"log_format", "form of the log on standard error: text or json", "text", false, SetLogFormat},
    {"grace", "how long running calls may go on after a signal to stop", "30s", false, SetGrace},
    {"ticket_ttl", "how long a ticket can be redeemed whatever happens to the dataset", "10m",
     false, SetTicketTtl},
    {"keep_versions", "past versions of a dataset that are kept, at most", "10", false,
     SetKeepVersions},
    {"keep_for", "how long past versions and dropped datasets are kept, at most", "7d", false,
     SetKeepFor},
    {"history_bytes", "disk space that they take in all, at most: 10%, 50GiB or 0", "10%", false,
     SetHistoryBytes},
    {"max_streams", "reads, listings and uploads under way at once", "1024", false,
     SetCount<&Limits::streams>},
    {"max_streams_per_caller", "the same, of one network address", "256", false,
     SetCount<&Limits::streams_per_caller>},
    {"max_uploads", "uploads under way at once", "64", false, SetCount<&Limits::uploads>},
    {"max_upload_bytes", "bytes that one upload may send, and that its file may have", "1TiB",
     false, SetBytes<&Limits::upload_bytes>},
    {"max_columns", "columns of a dataset that is put", "10000", false, SetCount<&Limits::columns>},
    {"max_metadata_bytes", "bytes of names and metadata in the schema of a dataset that is put",
     "16MiB", false, SetBytes<&Limits::metadata_bytes>},
    {"max_message_bytes", "bytes of one message from a client", "2GiB", false,
     SetBytes<&Limits::message_bytes>},
    {"stall_timeout", "how long a client may take or send nothing in the middle of a call", "1m",
     false, SetDuration<&Limits::stall_timeout>},
    {"keepalive", "how long a connection may be silent before it must show a sign of life", "1m",
     false, SetDuration<&Limits::keepalive>},
};

// The number of single-character edits between two words (Levenshtein's distance, row by row).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

arrow::Status UnknownKey(const std::string& file, std::string_view key) {
  const Setting* nearest = &kSettings[0];
  for (const Setting& setting : kSettings) {
    if (EditDistance(key, setting.name) < EditDistance(key, nearest->name)) nearest = &setting;
  }
  return Error(ErrorKind::kInvalidArgument,
               "the configuration file {} has the unknown key {}; the nearest setting is '{}'",
               Quoted(file), Quoted(key), nearest->name);
}

arrow::Status Apply(const Setting& setting, const Values& values, std::string_view where,
                    ServeOptions& options) {
  const auto status = setting.set(options, values);
  if (status.ok()) return status;
  return Error(ErrorKind::kInvalidArgument, "{} is wrong: {}", where, status.message());
}

arrow::Result<Values> ValuesOf(const toml::node& node, const Setting& setting,
                               std::string_view where) {
  Values values;
  if (const auto* text = node.as_string()) {
    values.push_back(text->get());
  } else if (const auto* array = node.as_array(); array != nullptr && setting.repeatable) {
    for (const toml::node& item : *array) {
      if (!item.is_string()) {
        return Error(ErrorKind::kInvalidArgument, "{} must be an array of strings", where);
      }
      values.push_back(item.as_string()->get());
    }
  } else {
    return Error(ErrorKind::kInvalidArgument, "{} must be {}", where,
                 setting.repeatable ? "a string or an array of strings" : "a string");
  }
  return values;
}

arrow::Result<toml::table> ParseFile(const std::string& file) {
  try {
    return toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    return Error(ErrorKind::kInvalidArgument,
                 "the configuration file {} cannot be read: {} (line {}, column {})", Quoted(file),
                 error.description(), begin.line, begin.column);
  }
}

arrow::Status ApplyFile(const std::string& file, ServeOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const toml::table table, ParseFile(file));
  for (const auto& [key, node] : table) {
    const auto* setting = std::ranges::find(kSettings, key.str(), &Setting::name);
    if (setting == std::end(kSettings)) return UnknownKey(file, key.str());
    const std::string where =
        std::format("'{}' in the configuration file {}", key.str(), Quoted(file));
    ARROW_ASSIGN_OR_RAISE(const Values values, ValuesOf(node, *setting, where));
    if (values.empty()) continue;
    ARROW_RETURN_NOT_OK(Apply(*setting, values, where, options));
  }
  return arrow::Status::OK();
}

Values SplitAtCommas(const std::string& text) {
  Values values;
  std::istringstream stream(text);
  for (std::string value; std::getline(stream, value, ',');) values.push_back(value);
  return values;
}

arrow::Status ApplyEnvironment(const SettingSources& sources, ServeOptions& options) {
  if (!sources.environment) return arrow::Status::OK();
  for (const Setting& setting : kSettings) {
    const std::string name = setting.environment();
    const auto text = sources.environment(name);
    if (!text || text->empty()) continue;
    const Values values = setting.repeatable ? SplitAtCommas(*text) : Values{*text};
    ARROW_RETURN_NOT_OK(Apply(setting, values, "the environment's " + name, options));
  }
  return arrow::Status::OK();
}

std::string Respelled(std::string_view prefix, std::string_view name, char separator, bool upper) {
  std::string spelled(prefix);
  for (const char c : name) {
    const char letter = upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    spelled += c == '_' ? separator : letter;
  }
  return spelled;
}

}  // namespace

std::string Setting::flag() const { return Respelled("--", name, '-', /*upper=*/false); }
std::string Setting::environment() const { return Respelled("HANGAR_", name, '_', /*upper=*/true); }

std::span<const Setting> ServeSettings() { return kSettings; }

arrow::Result<ServeOptions> LoadServeOptions(const SettingSources& sources) {
  ServeOptions options;
  if (sources.file) ARROW_RETURN_NOT_OK(ApplyFile(*sources.file, options));
  ARROW_RETURN_NOT_OK(ApplyEnvironment(sources, options));
  for (const Setting& setting : kSettings) {
    const auto found = sources.flags.find(setting.name);
    if (found == sources.flags.end() || found->second.empty()) continue;
    ARROW_RETURN_NOT_OK(Apply(setting, found->second, setting.flag(), options));
  }
  return options;
}

arrow::Result<MemoryAmount> ParseMemoryAmount(std::string_view text) {
  constexpr std::pair<std::string_view, int> kUnits[] = {
      {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
  constexpr int64_t kBytesMax = 1LL << 50;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error == std::errc() && number >= 0) {
    if (number == 0 && unit.empty()) return MemoryAmount{};
    if (unit == "%" && number <= 100) return MemoryAmount{.percent = static_cast<int>(number)};
    for (const auto& [name, shift] : kUnits) {
      if (unit == name && number <= kBytesMax >> shift)
        return MemoryAmount{.bytes = number << shift};
    }
  }
  return Error(ErrorKind::kInvalidArgument,
               "{} is not an amount of memory; amounts are written as 512MiB, 4GiB, 25% or 0",
               Quoted(text));
}

arrow::Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 24 * 3'600'000}};
  constexpr int64_t kHoursMax = 24 * 365 * 10;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  for (const auto& [name, milliseconds] : kUnits) {
    if (error != std::errc() || unit != name || number < 0) continue;
    if (number > kHoursMax * 3'600'000 / milliseconds) break;
    return std::chrono::milliseconds(number * milliseconds);
  }
  return Error(ErrorKind::kInvalidArgument,
               "{} is not a duration; durations are written as 500ms, 30s, 2m, 1h or 7d",
               Quoted(text));
}

}  // namespace hangar

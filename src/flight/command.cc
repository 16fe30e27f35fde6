#include "flight/command.h"

#include <utility>

#include <arrow/flight/types.h>

#include "base/error.h"
#include "base/text.h"
#include "text/json_object.h"

namespace hangar {
namespace {

using arrow::flight::FlightDescriptor;

// The parts of a PATH joined with '/': ["a", "b.parquet"] and ["a/b.parquet"] are one dataset.
std::string JoinPath(const std::vector<std::string>& parts) {
  std::string joined;
  for (size_t i = 0; i < parts.size(); ++i) joined += (i == 0 ? "" : "/") + parts[i];
  return joined;
}

arrow::Status CheckDescriptor(const FlightDescriptor& descriptor) {
  if (descriptor.type == FlightDescriptor::PATH && !descriptor.path.empty()) {
    return arrow::Status::OK();
  }
  if (descriptor.type == FlightDescriptor::CMD && !descriptor.cmd.empty()) {
    return arrow::Status::OK();
  }
  return MakeError(ErrorKind::kInvalidArgument,
                   "the descriptor is empty: give a path, which names a dataset, or a command, "
                   "which is a JSON object with the key 'dataset'");
}

arrow::Result<JsonObject> ParseCommand(const FlightDescriptor& descriptor) {
  if (!descriptor.cmd.starts_with('{')) {
    return Error(ErrorKind::kInvalidArgument,
                 "the command must be a JSON object that begins with '{{', but it is {}",
                 Quoted(descriptor.cmd));
  }
  return JsonObject::Parse(descriptor.cmd, "the command");
}

arrow::Result<UploadMode> ParseMode(const std::string& name) {
  if (name == "overwrite") return UploadMode::kOverwrite;
  if (name == "create") return UploadMode::kCreate;
  return Error(ErrorKind::kInvalidArgument,
               "the key 'mode' is {}; it must be 'overwrite' or 'create'", Quoted(name));
}

arrow::Result<DataFormat> TakeFormat(JsonObject& object) {
  ARROW_ASSIGN_OR_RAISE(const auto name, object.TakeString("format"));
  if (!name || *name == "arrow") return DataFormat::kArrow;
  if (*name == "parquet") return DataFormat::kParquet;
  return Error(ErrorKind::kInvalidArgument,
               "the key 'format' is {}; it must be 'arrow' or 'parquet'", Quoted(*name));
}

// A stored file is given whole and as it is.
arrow::Status CheckFileCommand(const ReadCommand& command) {
  const ReadRequest& read = command.read;
  if (!read.columns && read.offset_rows == 0 && !read.limit_rows &&
      command.compression == WireCompression::kNone) {
    return arrow::Status::OK();
  }
  return MakeError(ErrorKind::kInvalidArgument,
                   "with the format 'parquet' the stored file is given as it is: leave out "
                   "'columns', 'offset', 'limit' and 'compression'");
}

}  // namespace

arrow::Result<WireCompression> ParseWireCompression(const std::string& name) {
  if (name == "none") return WireCompression::kNone;
  if (name == "lz4") return WireCompression::kLz4;
  if (name == "zstd") return WireCompression::kZstd;
  return Error(ErrorKind::kInvalidArgument,
               "the key 'compression' is {}; it must be 'none', 'lz4' or 'zstd'", Quoted(name));
}

std::string WireCompressionName(WireCompression compression) {
  switch (compression) {
    case WireCompression::kNone:
      return "none";
    case WireCompression::kLz4:
      return "lz4";
    case WireCompression::kZstd:
      return "zstd";
  }
  return "none";
}

arrow::Result<ReadCommand> ParseReadDescriptor(const FlightDescriptor& descriptor) {
  ARROW_RETURN_NOT_OK(CheckDescriptor(descriptor));
  ReadCommand command;
  if (descriptor.type == FlightDescriptor::PATH) {
    command.read.dataset = JoinPath(descriptor.path);
    return command;
  }
  ARROW_ASSIGN_OR_RAISE(auto object, ParseCommand(descriptor));
  ARROW_ASSIGN_OR_RAISE(command.read.dataset, object.TakeRequiredString("dataset"));
  ARROW_ASSIGN_OR_RAISE(command.read.version, object.TakeString("version"));
  ARROW_ASSIGN_OR_RAISE(command.read.as_of, object.TakeTimestamp("as_of"));
  ARROW_ASSIGN_OR_RAISE(command.read.columns, object.TakeStrings("columns"));
  ARROW_ASSIGN_OR_RAISE(const auto offset, object.TakeInteger("offset"));
  ARROW_ASSIGN_OR_RAISE(command.read.limit_rows, object.TakeInteger("limit"));
  ARROW_ASSIGN_OR_RAISE(const auto partitions, object.TakeInteger("partitions"));
  ARROW_ASSIGN_OR_RAISE(const auto compression, object.TakeString("compression"));
  ARROW_ASSIGN_OR_RAISE(command.format, TakeFormat(object));
  ARROW_RETURN_NOT_OK(object.Finish());
  command.read.offset_rows = offset.value_or(0);
  command.partitions = partitions.value_or(1);
  if (compression) {
    ARROW_ASSIGN_OR_RAISE(command.compression, ParseWireCompression(*compression));
  }
  if (command.format == DataFormat::kParquet) ARROW_RETURN_NOT_OK(CheckFileCommand(command));
  return command;
}

arrow::Result<UploadCommand> ParseUploadDescriptor(const FlightDescriptor& descriptor) {
  ARROW_RETURN_NOT_OK(CheckDescriptor(descriptor));
  UploadCommand command;
  UploadRequest& request = command.upload;
  if (descriptor.type == FlightDescriptor::PATH) {
    request.dataset = JoinPath(descriptor.path);
    return command;
  }
  ARROW_ASSIGN_OR_RAISE(auto object, ParseCommand(descriptor));
  ARROW_ASSIGN_OR_RAISE(request.dataset, object.TakeRequiredString("dataset"));
  ARROW_ASSIGN_OR_RAISE(const auto mode, object.TakeString("mode"));
  ARROW_ASSIGN_OR_RAISE(request.if_version, object.TakeString("if_version"));
  ARROW_ASSIGN_OR_RAISE(request.upload_id, object.TakeString("upload_id"));
  ARROW_ASSIGN_OR_RAISE(request.rows, object.TakeInteger("rows"));
  ARROW_ASSIGN_OR_RAISE(request.codec, object.TakeString("codec"));
  ARROW_ASSIGN_OR_RAISE(request.level, object.TakeInteger("level"));
  ARROW_ASSIGN_OR_RAISE(request.row_group_rows, object.TakeInteger("row_group_rows"));
  ARROW_ASSIGN_OR_RAISE(auto encodings, object.TakeStringMap("encodings"));
  ARROW_ASSIGN_OR_RAISE(command.format, TakeFormat(object));
  ARROW_RETURN_NOT_OK(object.Finish());
  request.encodings = std::move(encodings).value_or(std::map<std::string, std::string>());
  if (mode) {
    ARROW_ASSIGN_OR_RAISE(request.mode, ParseMode(*mode));
  }
  return command;
}

arrow::Result<ListRequest> ParseCriteria(const std::string& expression) {
  return ParseListRequest(expression, "the criteria");
}

arrow::Result<ListRequest> ParseListRequest(const std::string& text, std::string_view what) {
  ListRequest request;
  if (text.empty()) return request;
  ARROW_ASSIGN_OR_RAISE(auto object, JsonObject::Parse(text, what));
  ARROW_ASSIGN_OR_RAISE(auto prefix, object.TakeString("prefix"));
  ARROW_ASSIGN_OR_RAISE(auto glob, object.TakeString("glob"));
  ARROW_ASSIGN_OR_RAISE(auto after, object.TakeString("after"));
  ARROW_ASSIGN_OR_RAISE(request.limit, object.TakeInteger("limit"));
  ARROW_RETURN_NOT_OK(object.Finish());
  request.prefix = std::move(prefix).value_or("");
  request.glob = std::move(glob).value_or("");
  request.after = std::move(after).value_or("");
  return request;
}

}  // namespace hangar

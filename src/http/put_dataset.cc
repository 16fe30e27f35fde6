#include "http/put_dataset.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "http/dataset_format.h"
#include "http/decoding_receiver.h"
#include "http/header_text.h"
#include "http/preconditions.h"
#include "http/problem.h"
#include "http/put_rows.h"
#include "http/stream_place.h"
#include "http/upload_answer.h"

namespace hangar {
namespace {

constexpr std::string_view kParquetMagic = "PAR1";

// A Parquet file, which is stored as it is.
class FileReceiver final : public HttpBodyReceiver {
 public:
  FileReceiver(std::unique_ptr<FileUpload> upload, UploadAnswer answer)
      : upload_(std::move(upload)), answer_(std::move(answer)) {}

  arrow::Status Receive(std::string_view bytes) override {
    if (begin_.size() < kParquetMagic.size()) {
      begin_ += bytes.substr(0, kParquetMagic.size() - begin_.size());
      ARROW_RETURN_NOT_OK(CheckMagic());
    }
    return upload_->Append(bytes.data(), static_cast<int64_t>(bytes.size()));
  }

  arrow::Result<HttpResponse> Finish() override {
    if (begin_ != kParquetMagic) return NoParquet();
    ARROW_ASSIGN_OR_RAISE(const UploadResult result, upload_->Commit());
    return answer_.Make(result);
  }

 private:
  arrow::Status CheckMagic() const {
    return kParquetMagic.starts_with(begin_) ? arrow::Status::OK() : NoParquet();
  }

  static arrow::Status NoParquet() {
    return Error(ErrorKind::kInvalidArgument,
                 "the body is no Parquet file, and nothing was stored; a Content-Type of {}, {} or "
                 "{} says that it is something else",
                 kArrowStreamType, kJsonLinesType, kCsvType);
  }

  const std::unique_ptr<FileUpload> upload_;
  const UploadAnswer answer_;
  std::string begin_;
};

// The header of draft-ietf-httpapi-idempotency-key is a string in quotes; many clients leave them.
std::optional<std::string> UploadIdOf(const HttpRequest& request) {
  auto key = request.Header("Idempotency-Key");
  if (!key) return std::nullopt;
  if (key->size() >= 2 && key->starts_with('"') && key->ends_with('"')) {
    return key->substr(1, key->size() - 2);
  }
  return key;
}

arrow::Result<std::optional<std::string>> CurrentVersion(const HttpContext& context,
                                                         const HttpRequest& request) {
  const auto dataset = context.service->Describe(request.caller, request.name);
  if (dataset.ok()) return dataset->version;
  if (KindOf(dataset.status()) == ErrorKind::kNotFound) return std::nullopt;
  return dataset.status();
}

arrow::Status ConditionFails(const HttpRequest& request) {
  return Error(ErrorKind::kFailedPrecondition,
               "{} is not at a version that the request's conditions allow", Quoted(request.name));
}

arrow::Result<EntityTags> TagsOf(const std::string& header, std::string_view name) {
  auto tags = ParseEntityTags(header);
  if (!tags) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is {}; it has to be * or versions in double quotes, as ETag gives them", name,
                 Quoted(header));
  }
  return *std::move(tags);
}

arrow::Result<WriteConditions> MatchConditions(const HttpContext& context,
                                               const HttpRequest& request,
                                               const std::string& header) {
  ARROW_ASSIGN_OR_RAISE(const EntityTags tags, TagsOf(header, "If-Match"));
  std::vector<std::string> versions;
  for (const std::string& tag : tags.tags) {
    if (auto version = VersionOfTag(tag)) versions.push_back(*std::move(version));
  }
  WriteConditions conditions;
  if (!tags.any && versions.size() == 1) {
    conditions.if_version = versions.front();
    return conditions;
  }
  ARROW_ASSIGN_OR_RAISE(conditions.if_version, CurrentVersion(context, request));
  const bool holds = conditions.if_version &&
                     (tags.any || std::ranges::contains(versions, *conditions.if_version));
  if (!holds) return ConditionFails(request);
  return conditions;
}

arrow::Result<WriteConditions> NoneMatchConditions(const HttpContext& context,
                                                   const HttpRequest& request,
                                                   const std::string& header) {
  ARROW_ASSIGN_OR_RAISE(const EntityTags tags, TagsOf(header, "If-None-Match"));
  WriteConditions conditions;
  conditions.must_be_absent = tags.any;
  if (tags.any) return conditions;
  ARROW_ASSIGN_OR_RAISE(conditions.if_version, CurrentVersion(context, request));
  if (!conditions.if_version) {
    conditions.must_be_absent = true;
    return conditions;
  }
  const bool matches = std::ranges::any_of(tags.tags, [&](std::string_view tag) {
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    return tag == StrongTag(*conditions.if_version);
  });
  if (matches) return ConditionFails(request);
  return conditions;
}

// Whether there is no such dataset, asked in a way for which the right to write will do.
bool CouldCreate(const HttpContext& context, const HttpRequest& request) {
  const UploadRequest create{.dataset = request.name, .mode = UploadMode::kCreate};
  return context.service->BeginFileUpload(request.caller, create).ok();
}

constexpr char kBodyTypes[] =
    "application/vnd.apache.parquet (also application/octet-stream, or none at all), "
    "application/vnd.apache.arrow.stream, application/jsonl, application/x-ndjson and text/csv";

HttpBegunBody UnsupportedBody(std::string_view header, std::string_view known,
                              const HttpRequest& request) {
  return {.answer = ProblemWith(
              415, Error(ErrorKind::kInvalidArgument, "the {} {} is not taken; there are {}",
                         header, Quoted(request.Header(header).value_or("")), known))};
}

// nullopt for one that is not known.
std::optional<ContentCoding> CodingOf(const HttpRequest& request) {
  const auto coding = request.Header("Content-Encoding");
  if (!coding || EqualsIgnoringCase(*coding, "identity")) return ContentCoding::kNone;
  if (EqualsIgnoringCase(*coding, "gzip") || EqualsIgnoringCase(*coding, "x-gzip")) {
    return ContentCoding::kGzip;
  }
  if (EqualsIgnoringCase(*coding, "zstd")) return ContentCoding::kZstd;
  return std::nullopt;
}

}  // namespace

arrow::Result<WriteConditions> WriteConditionsOf(const HttpContext& context,
                                                 const HttpRequest& request) {
  const auto if_match = request.Header("If-Match");
  const auto if_none_match = request.Header("If-None-Match");
  if (if_match && if_none_match) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "a request has If-Match or If-None-Match, not both");
  }
  if (if_match) return MatchConditions(context, request, *if_match);
  if (if_none_match) return NoneMatchConditions(context, request, *if_none_match);
  return WriteConditions{};
}

arrow::Result<HttpBegunBody> BeginPut(const HttpContext& context, const HttpRequest& request) {
  const auto format = FormatOfBody(request);
  if (!format) return UnsupportedBody("Content-Type", kBodyTypes, request);
  const auto coding = CodingOf(request);
  if (!coding) return UnsupportedBody("Content-Encoding", "gzip and zstd", request);
  ARROW_ASSIGN_OR_RAISE(auto place, TakeStreamPlace(context, request, /*is_upload=*/true));
  ARROW_ASSIGN_OR_RAISE(const WriteConditions conditions, WriteConditionsOf(context, request));
  UploadRequest upload{.dataset = request.name, .if_version = conditions.if_version};
  if (conditions.must_be_absent) upload.mode = UploadMode::kCreate;
  upload.upload_id = UploadIdOf(request);
  ARROW_ASSIGN_OR_RAISE(upload.rows, request.QueryCount("rows"));
  // Whatever form the rows come in, this is what can be known of the upload before.
  ARROW_ASSIGN_OR_RAISE(auto file, context.service->BeginFileUpload(request.caller, upload));
  UploadAnswer answer{.is_new = conditions.must_be_absent, .place = std::move(place)};
  if (!conditions.must_be_absent && !conditions.if_version) {
    answer.is_new = CouldCreate(context, request);
  }
  std::unique_ptr<HttpBodyReceiver> receiver;
  if (*format == DatasetFormat::kParquet) {
    receiver = std::make_unique<FileReceiver>(std::move(file), std::move(answer));
  } else {
    file.reset();
    ARROW_ASSIGN_OR_RAISE(receiver,
                          ReceiveRows(context, request, *format, upload, std::move(answer)));
  }
  if (coding != ContentCoding::kNone) {
    ARROW_ASSIGN_OR_RAISE(receiver, DecodeBody(*coding, std::move(receiver)));
  }
  return HttpBegunBody{.receiver = std::move(receiver)};
}

}  // namespace hangar

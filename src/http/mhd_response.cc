#include "http/mhd_response.h"

#include <microhttpd.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/unique_descriptor.h"

namespace hangar {
namespace {

constexpr size_t kBlockBytes = 1 << 20;

// A file's bytes where the system cannot send them by itself.
class FileSource final : public HttpBodySource {
 public:
  explicit FileSource(HttpFileBody body)
      : file_(std::move(body.file)), offset_(body.offset), left_(body.length) {}

  std::optional<int64_t> size_bytes() const override { return left_; }
  arrow::Result<int64_t> Read(int64_t length, char* out) override {
    length = std::min(length, left_);
    if (length == 0) return 0;
    ARROW_RETURN_NOT_OK(file_->ReadAt(offset_, length, out));
    offset_ += length;
    left_ -= length;
    return length;
  }

 private:
  const std::shared_ptr<StoredFileReader> file_;
  int64_t offset_;
  int64_t left_;
};

struct SentBody {
  std::unique_ptr<HttpBodySource> source;
  BodyEvents events;
};

ssize_t ReadBody(void* closure, uint64_t, char* out, size_t length) {
  auto& body = *static_cast<SentBody*>(closure);
  body.events.connection->Work();
  const auto read = body.source->Read(static_cast<int64_t>(length), out);
  body.events.connection->MoveBody();
  if (!read.ok()) {
    body.events.on_error(read.status());
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  return *read == 0 ? MHD_CONTENT_READER_END_OF_STREAM : static_cast<ssize_t>(*read);
}

void FreeBody(void* closure) { delete static_cast<SentBody*>(closure); }

MHD_Response* FromSource(std::unique_ptr<HttpBodySource> source, BodyEvents events) {
  const auto size = source->size_bytes();
  auto body = std::make_unique<SentBody>(SentBody{std::move(source), std::move(events)});
  MHD_Response* const response =
      MHD_create_response_from_callback(size ? static_cast<uint64_t>(*size) : MHD_SIZE_UNKNOWN,
                                        kBlockBytes, ReadBody, body.get(), FreeBody);
  // Now it belongs to the response.
  if (response != nullptr) static_cast<void>(body.release());
  return response;
}

MHD_Response* FromFile(HttpFileBody body, bool is_head, BodyEvents events) {
  UniqueDescriptor descriptor(is_head ? -1 : body.file->DuplicateDescriptor().value_or(-1));
  if (!descriptor.is_open())
    return FromSource(std::make_unique<FileSource>(std::move(body)), std::move(events));
  MHD_Response* const response = MHD_create_response_from_fd_at_offset64(
      static_cast<uint64_t>(body.length), descriptor.get(), static_cast<uint64_t>(body.offset));
  if (response != nullptr) {
    std::ignore = descriptor.release();  // Now it belongs to the response.
    events.on_system_sends(body.length);
  }
  return response;
}

MHD_Response* FromText(const HttpResponse& answer, bool is_head) {
  MHD_Response* const response =
      MHD_create_response_from_buffer_copy(answer.text.size(), answer.text.data());
  // What has no body here has one elsewhere, of a length that is not said.
  if (response != nullptr && answer.text.empty() && (answer.status == 304 || is_head)) {
    MHD_set_response_options(response, MHD_RF_HEAD_ONLY_RESPONSE, MHD_RO_END);
  }
  return response;
}

}  // namespace

void MhdResponseDeleter::operator()(MHD_Response* response) const {
  MHD_destroy_response(response);
}

MhdResponse MakeMhdResponse(HttpResponse answer, bool is_head, BodyEvents events) {
  MHD_Response* response = nullptr;
  if (answer.file) {
    response = FromFile(*std::move(answer.file), is_head, std::move(events));
  } else if (answer.source) {
    response = FromSource(std::move(answer.source), std::move(events));
  } else {
    response = FromText(answer, is_head);
  }
  MhdResponse made(response);
  if (response == nullptr) return made;
  for (const auto& [name, value] : answer.headers) {
    if (MHD_add_response_header(response, name.c_str(), value.c_str()) != MHD_YES) return nullptr;
  }
  return made;
}

}  // namespace hangar

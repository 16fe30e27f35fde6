// Whole requests, as the HTTP door has them once libmicrohttpd has taken them apart: the input is
// the request line without its version, headers, an empty line and the body, lines ending in \n.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/memory_pool.h>

#include "fuzz/require.h"
#include "fuzz/service_under_test.h"
#include "http/byte_range.h"
#include "http/dataset_format.h"
#include "http/http_context.h"
#include "http/http_message.h"
#include "http/preconditions.h"
#include "http/routes.h"
#include "http/target.h"
#include "tests/support/recording_logger.h"

namespace hangar::fuzz {
namespace {

constexpr int64_t kPoolBytesMax = 128LL * 1024 * 1024;
constexpr size_t kPieceBytes = 1000;  // Bodies come in pieces of any size.
constexpr size_t kBlockBytes = 64 << 10;

std::string_view TakeLine(std::string_view* text) {
  const size_t end = std::min(text->find('\n'), text->size());
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return line;
}

struct Input {
  std::string target;
  HttpRequest request;
  std::string_view body;
};

// nullopt for what libmicrohttpd would not let pass.
std::optional<Input> ParseInput(std::string_view text) {
  if (text.substr(0, text.find("\n\n")).contains('\0')) return std::nullopt;
  Input input;
  const std::string_view line = TakeLine(&text);
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  input.request.method = line.substr(0, space);
  input.target = line.substr(space + 1);
  while (!text.empty()) {
    const std::string_view header = TakeLine(&text);
    if (header.empty()) break;
    const size_t colon = header.find(": ");
    if (colon == std::string_view::npos || header.contains('\r')) return std::nullopt;
    input.request.headers.emplace_back(header.substr(0, colon), header.substr(colon + 2));
  }
  input.body = text;
  return input;
}

arrow::Result<HttpResponse> TakeBody(const HttpContext& context, const HttpRoute& route,
                                     HttpRequest* request, std::string_view body) {
  if (route.begin == nullptr) {
    request->body = body;
    return route.answer(context, *request);
  }
  ARROW_ASSIGN_OR_RAISE(HttpBegunBody begun, route.begin(context, *request));
  if (begun.answer) return *std::move(begun.answer);
  while (!body.empty()) {
    ARROW_RETURN_NOT_OK(begun.receiver->Receive(body.substr(0, kPieceBytes)));
    body.remove_prefix(std::min(kPieceBytes, body.size()));
  }
  return begun.receiver->Finish();
}

// As HttpExchange does it.
arrow::Result<HttpResponse> Answer(const HttpContext& context, Input* input) {
  HttpRequest& request = input->request;
  ARROW_ASSIGN_OR_RAISE(HttpTarget target, ParseHttpTarget(input->target));
  request.path = std::move(target.path);
  request.query = std::move(target.query);
  ARROW_ASSIGN_OR_RAISE(FoundRoute found, FindRoute(HttpRoutes(), request.method, request.path));
  if (found.route == nullptr) return HttpResponse{.status = 404};
  request.name = std::move(found.name);
  ARROW_RETURN_NOT_OK(CheckQuery(*found.route, request));
  if (found.route->takes.empty()) return found.route->answer(context, request);
  return TakeBody(context, *found.route, &request, input->body);
}

std::optional<std::string> HeaderOf(const HttpResponse& response, std::string_view name) {
  return HttpRequest{.headers = response.headers}.Header(name);
}

/// What a body holds; nullopt where there is more of it than is looked at, or it breaks off.
std::optional<std::string> BytesOf(const HttpResponse& response) {
  std::string bytes = response.text;
  if (response.file) {
    const HttpFileBody& file = *response.file;
    bytes.resize(static_cast<size_t>(file.length));
    RequireOk(file.file->ReadAt(file.offset, file.length, bytes.data()));
  }
  if (response.source == nullptr) return bytes;
  std::string block(kBlockBytes, '\0');
  while (std::ssize(bytes) <= kBytesMax) {
    const auto read = response.source->Read(std::ssize(block), block.data());
    RequireFitForClients(read.status());
    if (!read.ok()) return std::nullopt;
    if (*read == 0) return bytes;
    Require(*read <= std::ssize(block), "no more comes than was asked for");
    bytes.append(block, 0, static_cast<size_t>(*read));
  }
  return std::nullopt;
}

void CheckHeaders(const HttpResponse& response) {
  for (const auto& [name, value] : response.headers) {
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
    Require(std::ranges::none_of(name + value, is_control), "a header is one line");
  }
}

void CheckResponse(const HttpResponse& response) {
  CheckHeaders(response);
  if (response.status >= 400) RequireFitForClients(response.error);
  if (response.file) {
    const auto& [file, offset, length] = *response.file;
    Require(offset >= 0 && length >= 0 && length <= file->size_bytes() - offset,
            "a part is of the file");
    const auto said = HeaderOf(response, "Content-Range");
    Require((response.status == 206) == said.has_value(), "206 says which part it is");
    Require(!said || *said == ContentRange({offset, length}, file->size_bytes()),
            "it says the right one");
  }
  const auto bytes = BytesOf(response);
  if (response.source == nullptr || !response.source->size_bytes()) return;
  Require(bytes && std::ssize(*bytes) == *response.source->size_bytes(), "a length is kept");
}

// What a PUT says it stored is there: a file byte for byte, and rows that can be read.
void CheckStored(const HttpContext& context, const Input& input, const HttpResponse& stored) {
  Input get;
  get.request.method = "GET";
  get.target = HeaderOf(stored, "Location").value_or("");
  const auto answer = Answer(context, &get);
  RequireOk(answer.status());
  if (stored.text.contains("\"repeated\":true")) return;
  Require(HeaderOf(*answer, "ETag") == HeaderOf(stored, "ETag"), "an ETag is of what was stored");
  if (FormatOfBody(input.request) == DatasetFormat::kParquet &&
      !input.request.Header("Content-Encoding")) {
    Require(BytesOf(*answer) == input.body, "a file is stored as it is");
  }
  get.target += "?format=jsonl&limit=1000";
  const auto rows = Answer(context, &get);
  RequireFitForClients(rows.status());
  if (rows.ok()) CheckResponse(*rows);
}

// A dataset to ask about, as each input finds it.
std::string MakeFile(const HttpContext& context) {
  Input put;
  put.request.method = "PUT";
  put.request.headers = {{"Content-Type", std::string(kCsvType)}};
  put.target = DatasetPath(ServiceUnderTest::kDataset);
  std::string rows = "n,text,when\n";
  for (int i = 0; i < 200; ++i) {
    rows += std::to_string(i) + ",row " + std::to_string(i) + ",2026-01-31T12:00:00Z\n";
  }
  put.body = rows;
  RequireOk(Answer(context, &put).status());
  Input get;
  get.request.method = "GET";
  get.target = put.target;
  return *BytesOf(Answer(context, &get).ValueOrDie());
}

HttpContext ContextOf(ServiceUnderTest& under_test) {
  HttpContext context;
  // Not the context's own: it does not outlive the input.
  context.service = {std::shared_ptr<void>(), &under_test.service()};
  context.logger = std::make_shared<RecordingLogger>();
  return context;
}

void Try(std::string_view text) {
  auto input = ParseInput(text);
  if (!input) return;
  ServiceUnderTest& under_test = SharedService(0);
  const HttpContext context = ContextOf(under_test);
  static const std::string kFile = MakeFile(context);
  under_test.Place(kFile);
  const auto response = Answer(context, &*input);
  RequireFitForClients(response.status());
  if (!response.ok()) return;
  CheckResponse(*response);
  const bool is_put = input->request.method == "PUT";
  if (is_put && response->status < 300) CheckStored(context, *input, *response);
}

}  // namespace
}  // namespace hangar::fuzz

// Bounded as in the server, see app/allocator.cc: how much compressed buffers hold is what a client
// says.
arrow::MemoryPool* arrow::default_memory_pool() {
  static auto* const pool =
      new arrow::CappedMemoryPool(arrow::system_memory_pool(), hangar::fuzz::kPoolBytesMax);
  return pool;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  hangar::fuzz::Try({reinterpret_cast<const char*>(bytes), size});
  return 0;
}

#include "s3/s3_xml.h"

#include <charconv>

#include <pugixml.hpp>

#include "base/error.h"
#include "s3/uri_encoding.h"

namespace hangar {
namespace {

arrow::Status Unexpected(std::string_view root) {
  return Error(ErrorKind::kUnavailable,
               "the object store's answer is not the <{}> that was expected", root);
}

// A document with the root that is expected.
class Document {
 public:
  static arrow::Result<Document> Parse(std::string_view xml, const char* root) {
    Document parsed;
    const auto result = parsed.document_.load_buffer(
        xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata_single);
    if (!result || std::string_view(parsed.root().name()) != root) return Unexpected(root);
    return parsed;
  }

  pugi::xml_node root() const { return document_.document_element(); }

 private:
  pugi::xml_document document_;
};

arrow::Result<std::string> Decoded(pugi::xml_node parent, const char* name) {
  auto decoded = PercentDecoded(parent.child_value(name), PlusSign::kIsSpace);
  if (!decoded) return Unexpected(parent.name());
  return *std::move(decoded);
}

arrow::Result<Timestamp> Time(pugi::xml_node parent, const char* name) {
  const auto time = ParseTimestamp(parent.child_value(name));
  if (!time) return Unexpected(parent.name());
  return *time;
}

// -1 where it is none.
int64_t Number(pugi::xml_node parent, const char* name) {
  const std::string_view text = parent.child_value(name);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

bool IsTruncated(pugi::xml_node root) {
  return std::string_view(root.child_value("IsTruncated")) == "true";
}

}  // namespace

std::string UnquotedETag(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) {
    etag = etag.substr(1, etag.size() - 2);
  }
  return std::string(etag);
}

std::optional<S3ErrorDocument> ParseErrorDocument(std::string_view xml) {
  const auto document = Document::Parse(xml, "Error");
  if (!document.ok()) return std::nullopt;
  return S3ErrorDocument{.code = document->root().child_value("Code"),
                         .message = document->root().child_value("Message")};
}

arrow::Result<S3Listing> ParseListing(std::string_view xml) {
  ARROW_ASSIGN_OR_RAISE(const Document document, Document::Parse(xml, "ListBucketResult"));
  S3Listing listing;
  for (const pugi::xml_node node : document.root().children("Contents")) {
    S3Object object;
    ARROW_ASSIGN_OR_RAISE(object.key, Decoded(node, "Key"));
    ARROW_ASSIGN_OR_RAISE(object.modified, Time(node, "LastModified"));
    object.etag = UnquotedETag(node.child_value("ETag"));
    object.size_bytes = Number(node, "Size");
    if (object.key.empty() || object.size_bytes < 0) return Unexpected("ListBucketResult");
    listing.objects.push_back(std::move(object));
  }
  for (const pugi::xml_node node : document.root().children("CommonPrefixes")) {
    ARROW_ASSIGN_OR_RAISE(std::string prefix, Decoded(node, "Prefix"));
    listing.prefixes.push_back(std::move(prefix));
  }
  if (IsTruncated(document.root())) {
    listing.next_page = document.root().child_value("NextContinuationToken");
    if (listing.next_page->empty()) return Unexpected("ListBucketResult");
  }
  return listing;
}

arrow::Result<std::string> ParseBegunUpload(std::string_view xml) {
  ARROW_ASSIGN_OR_RAISE(const Document document,
                        Document::Parse(xml, "InitiateMultipartUploadResult"));
  std::string id = document.root().child_value("UploadId");
  if (id.empty()) return Unexpected("InitiateMultipartUploadResult");
  return id;
}

arrow::Result<std::string> ParseCompletedUpload(std::string_view xml) {
  ARROW_ASSIGN_OR_RAISE(const Document document,
                        Document::Parse(xml, "CompleteMultipartUploadResult"));
  std::string etag = UnquotedETag(document.root().child_value("ETag"));
  if (etag.empty()) return Unexpected("CompleteMultipartUploadResult");
  return etag;
}

arrow::Result<S3CopyDocument> ParseCopy(std::string_view xml) {
  const bool is_part = Document::Parse(xml, "CopyPartResult").ok();
  const char* const root = is_part ? "CopyPartResult" : "CopyObjectResult";
  ARROW_ASSIGN_OR_RAISE(const Document document, Document::Parse(xml, root));
  S3CopyDocument copy{.etag = UnquotedETag(document.root().child_value("ETag"))};
  if (copy.etag.empty()) return Unexpected(root);
  ARROW_ASSIGN_OR_RAISE(copy.modified, Time(document.root(), "LastModified"));
  return copy;
}

arrow::Result<S3UploadsPage> ParseUploads(std::string_view xml) {
  constexpr const char* kRoot = "ListMultipartUploadsResult";
  ARROW_ASSIGN_OR_RAISE(const Document document, Document::Parse(xml, kRoot));
  S3UploadsPage page;
  for (const pugi::xml_node node : document.root().children("Upload")) {
    S3Upload upload;
    ARROW_ASSIGN_OR_RAISE(upload.key, Decoded(node, "Key"));
    ARROW_ASSIGN_OR_RAISE(upload.begun, Time(node, "Initiated"));
    upload.upload_id = node.child_value("UploadId");
    if (upload.key.empty() || upload.upload_id.empty()) return Unexpected(kRoot);
    page.uploads.push_back(std::move(upload));
  }
  page.is_last = !IsTruncated(document.root());
  if (!page.is_last && page.uploads.empty()) return Unexpected(kRoot);
  return page;
}

arrow::Result<std::string> ParseVersioning(std::string_view xml) {
  ARROW_ASSIGN_OR_RAISE(const Document document, Document::Parse(xml, "VersioningConfiguration"));
  return document.root().child_value("Status");
}

std::string CompleteUploadDocument(const std::vector<S3Part>& parts) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns").set_value("http://s3.amazonaws.com/doc/2006-03-01/");
  for (const S3Part& part : parts) {
    pugi::xml_node node = root.append_child("Part");
    node.append_child("PartNumber").text().set(part.number);
    node.append_child("ETag").text().set(("\"" + part.etag + "\"").c_str());
  }
  struct Writer : pugi::xml_writer {
    std::string text;
    void write(const void* data, size_t size) override {
      text.append(static_cast<const char*>(data), size);
    }
  } writer;
  document.save(writer, "", pugi::format_raw | pugi::format_no_declaration);
  return std::move(writer.text);
}

}  // namespace hangar

#include "http/openapi.h"

#include <format>
#include <utility>

#include <nlohmann/json.hpp>

#include "http/problem.h"
#include "version.h"

namespace hangar {
namespace {

using nlohmann::ordered_json;

// Any of them, or none, as a server is set up.
constexpr char kSecurity[] = R"json([{}, {"bearer": []}, {"basic": []}, {"certificate": []}])json";
constexpr char kSecuritySchemes[] = R"json({
  "bearer": {"type": "http", "scheme": "bearer"},
  "basic": {"type": "http", "scheme": "basic"},
  "certificate": {"type": "mutualTLS"}
})json";

// The schemas of JSON that the routes take and give, by the names that they have in routes.cc.
constexpr char kSchemas[] = R"json({
  "Problem": {
    "description": "RFC 9457",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
      "type": {"type": "string"},
      "title": {"type": "string"},
      "status": {"type": "integer"},
      "detail": {"type": "string", "description": "What was wrong, and what to do"},
      "code": {"type": "string", "description": "As over Flight: NOT_FOUND and so on"}
    }
  },
  "Version": {
    "type": "object",
    "required": ["dataset", "version", "modified", "rows", "bytes", "row_groups"],
    "properties": {
      "dataset": {"type": "string"},
      "version": {"type": "string"},
      "modified": {"type": "string", "format": "date-time"},
      "rows": {"type": "integer"},
      "bytes": {"type": "integer", "description": "At rest"},
      "row_groups": {"type": "integer"},
      "current": {"type": "boolean"},
      "retired": {"type": "string", "format": "date-time"},
      "by": {"enum": ["replaced", "dropped"]}
    }
  },
  "Datasets": {
    "type": "object",
    "required": ["datasets"],
    "properties": {
      "datasets": {"type": "array", "items": {"$ref": "#/components/schemas/Version"}},
      "next": {"type": "string", "description": "There are more: the after of the next page"}
    }
  },
  "Versions": {
    "type": "object",
    "required": ["versions"],
    "properties": {
      "versions": {"type": "array", "items": {"$ref": "#/components/schemas/Version"}}
    }
  },
  "Field": {
    "type": "object",
    "required": ["name", "type", "nullable"],
    "properties": {
      "name": {"type": "string"},
      "type": {"type": "string", "description": "As Arrow writes it"},
      "nullable": {"type": "boolean"},
      "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
      "children": {"type": "array", "items": {"$ref": "#/components/schemas/Field"}}
    }
  },
  "Schema": {
    "allOf": [
      {"$ref": "#/components/schemas/Version"},
      {
        "type": "object",
        "required": ["fields"],
        "properties": {
          "fields": {"type": "array", "items": {"$ref": "#/components/schemas/Field"}},
          "metadata": {"type": "object", "additionalProperties": {"type": "string"}}
        }
      }
    ]
  },
  "Stored": {
    "type": "object",
    "required": ["dataset", "version", "rows", "bytes"],
    "properties": {
      "dataset": {"type": "string"},
      "version": {"type": "string"},
      "rows": {"type": "integer"},
      "bytes": {"type": "integer", "description": "At rest"},
      "repeated": {"type": "boolean", "description": "An earlier upload had stored it"}
    }
  },
  "Changed": {
    "type": "object",
    "required": ["dataset", "version"],
    "properties": {"dataset": {"type": "string"}, "version": {"type": "string"}}
  },
  "Rename": {
    "type": "object",
    "additionalProperties": false,
    "required": ["to"],
    "properties": {
      "to": {"type": "string"},
      "overwrite": {"type": "boolean", "default": false},
      "if_version": {"type": "string"}
    }
  },
  "Restore": {
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "version": {"type": "string"},
      "as_of": {"type": "string", "format": "date-time"},
      "if_version": {"type": "string"}
    }
  },
  "Nothing": {"type": "object", "additionalProperties": false},
  "OpenApi": {"type": "object"}
})json";

ordered_json SchemaRef(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

ordered_json ContentJson(std::span<const HttpContent> contents) {
  ordered_json object = ordered_json::object();
  for (const HttpContent& content : contents) {
    const bool is_text = content.media_type.starts_with("text/");
    ordered_json schema = ordered_json::object();
    if (!content.schema.empty()) {
      schema = SchemaRef(content.schema);
    } else if (is_text) {
      schema["type"] = "string";
    }
    object[std::string(content.media_type)]["schema"] = std::move(schema);
  }
  return object;
}

ordered_json ParametersJson(const HttpRoute& route) {
  ordered_json parameters = ordered_json::array();
  if (route.path.contains("{name}")) {
    parameters.push_back({{"name", "name"},
                          {"in", "path"},
                          {"required", true},
                          {"description", "The dataset's name; its slashes stay as they are"},
                          {"schema", {{"type", "string"}}}});
  }
  for (const HttpParameter& parameter : route.query) {
    ordered_json schema = {{"type", parameter.type}};
    if (parameter.repeats) schema = {{"type", "array"}, {"items", schema}};
    parameters.push_back({{"name", parameter.name},
                          {"in", "query"},
                          {"description", parameter.description},
                          {"schema", std::move(schema)}});
  }
  return parameters;
}

std::string_view PhraseOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    default:
      return HttpStatusTitle(status);
  }
}

ordered_json ResponsesJson(const HttpRoute& route, bool is_head) {
  ordered_json responses = ordered_json::object();
  const auto add = [&](int status) {
    ordered_json& response = responses[std::to_string(status)];
    response["description"] = PhraseOf(status);
    if (status != 304 && !is_head && !route.gives.empty()) {
      response["content"] = ContentJson(route.gives);
    }
  };
  add(route.success);
  for (const int status : route.also) {
    if (!is_head || status != 206) add(status);
  }
  for (const int status : route.errors) {
    ordered_json& response = responses[std::to_string(status)];
    response["description"] = PhraseOf(status);
    if (!is_head) {
      response["content"]["application/problem+json"]["schema"] = SchemaRef("Problem");
    }
  }
  return responses;
}

ordered_json OperationJson(const HttpRoute& route, bool is_head) {
  ordered_json operation = {{"operationId", (is_head ? "Head" : "") + std::string(route.operation)},
                            {"summary", route.summary}};
  if (is_head) operation["summary"] = "The headers of: " + std::string(route.summary);
  if (!route.description.empty()) operation["description"] = route.description;
  ordered_json parameters = ParametersJson(route);
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (!route.takes.empty()) {
    operation["requestBody"] = {{"content", ContentJson(route.takes)}};
    if (route.begin != nullptr) operation["requestBody"]["required"] = true;
  }
  operation["responses"] = ResponsesJson(route, is_head);
  if (route.is_public) operation["security"] = ordered_json::array();
  return operation;
}

std::string LowerCase(std::string_view method) {
  std::string lower(method);
  for (char& c : lower) c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

}  // namespace

std::string OpenApiText(std::span<const HttpRoute> routes) {
  ordered_json document = {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "Hangar"},
        {"description", "Parquet datasets over HTTP."},
        {"version", std::string(kVersion)}}},
      {"security", ordered_json::parse(kSecurity)},
  };
  for (const HttpRoute& route : routes) {
    ordered_json& path = document["paths"][std::string(route.path)];
    path[LowerCase(route.method)] = OperationJson(route, /*is_head=*/false);
    if (route.method == "GET") path["head"] = OperationJson(route, /*is_head=*/true);
  }
  document["components"]["schemas"] = ordered_json::parse(kSchemas);
  document["components"]["securitySchemes"] = ordered_json::parse(kSecuritySchemes);
  return document.dump(1) + "\n";
}

arrow::Result<HttpResponse> DescribeInterface(const HttpContext&, const HttpRequest&) {
  HttpResponse response;
  response.text = OpenApiText(HttpRoutes());
  response.Add("Content-Type", "application/json");
  return response;
}

}  // namespace hangar

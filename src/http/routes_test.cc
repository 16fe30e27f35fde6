#include "http/routes.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

FoundRoute Find(std::string_view method, std::string_view path) {
  return FindRoute(HttpRoutes(), method, path).ValueOrDie();
}

std::string OperationOf(std::string_view method, std::string_view path) {
  const auto found = Find(method, path);
  return found.route == nullptr ? "" : std::string(found.route->operation) + " " + found.name;
}

TEST(FindRoute, ANameMayHoldSlashes) {
  EXPECT_EQ(OperationOf("GET", "/v1/datasets/a/b.parquet"), "GetDataset a/b.parquet");
  EXPECT_EQ(OperationOf("HEAD", "/v1/datasets/a%2Fb"), "GetDataset a/b");
  EXPECT_EQ(OperationOf("GET", "/v1/datasets"), "ListDatasets ");
}

TEST(FindRoute, ALiteralEndIsAPartOfTheDatasetAndAnEncodedOneOfItsName) {
  EXPECT_EQ(OperationOf("GET", "/v1/datasets/a/schema"), "GetSchema a");
  EXPECT_EQ(OperationOf("GET", "/v1/datasets/a%2Fschema"), "GetDataset a/schema");
  EXPECT_EQ(OperationOf("GET", "/v1/datasets/a%2Fschema/schema"), "GetSchema a/schema");
  EXPECT_EQ(OperationOf("GET", "/v1/datasets/schema"), "GetDataset schema");
  EXPECT_EQ(OperationOf("GET", "/v1/datasets/a/versions"), "ListVersions a");
  EXPECT_EQ(OperationOf("POST", "/v1/datasets/a/b:rename"), "RenameDataset a/b");
  EXPECT_EQ(OperationOf("POST", "/v1/datasets/a%3Arename:rename"), "RenameDataset a:rename");
  EXPECT_EQ(OperationOf("GET", "/v1/datasets/a:rename"), "GetDataset a:rename");
}

TEST(FindRoute, WhatGetWouldAnswerWithAPartCannotBePut) {
  EXPECT_EQ(Find("PUT", "/v1/datasets/a/schema").route, nullptr);
  EXPECT_THAT(Find("PUT", "/v1/datasets/a/schema").methods, Not(Contains("PUT")));
  EXPECT_EQ(OperationOf("PUT", "/v1/datasets/a%2Fschema"), "PutDataset a/schema");
}

TEST(FindRoute, TellsAnUnknownPathFromAnUnknownMethod) {
  EXPECT_THAT(Find("GET", "/v2/datasets").methods, IsEmpty());
  EXPECT_THAT(Find("GET", "/v1/datasets/").methods, IsEmpty());
  EXPECT_THAT(Find("PATCH", "/v1/datasets/a").methods, Contains("DELETE"));
  EXPECT_FALSE(FindRoute(HttpRoutes(), "GET", "/v1/datasets/%zz").ok());
}

TEST(Routes, EachHasOneWayToAnswerAndAnOperationOfItsOwn) {
  std::set<std::string_view> operations;
  for (const HttpRoute& route : HttpRoutes()) {
    EXPECT_NE(route.answer == nullptr, route.begin == nullptr) << route.operation;
    EXPECT_TRUE(operations.insert(route.operation).second) << route.operation;
  }
}

TEST(CheckQuery, NamesWhatIsUnknownOrThereTwice) {
  const HttpRoute& route = *Find("GET", "/v1/datasets/a").route;
  EXPECT_TRUE(CheckQuery(route, {.query = {{"columns", "a"}, {"columns", "b"}}}).ok());
  const auto unknown = CheckQuery(route, {.query = {{"colums", "a"}}});
  EXPECT_EQ(KindOf(unknown), ErrorKind::kInvalidArgument);
  EXPECT_THAT(unknown.message(), testing::HasSubstr("'colums'"));
  EXPECT_FALSE(CheckQuery(route, {.query = {{"limit", "1"}, {"limit", "2"}}}).ok());
}

}  // namespace
}  // namespace hangar

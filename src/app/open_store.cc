#include "app/open_store.h"

#include <utility>

#include "s3/s3_client.h"
#include "s3/s3_location.h"
#include "store/local_store.h"
#include "store/s3_store.h"

namespace hangar {

arrow::Result<std::shared_ptr<ObjectStore>> OpenStore(const ServeOptions& options,
                                                      std::shared_ptr<Logger> logger,
                                                      Metrics* metrics) {
  if (!IsS3Uri(options.data)) return LocalStore::Make(options.data, metrics);
  ARROW_ASSIGN_OR_RAISE(const S3Location location, ParseS3Location(options.data));
  ARROW_ASSIGN_OR_RAISE(auto client, S3Client::Make(location, std::move(logger), metrics));
  ARROW_RETURN_NOT_OK(ProbeS3(*client, location.prefix));
  const History& history = options.history;
  return MakeS3Store(std::move(client), location.prefix,
                     {.keeps_past = history.versions > 0 && history.time.count() > 0});
}

}  // namespace hangar

#pragma once

#include <memory>
#include <string>

#include "client/client.h"
#include "client/servers.h"

namespace hangar::client {

std::unique_ptr<DatasetListing> MakeDatasetListing(std::shared_ptr<Servers> servers,
                                                   ListOptions options);

std::unique_ptr<TrashListing> MakeTrashListing(std::shared_ptr<Servers> servers,
                                               ListOptions options);

/// Of all datasets when `name` is empty.
std::unique_ptr<CheckListing> MakeCheckListing(std::shared_ptr<Servers> servers, std::string name);

}  // namespace hangar::client

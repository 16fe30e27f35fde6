#pragma once

#include <string>

#include "config/load.h"

namespace hangar {

/// Settings as a TOML file with every setting and what it is for. What is at its default stands
/// there as a comment, what was given as it was given.
std::string ExampleConfiguration(const LoadedSettings& settings);

/// The settings that are in force as TOML, with where each is from as a comment behind it. Secrets
/// are hidden.
std::string EffectiveConfiguration(const LoadedSettings& settings);

/// The manual's page hangar.toml(5), in mdoc(7).
std::string ConfigurationManual();

/// `uri` with "***" in place of what may be a secret: a user and password, a query.
std::string WithoutSecrets(const std::string& uri);

}  // namespace hangar

#pragma once

#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace hangar::cli {

enum class Shell { kBash, kZsh, kFish };

/// A script that completes the commands, options and values of `app` in a shell. Positional
/// arguments called NAME, OLD, NEW and GLOB are completed as datasets, by asking the server with
/// `hangar ls`, and DROPPED as dropped ones, with `hangar trash`; values whose type is FILE or DIR
/// as files; a type "a|b|c" as one of these words.
std::string CompletionScript(const CLI::App& app, Shell shell);

}  // namespace hangar::cli

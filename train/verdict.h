#pragma once

#include <string>

#include "compute/engine.h"
#include "loader/stats.h"

namespace millrace {

/// One sentence on what training waited for: "compute-bound: …", "loader-bound: …",
/// "copy-bound: …" (of a device that samples are copied to) or "imbalanced: …", with the shares it
/// stands on and what to turn. `training` are the seconds spent in training steps and between them.
/// A pure function of its arguments.
std::string verdict(const LoaderStats& loader, const EngineStats& engine, double training);

}  // namespace millrace
